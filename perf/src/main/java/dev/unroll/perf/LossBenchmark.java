package dev.unroll.perf;

import dev.unroll.engine.Backend;
import dev.unroll.fallback.Kernels;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** A row of a loss with its gradient, of 64 rows at a time as in training. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
public class LossBenchmark {
  private static final int ROWS = 64;

  /** Which kernels. */
  @Param({"simd", "fallback"})
  public String kernels = "";

  /** Number of classes. */
  @Param({"10", "16", "65", "1000"})
  public int classes;

  private Kernels k;
  private int stride;
  private float[] logits;
  private float[] y;
  private int[] target;

  /** Called by JMH. */
  @SuppressWarnings("NullAway.Init")
  public LossBenchmark() {}

  /** Chooses the kernels and fills the arrays. */
  @Setup
  public void setUp() {
    k = Backend.choose(kernels).kernels();
    stride = Kernels.pad(classes);
    logits = new float[ROWS * stride];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (i % 19 - 9) / 9f;
    }
    y = new float[logits.length];
    target = new int[ROWS];
    Arrays.setAll(target, i -> i % classes);
  }

  /**
   * Softmax cross-entropy, with the copy of the logits.
   *
   * @return the loss
   */
  @Benchmark
  @OperationsPerInvocation(ROWS)
  public double softmaxCrossEntropy() {
    System.arraycopy(logits, 0, y, 0, y.length);
    return k.loss().softmaxCrossEntropy(ROWS, classes, y, 0, stride, target, 0, 1f / ROWS);
  }
}
