package dev.unroll.fallback;

/**
 * Matrix products over weights of 16 or 8 bits, for inference. The order of additions is that of
 * {@link AffineKernels}; where rows have a scale, a matrix adds up from zero, and the sum times the
 * scale is added to the bias or to the value already there.
 *
 * <p>They save memory traffic, which bounds a single step. A batch is bound by arithmetic: 16-bit
 * weights are widened once when packed for a batch, 8-bit ones take one input after the other.
 */
public abstract class ReducedAffine implements AffineKernels {
  private final WeightFormat format;
  private final AffineKernels wide;

  /**
   * Kernels of one format.
   *
   * @param format 16 or 8 bits
   * @param wide the same implementation's kernels for 32-bit weights
   */
  protected ReducedAffine(WeightFormat format, AffineKernels wide) {
    this.format = format;
    this.wide = wide;
  }

  /**
   * Makes a matrix of zeros.
   *
   * @param rows output rows
   * @param columns input columns
   * @return the matrix
   */
  protected abstract ReducedMatrix allocate(int rows, int columns);

  /**
   * One input: z = b + W x, where b may be z.
   *
   * @param w weights. Not modified.
   * @param x input [columns]. Not modified.
   * @param xo index of the first input
   * @param b summand [rows]. Not modified unless it is z.
   * @param bo index of its first element
   * @param z output [rows]. Modified.
   * @param zo index of the first output
   */
  protected abstract void multiply(
      ReducedMatrix w, float[] x, int xo, float[] b, int bo, float[] z, int zo);

  private boolean isWidened(PackedMatrix.Use use) {
    return format == WeightFormat.BF16 && use == PackedMatrix.Use.BATCH;
  }

  @Override
  public final PackedMatrix allocate(int rows, int columns, PackedMatrix.Use use) {
    return isWidened(use) ? wide.allocate(rows, columns, use) : allocate(rows, columns);
  }

  @Override
  public final long bytes(int rows, int columns, PackedMatrix.Use use) {
    return isWidened(use)
        ? wide.bytes(rows, columns, use)
        : ReducedMatrix.bytes(format, rows, columns);
  }

  @Override
  public final void pack(
      PackedMatrix to,
      int row,
      int column,
      int rows,
      int columns,
      float[] from,
      int offset,
      int stride) {
    if (column != 0 || columns != to.columns()) {
      throw ReducedErrors.packedWhole();
    }
    if (to instanceof ReducedMatrix m) {
      for (int i = 0; i < rows; i++) {
        m.packRow(row + i, from, offset + i * stride);
      }
      return;
    }
    float[] rounded = new float[rows * columns];
    for (int i = 0; i < rows; i++) {
      for (int k = 0; k < columns; k += 2) {
        int word = ReducedMatrix.pair(from, offset + i * stride, k, columns);
        rounded[i * columns + k] = ReducedMatrix.even(word);
        if (k + 1 < columns) {
          rounded[i * columns + k + 1] = ReducedMatrix.odd(word);
        }
      }
    }
    wide.pack(to, row, 0, rows, columns, rounded, 0, columns);
  }

  @Override
  public final void packBias(PackedMatrix to, int row, int rows, float[] from, int offset) {
    if (to instanceof ReducedMatrix m) {
      System.arraycopy(from, offset, m.bias, row, rows);
    } else {
      wide.packBias(to, row, rows, from, offset);
    }
  }

  @Override
  public final void affine(PackedMatrix w, float[] x, int xo, float[] z, int zo) {
    if (w instanceof ReducedMatrix m) {
      multiply(m, x, xo, m.bias, 0, z, zo);
    } else {
      wide.affine(w, x, xo, z, zo);
    }
  }

  @Override
  public final void affineBatch(
      PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    if (w instanceof ReducedMatrix m) {
      for (int i = 0; i < n; i++) {
        multiply(m, x, xo + i * xs, m.bias, 0, z, zo + i * zs);
      }
    } else {
      wide.affineBatch(w, n, x, xo, xs, z, zo, zs);
    }
  }

  @Override
  public final void affineBatchAccumulate(
      PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    if (w instanceof ReducedMatrix m) {
      for (int i = 0; i < n; i++) {
        int zi = zo + i * zs;
        multiply(m, x, xo + i * xs, z, zi, z, zi);
      }
    } else {
      wide.affineBatchAccumulate(w, n, x, xo, xs, z, zo, zs);
    }
  }

  @Override
  public final void packTransposed(
      PackedMatrix to,
      int row,
      int column,
      int rows,
      int columns,
      float[] from,
      int offset,
      int stride) {
    throw ReducedErrors.inferenceOnly();
  }

  @Override
  public final void outerAccumulate(
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
    throw ReducedErrors.inferenceOnly();
  }
}
