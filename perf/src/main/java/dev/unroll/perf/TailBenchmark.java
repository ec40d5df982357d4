package dev.unroll.perf;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Stream;
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
import org.openjdk.jmh.infra.Blackhole;

/**
 * How long the slowest steps take, beside a loop that does nothing else for about as long: what
 * both have in their tails is the machine's own noise. The state starts at 1 or at a denormal
 * number.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
public class TailBenchmark {
  private static final int INPUTS = 40;
  private static final int HIDDEN = 64;
  private static final int NOTHING = 300;

  /** What every element of the state starts at. */
  @Param({"1", "1e-40"})
  public float start = 1f;

  private Stream stream;
  private float[] x;
  private float[] y;
  private float[] h;
  private float[] c;

  /** Called by JMH. */
  @SuppressWarnings("NullAway.Init")
  public TailBenchmark() {}

  /** Makes a cell without biases, whose state decays when its input is zero. */
  @Setup
  public void setUp() {
    NetworkSpec spec =
        NetworkSpec.recurrent(INPUTS, 1, new LayerSpec(CellKind.LSTM, HIDDEN, 0, false));
    Network network = Network.create(spec, Initialization.PYTORCH, 1);
    stream = new Stream(network, Backend.preferred());
    x = new float[INPUTS];
    y = new float[HIDDEN];
    h = new float[HIDDEN];
    c = new float[HIDDEN];
    Arrays.fill(h, start);
    Arrays.fill(c, start);
  }

  /**
   * One step from the given state.
   *
   * @return the output
   */
  @Benchmark
  public float[] step() {
    stream.restoreState(h, c);
    stream.step(x, y);
    return y;
  }

  /** Nothing, for about as long. */
  @Benchmark
  public void noise() {
    Blackhole.consumeCPU(NOTHING);
  }
}
