package dev.unroll.simd;

import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;

/** Vector twin of the affine kernels, over {@link Panels}. */
final class VectorAffine implements AffineKernels {
  /* Whether matrices are of a network with a large one, or of one in its place. */
  private final boolean large;

  VectorAffine(boolean large) {
    this.large = large;
  }

  @Override
  public PackedMatrix allocate(int rows, int columns, PackedMatrix.Use use) {
    return new Panels(rows, columns, use, large);
  }

  @Override
  public AffineKernels withLargest(int rows, int columns) {
    return new VectorAffine(CopiedInputs.pay(rows, columns));
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
    ((Panels) to).pack(row, column, rows, columns, from, offset, stride);
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
    ((Panels) to).packTransposed(row, column, rows, columns, from, offset, stride);
  }

  @Override
  public void packBias(PackedMatrix to, int row, int rows, float[] from, int offset) {
    System.arraycopy(from, offset, ((Panels) to).bias, row, rows);
  }

  @Override
  public void affine(PackedMatrix w, float[] x, int xo, float[] z, int zo) {
    Panels m = (Panels) w;
    VectorGemv.affine(m, x, xo, m.bias, 0, z, zo);
  }

  @Override
  public void affineBatch(
      PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    Panels m = (Panels) w;
    if (n == 1 || !m.batch) {
      for (int i = 0; i < n; i++) {
        VectorGemv.affine(m, x, xo + i * xs, m.bias, 0, z, zo + i * zs);
      }
      return;
    }
    for (int i = 0; i < n; i++) {
      System.arraycopy(m.bias, 0, z, zo + i * zs, m.rows());
    }
    VectorGemm.accumulate(m, n, x, xo, xs, z, zo, zs);
  }

  @Override
  public void affineBatchAccumulate(
      PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    Panels m = (Panels) w;
    if (!m.batch) {
      for (int i = 0; i < n; i++) {
        VectorGemv.affine(m, x, xo + i * xs, z, zo + i * zs, z, zo + i * zs);
      }
      return;
    }
    VectorGemm.accumulate(m, n, x, xo, xs, z, zo, zs);
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
    int padded = Kernels.pad(columns);
    boolean twelves = large || CopiedInputs.pay(rows, padded);
    VectorOuter.accumulate(n, dz, dzo, dzs, rows, x, xo, xs, padded, twelves, dw, dwo, dws);
  }
}
