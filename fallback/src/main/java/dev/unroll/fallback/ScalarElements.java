package dev.unroll.fallback;

import static dev.unroll.fallback.FloatMath.SUM_BLOCK;
import static dev.unroll.fallback.ScalarMath.fma;

/** Scalar twin of the element-wise kernels. */
final class ScalarElements implements ElementKernels {

  @Override
  public void sigmoid(int n, float[] x, int xo, float[] y, int yo) {
    for (int j = 0; j < n; j++) {
      y[yo + j] = ScalarMath.sigmoid(x[xo + j]);
    }
  }

  @Override
  public void tanh(int n, float[] x, int xo, float[] y, int yo) {
    for (int j = 0; j < n; j++) {
      y[yo + j] = ScalarMath.tanh(x[xo + j]);
    }
  }

  @Override
  public void exp(int n, float[] x, int xo, float[] y, int yo) {
    for (int j = 0; j < n; j++) {
      y[yo + j] = ScalarMath.exp(x[xo + j]);
    }
  }

  @Override
  public void copy(int n, float[] x, int xo, float[] y, int yo) {
    System.arraycopy(x, xo, y, yo, n);
  }

  @Override
  public void axpy(int n, float a, float[] x, int xo, float[] y, int yo) {
    for (int j = 0; j < n; j++) {
      y[yo + j] = fma(a, x[xo + j], y[yo + j]);
    }
  }

  @Override
  public void add(int n, float[] a, int ao, float[] b, int bo, float[] y, int yo) {
    for (int j = 0; j < n; j++) {
      y[yo + j] = a[ao + j] + b[bo + j];
    }
  }

  @Override
  public void multiply(int n, float[] a, int ao, float[] b, int bo, float[] y, int yo) {
    for (int j = 0; j < n; j++) {
      y[yo + j] = a[ao + j] * b[bo + j];
    }
  }

  @Override
  public void multiplyAccumulate(int n, float[] a, int ao, float[] b, int bo, float[] y, int yo) {
    for (int j = 0; j < n; j++) {
      y[yo + j] = fma(a[ao + j], b[bo + j], y[yo + j]);
    }
  }

  @Override
  public void scaleInPlace(int n, float a, float[] x, int xo) {
    for (int j = 0; j < n; j++) {
      x[xo + j] = a * x[xo + j];
    }
  }

  @Override
  public void sumRowsAccumulate(int n, int columns, float[] m, int mo, int ms, float[] s, int so) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < columns; j++) {
        s[so + j] += m[mo + i * ms + j];
      }
    }
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
    float[] lanes = Scratch.zeros(Kernels.LANES);
    for (int j = 0; j < n; j += Kernels.LANES) {
      for (int l = 0; l < Kernels.LANES; l++) {
        float v = x[xo + j + l];
        lanes[l] = fma(v, v, lanes[l]);
      }
    }
    return FloatMath.reduce(lanes);
  }
}
