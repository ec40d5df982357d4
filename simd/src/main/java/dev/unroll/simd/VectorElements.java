package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.SUM_BLOCK;
import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import dev.unroll.fallback.ElementKernels;
import dev.unroll.fallback.FloatMath;
import dev.unroll.fallback.Kernels;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** Vector twin of the element-wise kernels. */
final class VectorElements implements ElementKernels {

  /* Sixteen partial sums; per thread, so that reductions allocate nothing and may run in parallel. */
  static final ThreadLocal<float[]> PARTIAL =
      ThreadLocal.withInitial(() -> new float[Kernels.LANES]);

  @Override
  public void sigmoid(int n, float[] x, int xo, float[] y, int yo) {
    VectorMath.sigmoid(n, x, xo, y, yo);
  }

  @Override
  public void tanh(int n, float[] x, int xo, float[] y, int yo) {
    VectorMath.tanh(n, x, xo, y, yo);
  }

  @Override
  public void exp(int n, float[] x, int xo, float[] y, int yo) {
    VectorMath.exp(n, x, xo, y, yo);
  }

  /* In whole vectors, as h was stored, the loads need not wait until h has reached the cache. */
  @Override
  public void copy(int n, float[] x, int xo, float[] y, int yo) {
    if (n == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    int j = 0;
    for (; j + LENGTH <= n; j += LENGTH) {
      FloatVector.fromArray(SPECIES, x, xo + j).intoArray(y, yo + j);
    }
    if (j < n) {
      System.arraycopy(x, xo + j, y, yo + j, n - j);
    }
  }

  @Override
  public void axpy(int n, float a, float[] x, int xo, float[] y, int yo) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector.broadcast(SPECIES, a)
          .fma(FloatVector.fromArray(SPECIES, x, xo + j), FloatVector.fromArray(SPECIES, y, yo + j))
          .intoArray(y, yo + j);
    }
  }

  @Override
  public void add(int n, float[] a, int ao, float[] b, int bo, float[] y, int yo) {
    if (n == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector.fromArray(SPECIES, a, ao + j)
          .add(FloatVector.fromArray(SPECIES, b, bo + j))
          .intoArray(y, yo + j);
    }
  }

  @Override
  public void multiply(int n, float[] a, int ao, float[] b, int bo, float[] y, int yo) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector.fromArray(SPECIES, a, ao + j)
          .mul(FloatVector.fromArray(SPECIES, b, bo + j))
          .intoArray(y, yo + j);
    }
  }

  @Override
  public void multiplyAccumulate(int n, float[] a, int ao, float[] b, int bo, float[] y, int yo) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector.fromArray(SPECIES, a, ao + j)
          .fma(FloatVector.fromArray(SPECIES, b, bo + j), FloatVector.fromArray(SPECIES, y, yo + j))
          .intoArray(y, yo + j);
    }
  }

  @Override
  public void scaleInPlace(int n, float a, float[] x, int xo) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector.fromArray(SPECIES, x, xo + j)
          .mul(FloatVector.broadcast(SPECIES, a))
          .intoArray(x, xo + j);
    }
  }

  @Override
  public void sumRowsAccumulate(int n, int columns, float[] m, int mo, int ms, float[] s, int so) {
    int j = 0;
    for (; j + 4 * LENGTH <= columns; j += 4 * LENGTH) {
      sumFour(n, m, mo + j, ms, s, so + j);
    }
    for (; j < columns; j += LENGTH) {
      sumOne(n, m, mo + j, ms, s, so + j);
    }
  }

  /* Four vectors of columns in one walk over the rows, which are far apart in memory. */
  private static void sumFour(int n, float[] m, int mo, int ms, float[] s, int so) {
    FloatVector a0 = FloatVector.fromArray(SPECIES, s, so);
    FloatVector a1 = FloatVector.fromArray(SPECIES, s, so + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, s, so + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, s, so + 3 * LENGTH);
    for (int i = 0; i < n; i++) {
      int at = mo + i * ms;
      a0 = a0.add(FloatVector.fromArray(SPECIES, m, at));
      a1 = a1.add(FloatVector.fromArray(SPECIES, m, at + LENGTH));
      a2 = a2.add(FloatVector.fromArray(SPECIES, m, at + 2 * LENGTH));
      a3 = a3.add(FloatVector.fromArray(SPECIES, m, at + 3 * LENGTH));
    }
    a0.intoArray(s, so);
    a1.intoArray(s, so + LENGTH);
    a2.intoArray(s, so + 2 * LENGTH);
    a3.intoArray(s, so + 3 * LENGTH);
  }

  private static void sumOne(int n, float[] m, int mo, int ms, float[] s, int so) {
    FloatVector sum = FloatVector.fromArray(SPECIES, s, so);
    for (int i = 0; i < n; i++) {
      sum = sum.add(FloatVector.fromArray(SPECIES, m, mo + i * ms));
    }
    sum.intoArray(s, so);
  }

  @Override
  public double sumOfSquares(int n, float[] x, int xo) {
    double sum = 0;
    for (int block = 0; block < n; block += SUM_BLOCK) {
      sum += blockSumOfSquares(Math.min(SUM_BLOCK, n - block), x, xo + block);
    }
    return sum;
  }

  private static float blockSumOfSquares(int n, float[] x, int xo) {
    float[] lanes = PARTIAL.get();
    Arrays.fill(lanes, 0f);
    for (int l = 0; l < Kernels.LANES; l += LENGTH) {
      addSquares(n, x, xo + l, lanes, l);
    }
    return FloatMath.reduce(lanes);
  }

  private static void addSquares(int n, float[] x, int xo, float[] lanes, int l) {
    FloatVector sum = FloatVector.fromArray(SPECIES, lanes, l);
    for (int j = 0; j < n; j += Kernels.LANES) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, xo + j);
      sum = v.fma(v, sum);
    }
    sum.intoArray(lanes, l);
  }
}
