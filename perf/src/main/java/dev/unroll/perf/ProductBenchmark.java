package dev.unroll.perf;

import dev.unroll.engine.Backend;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.simd.WidthLoader;
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
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Products of training and of whole sequences; {@code flops} per nanosecond are GFLOP/s. {@link
 * LimitBenchmark} in the same run gives what the machine could do.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
public class ProductBenchmark {
  /** Which kernels; a number takes the vector kernels with lanes of so many bits. */
  @Param({"simd", "256", "128", "fallback"})
  public String kernels = "";

  /** Rows x columns of the weights x inputs. */
  @Param({"512x512x512", "2048x1024x128", "1024x256x32"})
  public String size = "";

  private Kernels k;
  private int rows;
  private int columns;
  private int inputs;
  private PackedMatrix w;
  private float[] x;
  private float[] z;
  private float[] dw;

  /** Called by JMH. */
  @SuppressWarnings("NullAway.Init")
  public ProductBenchmark() {}

  /** What was done. */
  @State(Scope.Thread)
  @AuxCounters(AuxCounters.Type.OPERATIONS)
  public static class Work {
    /** Multiplications and additions. */
    public long flops;

    /** Called by JMH. */
    public Work() {}
  }

  /** Makes the operands. */
  @Setup
  public void setUp() {
    boolean width = Character.isDigit(kernels.charAt(0));
    k = width ? WidthLoader.kernels(Integer.parseInt(kernels)) : Backend.choose(kernels).kernels();
    int[] sizes = Sizes.of(size);
    rows = sizes[0];
    columns = sizes[1];
    inputs = sizes[2];
    float[] weights = new float[rows * columns];
    Arrays.fill(weights, 0.01f);
    w = k.affine().allocate(rows, columns, PackedMatrix.Use.BATCH);
    k.affine().pack(w, 0, 0, rows, columns, weights, 0, columns);
    x = new float[inputs * columns];
    Arrays.fill(x, 0.01f);
    z = new float[inputs * rows];
    dw = new float[rows * columns];
  }

  /** Z += X Wᵀ. */
  @Benchmark
  public void gemm(Work work) {
    k.affine().affineBatchAccumulate(w, inputs, x, 0, columns, z, 0, rows);
    work.flops += 2L * rows * columns * inputs;
  }

  /** dW += dZᵀ X. */
  @Benchmark
  public void outer(Work work) {
    k.affine().outerAccumulate(inputs, z, 0, rows, rows, x, 0, columns, columns, dw, 0, columns);
    work.flops += 2L * rows * columns * inputs;
  }
}
