package dev.unroll.perf;

import dev.unroll.engine.Backend;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
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

/** Single kernels: activations over 1,024 floats, GEMV and packing 512 x 192. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgs = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
public class KernelBenchmark {
  private static final int FLOATS = 1024;
  private static final int ROWS = 512;
  private static final int COLUMNS = 192;

  /** Which kernels. */
  @Param({"simd", "fallback"})
  public String kernels = "";

  private Kernels k;
  private float[] x;
  private float[] y;
  private float[] weights;
  private PackedMatrix step;
  private PackedMatrix batch;

  /** Called by JMH. */
  @SuppressWarnings("NullAway.Init")
  public KernelBenchmark() {}

  /** Makes the operands. */
  @Setup
  public void setUp() {
    k = Backend.choose(kernels).kernels();
    x = new float[FLOATS];
    y = new float[FLOATS];
    for (int i = 0; i < FLOATS; i++) {
      x[i] = (i % 41 - 20) / 5f;
    }
    step = k.affine().allocate(ROWS, COLUMNS, PackedMatrix.Use.STEP);
    batch = k.affine().allocate(ROWS, COLUMNS, PackedMatrix.Use.BATCH);
    weights = new float[ROWS * COLUMNS];
    Arrays.fill(weights, 0.01f);
    k.affine().pack(step, 0, 0, ROWS, COLUMNS, weights, 0, COLUMNS);
  }

  /** Logistic function. */
  @Benchmark
  public void sigmoid() {
    k.elements().sigmoid(FLOATS, x, 0, y, 0);
  }

  /** Hyperbolic tangent. */
  @Benchmark
  public void tanh() {
    k.elements().tanh(FLOATS, x, 0, y, 0);
  }

  /** One column: 2 x 512 x 192 flops. */
  @Benchmark
  public void gemv() {
    k.affine().affine(step, x, 0, y, 0);
  }

  /** Weights packed again, as in every training step. */
  @Benchmark
  public void pack() {
    k.affine().pack(batch, 0, 0, ROWS, COLUMNS, weights, 0, COLUMNS);
  }

  /** The same, transposed. */
  @Benchmark
  public void packTransposed() {
    k.affine().packTransposed(batch, 0, 0, ROWS, COLUMNS, weights, 0, ROWS);
  }
}
