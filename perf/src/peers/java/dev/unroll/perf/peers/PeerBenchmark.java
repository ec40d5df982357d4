package dev.unroll.perf.peers;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Stream;
import dev.unroll.engine.Unrolled;
import dev.unroll.perf.Sizes;
import java.util.concurrent.TimeUnit;
import java.util.function.IntToDoubleFunction;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One LSTM layer here and in a peer, one thread each; the results are compared before anything is
 * measured. T x B x inputs x hidden; with T = B = 1 it is a step with the state carried.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgs = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 7, time = 1)
public abstract class PeerBenchmark {
  private static final float TOLERANCE = 1e-4f;

  /** Steps, sequences, inputs, hidden size. */
  @Param({"1x1x16x32", "1x1x40x64", "1x1x128x256", "32x1x64x128", "64x32x128x256"})
  public String size = "";

  /** Steps. */
  protected int time;

  /** Sequences. */
  protected int batch;

  /** Inputs. */
  protected int inputs;

  /** Hidden size. */
  protected int hidden;

  /** Whether the state is carried from call to call. */
  protected boolean step;

  /** Inputs [T, B, inputs]. */
  protected float[] x;

  /** The layer. */
  protected Network network;

  private float[] y;
  private Stream stream;
  private Unrolled unrolled;

  /** Called by JMH. */
  @SuppressWarnings("NullAway.Init")
  protected PeerBenchmark() {}

  /**
   * Makes the network and its inputs.
   *
   * @throws InterruptedException if interrupted while the kernels are compiled
   */
  protected void prepare() throws InterruptedException {
    int[] sizes = Sizes.of(size);
    time = sizes[0];
    batch = sizes[1];
    inputs = sizes[2];
    hidden = sizes[3];
    step = time * batch == 1;
    NetworkSpec spec = NetworkSpec.recurrent(inputs, 1, LayerSpec.of(CellKind.LSTM, hidden));
    network = Network.create(spec, Initialization.PYTORCH, 1);
    stream = new Stream(network);
    unrolled = new Unrolled(network, Backend.preferred(), batch, time, false);
    x = new float[time * batch * inputs];
    for (int i = 0; i < x.length; i++) {
      x[i] = (i % 19 - 9) / 9f;
    }
    y = new float[time * batch * hidden];
    Backend.warmUp();
  }

  /**
   * Compares the results of the last calls.
   *
   * @param peer the peer's output [T, B, hidden] by index
   */
  protected void compare(IntToDoubleFunction peer) {
    if (!step) {
      unrolled.output(y);
    }
    for (int i = 0; i < y.length; i++) {
      double other = peer.applyAsDouble(i);
      if (!(Math.abs(y[i] - other) <= TOLERANCE)) {
        throw new IllegalStateException(
            "output " + i + ": " + y[i] + " here, " + other + " in the peer");
      }
    }
  }

  /** A step of a stream, or a batch of sequences, by Unroll. */
  @Benchmark
  public void unroll() {
    if (step) {
      stream.step(x, y);
    } else {
      unrolled.forward(time, x);
    }
  }
}
