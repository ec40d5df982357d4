package dev.unroll.fallback;

import static dev.unroll.fallback.ScalarMath.fma;

/**
 * Scalar twin of the kernels over reduced weights. Words are stored in panels of {@link
 * Kernels#LANES} rows, each panel by column.
 */
final class ScalarReduced extends ReducedAffine {
  private static final int PANEL = Kernels.LANES;
  private static final int UPPER_HALF = 0xffff0000;

  private final WeightFormat format;

  ScalarReduced(WeightFormat format, AffineKernels wide) {
    super(format, wide);
    this.format = format;
  }

  /** Words [panel][word][row in panel]. */
  private static final class Words extends ReducedMatrix {
    final int[] words;

    Words(WeightFormat format, int rows, int columns) {
      super(format, rows, columns);
      words = new int[Math.multiplyExact(rows, words())];
    }

    @Override
    protected void set(int row, int word, int value) {
      words[(row - row % PANEL) * words() + word * PANEL + row % PANEL] = value;
    }
  }

  @Override
  protected ReducedMatrix allocate(int rows, int columns) {
    return new Words(format, rows, columns);
  }

  @Override
  protected void multiply(
      ReducedMatrix w, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    Words m = (Words) w;
    for (int r = 0; r < m.rows(); r += 4) {
      int at = (r - r % PANEL) * m.words() + r % PANEL;
      if (m.scale.length == 0) {
        halves(m, at, x, xo, b, bo + r, z, zo + r);
      } else {
        bytes(m, at, r, x, xo, b, bo + r, z, zo + r);
      }
    }
  }

  /* z = b + W x for four rows. */
  private static void halves(
      Words m, int at, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    int[] w = m.words;
    float sum0 = b[bo];
    float sum1 = b[bo + 1];
    float sum2 = b[bo + 2];
    float sum3 = b[bo + 3];
    int p = at;
    for (int k = 0; k < m.columns(); k += 2) {
      float xk = x[xo + k];
      sum0 = fma(Float.intBitsToFloat(w[p] << 16), xk, sum0);
      sum1 = fma(Float.intBitsToFloat(w[p + 1] << 16), xk, sum1);
      sum2 = fma(Float.intBitsToFloat(w[p + 2] << 16), xk, sum2);
      sum3 = fma(Float.intBitsToFloat(w[p + 3] << 16), xk, sum3);
      if (k + 1 < m.columns()) {
        xk = x[xo + k + 1];
        sum0 = fma(Float.intBitsToFloat(w[p] & UPPER_HALF), xk, sum0);
        sum1 = fma(Float.intBitsToFloat(w[p + 1] & UPPER_HALF), xk, sum1);
        sum2 = fma(Float.intBitsToFloat(w[p + 2] & UPPER_HALF), xk, sum2);
        sum3 = fma(Float.intBitsToFloat(w[p + 3] & UPPER_HALF), xk, sum3);
      }
      p += PANEL;
    }
    z[zo] = sum0;
    z[zo + 1] = sum1;
    z[zo + 2] = sum2;
    z[zo + 3] = sum3;
  }

  /* z = b + s # (W x) for four rows; columns past the last are zeros. */
  private static void bytes(
      Words m, int at, int row, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    int[] w = m.words;
    float sum0 = 0f;
    float sum1 = 0f;
    float sum2 = 0f;
    float sum3 = 0f;
    int p = at;
    for (int k = 0; k < m.columns(); k += 4) {
      for (int j = 0; j < 4; j++) {
        float xk = k + j < m.columns() ? x[xo + k + j] : 0f;
        sum0 = fma((float) (w[p] << (8 * j)), xk, sum0);
        sum1 = fma((float) (w[p + 1] << (8 * j)), xk, sum1);
        sum2 = fma((float) (w[p + 2] << (8 * j)), xk, sum2);
        sum3 = fma((float) (w[p + 3] << (8 * j)), xk, sum3);
      }
      p += PANEL;
    }
    float[] s = m.scale;
    z[zo] = fma(sum0, s[row], b[bo]);
    z[zo + 1] = fma(sum1, s[row + 1], b[bo + 1]);
    z[zo + 2] = fma(sum2, s[row + 2], b[bo + 2]);
    z[zo + 3] = fma(sum3, s[row + 3], b[bo + 3]);
  }
}
