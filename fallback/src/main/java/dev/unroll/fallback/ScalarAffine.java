package dev.unroll.fallback;

import static dev.unroll.fallback.ScalarMath.fma;

/**
 * Scalar twin of the affine kernels, in loops over rows that C2 vectorises by itself without
 * changing any sum's order. It does so only where it sees that stores and loads cannot overlap:
 * each array is indexed by the row alone. So a column of weights is an array of its own, and sums
 * that do not begin with their array are added up elsewhere.
 */
final class ScalarAffine implements AffineKernels {
  /* Rows and columns that are packed together, so that a line of the cache is read once. */
  private static final int TILE = 16;

  /** Weights [columns][rows], and the bias. */
  private static final class ByColumn extends PackedMatrix {
    final float[][] weights;
    final float[] bias;

    ByColumn(int rows, int columns) {
      super(rows, columns);
      weights = new float[columns][rows];
      bias = new float[rows];
    }

    @Override
    public long bytes() {
      return (long) Float.BYTES * rows() * (columns() + 1);
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
    float[][] w = ((ByColumn) to).weights;
    for (int i = 0; i < rows; i += TILE) {
      for (int j = 0; j < columns; j += TILE) {
        int height = Math.min(TILE, rows - i);
        int width = Math.min(TILE, columns - j);
        packTile(w, row + i, column + j, height, width, from, offset + i * stride + j, stride);
      }
    }
  }

  private static void packTile(
      float[][] w, int row, int column, int rows, int columns, float[] from, int at, int stride) {
    for (int j = 0; j < columns; j++) {
      float[] wj = w[column + j];
      for (int i = 0; i < rows; i++) {
        wj[row + i] = from[at + i * stride + j];
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
    float[][] w = ((ByColumn) to).weights;
    for (int j = 0; j < columns; j++) {
      System.arraycopy(from, offset + j * stride, w[column + j], row, rows);
    }
  }

  @Override
  public void packBias(PackedMatrix to, int row, int rows, float[] from, int offset) {
    System.arraycopy(from, offset, ((ByColumn) to).bias, row, rows);
  }

  @Override
  public void affine(PackedMatrix w, float[] x, int xo, float[] z, int zo) {
    ByColumn m = (ByColumn) w;
    product(m, m.bias, 0, x, xo, z, zo);
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
    for (int i = 0; i < n; i++) {
      int zi = zo + i * zs;
      product((ByColumn) w, z, zi, x, xo + i * xs, z, zi);
    }
  }

  /* z = b + W x; b may be z. */
  private static void product(ByColumn m, float[] b, int bo, float[] x, int xo, float[] z, int zo) {
    int rows = m.rows();
    float[] sums = zo == 0 ? z : Scratch.sums(rows);
    if (sums != b) {
      System.arraycopy(b, bo, sums, 0, rows);
    }
    float[][] w = m.weights;
    int k = 0;
    for (; k + 4 <= w.length; k += 4) {
      int xk = xo + k;
      four(rows, w[k], w[k + 1], w[k + 2], w[k + 3], x[xk], x[xk + 1], x[xk + 2], x[xk + 3], sums);
    }
    for (; k < w.length; k++) {
      one(rows, w[k], x[xo + k], sums);
    }
    if (sums != z) {
      System.arraycopy(sums, 0, z, zo, rows);
    }
  }

  /* sums += x0 a0 + x1 a1 + x2 a2 + x3 a3; four at once save three of four loads of the sums. */
  private static void four(
      int n,
      float[] a0,
      float[] a1,
      float[] a2,
      float[] a3,
      float x0,
      float x1,
      float x2,
      float x3,
      float[] sums) {
    for (int r = 0; r < n; r++) {
      float sum = fma(a0[r], x0, sums[r]);
      sum = fma(a1[r], x1, sum);
      sum = fma(a2[r], x2, sum);
      sums[r] = fma(a3[r], x3, sum);
    }
  }

  private static void one(int n, float[] a, float x, float[] sums) {
    for (int r = 0; r < n; r++) {
      sums[r] = fma(a[r], x, sums[r]);
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
    for (int first = 0; first < n; first += Scratch.ROWS) {
      int terms = Math.min(Scratch.ROWS, n - first);
      for (int r = 0; r < rows; r += Scratch.WIDTH) {
        int height = Math.min(Scratch.WIDTH, rows - r);
        int z = dzo + first * dzs + r;
        outerBlock(
            terms, dz, z, dzs, height, x, xo + first * xs, xs, columns, dw, dwo + r * dws, dws);
      }
    }
  }

  /* A column of dW after the other, since columns may be few. */
  private static void outerBlock(
      int terms,
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
    float[][] block = Scratch.rows();
    for (int i = 0; i < terms; i++) {
      System.arraycopy(dz, dzo + i * dzs, block[i], 0, rows);
    }
    float[] sums = Scratch.sums(rows);
    for (int k = 0; k < columns; k++) {
      int w = dwo + k;
      for (int r = 0; r < rows; r++) {
        sums[r] = dw[w + r * dws];
      }
      outerColumn(terms, rows, block, x, xo + k, xs, sums);
      for (int r = 0; r < rows; r++) {
        dw[w + r * dws] = sums[r];
      }
    }
  }

  /* Terms in ascending order. */
  private static void outerColumn(
      int terms, int rows, float[][] dz, float[] x, int xo, int xs, float[] sums) {
    int i = 0;
    for (; i + 4 <= terms; i += 4) {
      int k = xo + i * xs;
      float x0 = x[k];
      float x1 = x[k + xs];
      float x2 = x[k + 2 * xs];
      float x3 = x[k + 3 * xs];
      four(rows, dz[i], dz[i + 1], dz[i + 2], dz[i + 3], x0, x1, x2, x3, sums);
    }
    for (; i < terms; i++) {
      one(rows, dz[i], x[xo + i * xs], sums);
    }
  }
}
