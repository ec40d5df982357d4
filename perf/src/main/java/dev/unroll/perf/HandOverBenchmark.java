package dev.unroll.perf;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Stream;
import dev.unroll.engine.StreamBatch;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
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
 * One caller from the first step of a fresh virtual machine on, in windows of 100 steps: how many
 * of them are slow while kernels are compiled beside it. Each fork is one start; {@code fallback}
 * shows what of it is the machine's and the scalar kernels' own.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(value = 15, jvmArgs = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 0)
@Measurement(iterations = 1)
public class HandOverBenchmark {
  private static final int STEPS = 100;
  private static final int WINDOWS = 6_000;

  /* The windows counted begin here; the median of those up to SETTLED is a scalar step. */
  private static final int FIRST = 10;
  private static final int SETTLED = 200;

  /* Windows as fast as the last ones, one after the other, after which it is settled. */
  private static final int FAST = 5;

  /** Which kernels. */
  @Param({"auto", "fallback"})
  public String kernels = "";

  /** Inputs and hidden size of an LSTM. */
  @Param("40x64")
  public String size = "";

  /** Streams: one alone, or a batch of them. */
  @Param("1")
  public int streams = 1;

  /** Called by JMH. */
  public HandOverBenchmark() {}

  /** What one start showed. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.EVENTS)
  public static class Start {
    /** Milliseconds of the first step, the stream's making and the choice of kernels included. */
    public double firstStepMillis;

    /** Microseconds of a step between the 1,000th and the 20,000th, a median. */
    public double earlyMicros;

    /** Microseconds of a step in the end, a median. */
    public double lateMicros;

    /** Milliseconds from the first step until windows are within a fifth of the late median. */
    public double settledMillis;

    /** Windows from the 1,000th step on over 1.2 times the early median. */
    public int slowWindows;

    /** Windows over three times. */
    public int verySlowWindows;

    /** Microseconds a step of the slowest window. */
    public double slowestMicros;

    /** What the slow windows took longer than the early median. */
    public double lostMillis;

    /** Called by JMH. */
    public Start() {}
  }

  /**
   * All windows.
   *
   * @param start what they showed. Modified.
   */
  @Benchmark
  public void steps(Start start) {
    int[] sizes = Sizes.of(size);
    NetworkSpec spec = NetworkSpec.recurrent(sizes[0], 1, LayerSpec.of(CellKind.LSTM, sizes[1]));
    Network network = Network.create(spec, Initialization.PYTORCH, 1);
    float[] x = new float[streams * sizes[0]];
    float[] y = new float[streams * sizes[1]];
    long[] ends = new long[WINDOWS + 1];
    long begin = System.nanoTime();
    Runnable step = step(network, x, y);
    step.run();
    ends[0] = System.nanoTime();
    for (int w = 1; w <= WINDOWS; w++) {
      for (int i = 0; i < STEPS; i++) {
        step.run();
      }
      ends[w] = System.nanoTime();
    }
    start.firstStepMillis = (ends[0] - begin) / 1e6;
    evaluate(ends, start);
  }

  private Runnable step(Network network, float[] x, float[] y) {
    Backend backend = Backend.choose(kernels);
    if (streams == 1) {
      Stream stream = new Stream(network, backend);
      return () -> stream.step(x, y);
    }
    StreamBatch batch = new StreamBatch(network, backend, streams);
    return () -> batch.step(x, y);
  }

  private static void evaluate(long[] ends, Start start) {
    double[] micros = new double[WINDOWS];
    Arrays.setAll(micros, w -> (ends[w + 1] - ends[w]) / 1e3 / STEPS);
    double early = median(micros, FIRST, SETTLED);
    double late = median(micros, WINDOWS - SETTLED, WINDOWS);
    start.earlyMicros = early;
    start.lateMicros = late;
    int fast = 0;
    for (int w = FIRST; w < WINDOWS; w++) {
      fast = micros[w] < 1.2 * late ? fast + 1 : 0;
      if (fast == FAST && start.settledMillis == 0) {
        start.settledMillis = (ends[w + 1 - FAST] - ends[0]) / 1e6;
      }
      if (micros[w] > 1.2 * early) {
        start.slowWindows++;
        start.lostMillis += (micros[w] - early) * STEPS / 1e3;
      }
      start.verySlowWindows += micros[w] > 3 * early ? 1 : 0;
      start.slowestMicros = Math.max(start.slowestMicros, micros[w]);
    }
  }

  private static double median(double[] values, int from, int to) {
    double[] sorted = Arrays.copyOfRange(values, from, to);
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
