package dev.unroll.fallback;

import static dev.unroll.fallback.ReducedMatrix.even;
import static dev.unroll.fallback.ReducedMatrix.odd;
import static dev.unroll.fallback.ScalarMath.fma;

import java.util.Arrays;

/**
 * Scalar twin of the kernels over reduced weights. C2 vectorises loops over rows that convert
 * bytes, as in {@link ScalarAffine}, but none that take halves for the upper bits of a float: those
 * go through four rows at a time, in panels of {@link Kernels#LANES}.
 */
final class ScalarReduced extends ReducedAffine {
  private static final int PANEL = Kernels.LANES;

  private final WeightFormat format;

  ScalarReduced(WeightFormat format, AffineKernels wide) {
    super(format, wide);
    this.format = format;
  }

  /** Words [panel][word][row in panel]; of bytes there is one panel. */
  private static final class Words extends ReducedMatrix {
    private final int panel;
    final int[] words;

    Words(WeightFormat format, int rows, int columns) {
      super(format, rows, columns);
      panel = format == WeightFormat.INT8 ? rows : PANEL;
      words = new int[Math.multiplyExact(rows, words())];
    }

    @Override
    protected void set(int row, int word, int value) {
      words[(row - row % panel) * words() + word * panel + row % panel] = value;
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
    if (m.scale.length > 0) {
      ofBytes(m, x, xo, b, bo, z, zo);
      return;
    }
    for (int r = 0; r < m.rows(); r += 4) {
      int at = (r - r % PANEL) * m.words() + r % PANEL;
      halves(m, at, x, xo, b, bo + r, z, zo + r);
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
      sum0 = fma(even(w[p]), xk, sum0);
      sum1 = fma(even(w[p + 1]), xk, sum1);
      sum2 = fma(even(w[p + 2]), xk, sum2);
      sum3 = fma(even(w[p + 3]), xk, sum3);
      if (k + 1 < m.columns()) {
        xk = x[xo + k + 1];
        sum0 = fma(odd(w[p]), xk, sum0);
        sum1 = fma(odd(w[p + 1]), xk, sum1);
        sum2 = fma(odd(w[p + 2]), xk, sum2);
        sum3 = fma(odd(w[p + 3]), xk, sum3);
      }
      p += PANEL;
    }
    z[zo] = sum0;
    z[zo + 1] = sum1;
    z[zo + 2] = sum2;
    z[zo + 3] = sum3;
  }

  /* z = b + s # (W x); columns past the last are zeros. */
  private static void ofBytes(Words m, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    int rows = m.rows();
    int columns = m.columns();
    float[] sums = zo == 0 && b != z ? z : Scratch.sums(rows);
    Arrays.fill(sums, 0, rows, 0f);
    for (int k = 0; k < columns; k += 4) {
      int xk = xo + k;
      float x1 = k + 1 < columns ? x[xk + 1] : 0f;
      float x2 = k + 2 < columns ? x[xk + 2] : 0f;
      float x3 = k + 3 < columns ? x[xk + 3] : 0f;
      bytes(rows, m.words, k / 4 * rows, x[xk], x1, x2, x3, sums);
    }
    float[] s = m.scale;
    for (int r = 0; r < rows; r++) {
      z[zo + r] = fma(sums[r], s[r], b[bo + r]);
    }
  }

  /* One word of each row: four columns. */
  private static void bytes(
      int rows, int[] words, int at, float x0, float x1, float x2, float x3, float[] sums) {
    for (int r = 0; r < rows; r++) {
      int word = words[at + r];
      float sum = fma((float) word, x0, sums[r]);
      sum = fma((float) (word << 8), x1, sum);
      sum = fma((float) (word << 16), x2, sum);
      sums[r] = fma((float) (word << 24), x3, sum);
    }
  }
}
