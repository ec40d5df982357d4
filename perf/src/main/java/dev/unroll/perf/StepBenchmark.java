package dev.unroll.perf;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Stream;
import dev.unroll.fallback.WeightFormat;
import java.lang.ref.Reference;
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

/** One step, batch 1, state carried. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 7, time = 1)
public class StepBenchmark {
  /** Which kernels. */
  @Param({"simd", "fallback"})
  public String kernels = "";

  /** Which cell. */
  @Param({"LSTM", "RNN_TANH", "GRU"})
  public CellKind cell = CellKind.LSTM;

  /** Inputs and hidden size. */
  @Param({"1x8", "1x16", "1x40", "8x16", "16x32", "40x64", "64x128", "128x256", "256x512"})
  public String size = "";

  /** Number of layers. */
  @Param("1")
  public int layers = 1;

  /** How weights are stored. */
  @Param("F32")
  public WeightFormat weights = WeightFormat.F32;

  /** Sizes of a network of the same cells whose kernels are compiled first, or none. */
  @Param("none")
  public String first = "";

  private Stream stream;
  private float[] x;
  private float[] y;

  /** Called by JMH. */
  @SuppressWarnings("NullAway.Init")
  public StepBenchmark() {}

  /**
   * Makes the stream.
   *
   * @throws InterruptedException if interrupted while the kernels are compiled
   */
  @Setup
  public void setUp() throws InterruptedException {
    if (!first.equals("none")) {
      Stream other = stream(Sizes.of(first));
      try {
        Backend.warmUp();
      } finally {
        Reference.reachabilityFence(other);
      }
    }
    int[] sizes = Sizes.of(size);
    stream = stream(sizes);
    x = new float[sizes[0]];
    y = new float[sizes[1]];
    Arrays.fill(x, 0.3f);
  }

  private Stream stream(int[] sizes) {
    NetworkSpec spec = NetworkSpec.recurrent(sizes[0], layers, LayerSpec.of(cell, sizes[1]));
    Network network = Network.create(spec, Initialization.PYTORCH, 1).quantize(weights);
    return new Stream(network, Backend.choose(kernels));
  }

  /**
   * One step.
   *
   * @return the output, so that it is not left out
   */
  @Benchmark
  public float[] step() {
    stream.step(x, y);
    return y;
  }
}
