package dev.unroll.fallback;

import static dev.unroll.fallback.ScalarMath.fma;

/**
 * Scalar twin of the affine kernels. Weights are stored by column, so the inner loops run over rows
 * with independent accumulators, a form that C2 vectorises by itself without changing any sum's
 * order.
 */
final class ScalarAffine implements AffineKernels {

  /** Weights [columns][rows], then the bias. */
  private static final class ByColumn extends PackedMatrix {
    final float[] weights;
    final float[] bias;

    ByColumn(int rows, int columns) {
      super(rows, columns);
      weights = new float[Math.multiplyExact(rows, columns)];
      bias = new float[rows];
    }

    @Override
    public long bytes() {
      return (long) Float.BYTES * (weights.length + bias.length);
    }
  }

  @Override
  public PackedMatrix allocate(int rows, int columns, PackedMatrix.Use use) {
    return new ByColumn(rows, columns);
  }

  @Override
  public void pack(
      PackedMatrix to,
      int row,
      int column,
      int rows,
      int columns,
      float[] from,
      int offset,
      int stride) {
    float[] w = ((ByColumn) to).weights;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        w[(column + j) * to.rows() + row + i] = from[offset + i * stride + j];
      }
    }
  }

  @Override
  public void packTransposed(
      PackedMatrix to,
      int row,
      int column,
      int rows,
      int columns,
      float[] from,
      int offset,
      int stride) {
    float[] w = ((ByColumn) to).weights;
    for (int j = 0; j < columns; j++) {
      System.arraycopy(from, offset + j * stride, w, (column + j) * to.rows() + row, rows);
    }
  }

  @Override
  public void packBias(PackedMatrix to, int row, int rows, float[] from, int offset) {
    System.arraycopy(from, offset, ((ByColumn) to).bias, row, rows);
  }

  @Override
  public void affine(PackedMatrix w, float[] x, int xo, float[] z, int zo) {
    ByColumn m = (ByColumn) w;
    System.arraycopy(m.bias, 0, z, zo, m.rows());
    accumulate(m.weights, m.rows(), m.columns(), x, xo, z, zo);
  }

  @Override
  public void affineBatch(
      PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    for (int i = 0; i < n; i++) {
      affine(w, x, xo + i * xs, z, zo + i * zs);
    }
  }

  @Override
  public void affineBatchAccumulate(
      PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    ByColumn m = (ByColumn) w;
    for (int i = 0; i < n; i++) {
      accumulate(m.weights, m.rows(), m.columns(), x, xo + i * xs, z, zo + i * zs);
    }
  }

  /* z[r] += sum over k of w[k][r] x[k]; four columns a pass save three of four loads of z. */
  private static void accumulate(
      float[] w, int rows, int columns, float[] x, int xo, float[] z, int zo) {
    int k = 0;
    for (; k + 4 <= columns; k += 4) {
      fourColumns(w, k * rows, rows, x, xo + k, z, zo);
    }
    for (; k < columns; k++) {
      float xk = x[xo + k];
      for (int r = 0; r < rows; r++) {
        z[zo + r] = fma(w[k * rows + r], xk, z[zo + r]);
      }
    }
  }

  private static void fourColumns(
      float[] w, int w0, int rows, float[] x, int xo, float[] z, int zo) {
    float x0 = x[xo];
    float x1 = x[xo + 1];
    float x2 = x[xo + 2];
    float x3 = x[xo + 3];
    int w1 = w0 + rows;
    int w2 = w1 + rows;
    int w3 = w2 + rows;
    for (int r = 0; r < rows; r++) {
      float sum = fma(w[w0 + r], x0, z[zo + r]);
      sum = fma(w[w1 + r], x1, sum);
      sum = fma(w[w2 + r], x2, sum);
      z[zo + r] = fma(w[w3 + r], x3, sum);
    }
  }

  @Override
  public void outerAccumulate(
      int n,
      float[] dz,
      int dzo,
      int dzs,
      int rows,
      float[] x,
      int xo,
      int xs,
      int columns,
      float[] dw,
      int dwo,
      int dws) {
    for (int r = 0; r < rows; r++) {
      int i = 0;
      for (; i + 4 <= n; i += 4) {
        fourOuter(dz, dzo + i * dzs + r, dzs, x, xo + i * xs, xs, columns, dw, dwo + r * dws);
      }
      for (; i < n; i++) {
        float d = dz[dzo + i * dzs + r];
        for (int k = 0; k < columns; k++) {
          dw[dwo + r * dws + k] = fma(d, x[xo + i * xs + k], dw[dwo + r * dws + k]);
        }
      }
    }
  }

  private static void fourOuter(
      float[] dz, int dzo, int dzs, float[] x, int x0, int xs, int columns, float[] dw, int dwo) {
    float d0 = dz[dzo];
    float d1 = dz[dzo + dzs];
    float d2 = dz[dzo + 2 * dzs];
    float d3 = dz[dzo + 3 * dzs];
    int x1 = x0 + xs;
    int x2 = x1 + xs;
    int x3 = x2 + xs;
    for (int k = 0; k < columns; k++) {
      float sum = fma(d0, x[x0 + k], dw[dwo + k]);
      sum = fma(d1, x[x1 + k], sum);
      sum = fma(d2, x[x2 + k], sum);
      dw[dwo + k] = fma(d3, x[x3 + k], sum);
    }
  }
}
