package dev.unroll.perf;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Loss;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Optimizer;
import dev.unroll.engine.StreamBatch;
import dev.unroll.engine.Trainer;
import dev.unroll.engine.Unrolled;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Whole sequences of a batch and 64 steps: forward, and a training step with Adam. Beside them one
 * step of as many streams.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgs = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
public class TrainingBenchmark {
  private static final int TIME = 64;
  private static final int OUTPUTS = 16;

  /** Which kernels. */
  @Param({"simd", "fallback"})
  public String kernels = "";

  /** Which cell. */
  @Param({"LSTM", "RNN_TANH"})
  public CellKind cell = CellKind.LSTM;

  /** Inputs and hidden size. */
  @Param({"64x128", "128x256"})
  public String size = "";

  /** Sequences at a time. */
  @Param("32")
  public int batch = 32;

  /** Number of threads. */
  @Param({"1", "2"})
  public int threads = 1;

  private Unrolled sequence;
  private Trainer trainer;
  private StreamBatch streams;
  private float[] x;
  private float[] next;
  private float[] y;
  private int[] target;

  /** Called by JMH. */
  @SuppressWarnings("NullAway.Init")
  public TrainingBenchmark() {}

  /**
   * Makes the network.
   *
   * @throws InterruptedException if interrupted while the kernels are compiled
   */
  @Setup
  public void setUp() throws InterruptedException {
    int[] sizes = Sizes.of(size);
    NetworkSpec spec =
        NetworkSpec.recurrent(sizes[0], 1, LayerSpec.of(cell, sizes[1])).withHead(OUTPUTS);
    Network network = Network.create(spec, Initialization.PYTORCH, 1);
    Backend backend = Backend.choose(kernels).withThreads(threads);
    sequence = new Unrolled(network, backend, batch, TIME, false);
    trainer =
        new Trainer(
            network,
            backend,
            new Trainer.Options(
                batch, TIME, Loss.SOFTMAX_CROSS_ENTROPY, Optimizer.Adam.defaults(), false));
    x = new float[TIME * batch * sizes[0]];
    for (int i = 0; i < x.length; i++) {
      x[i] = (i % 19 - 9) / 9f;
    }
    streams = new StreamBatch(network, backend, batch);
    next = Arrays.copyOf(x, batch * sizes[0]);
    y = new float[batch * OUTPUTS];
    target = new int[TIME * batch];
    Arrays.setAll(target, i -> i % OUTPUTS);
    Backend.warmUp();
  }

  /** Forward over all steps. */
  @Benchmark
  public void sequence() {
    sequence.forward(TIME, x);
  }

  /**
   * One step of a batch of streams.
   *
   * @return the outputs
   */
  @Benchmark
  public float[] streams() {
    streams.step(next, y);
    return y;
  }

  /**
   * Forward, loss, BPTT, clipping, Adam.
   *
   * @return the loss
   */
  @Benchmark
  public double trainingStep() {
    return trainer.step(x, target);
  }
}
