package dev.unroll.fallback;

import static dev.unroll.fallback.ScalarMath.flush;
import static dev.unroll.fallback.ScalarMath.fma;
import static dev.unroll.fallback.ScalarMath.tanh;

/**
 * Scalar twin of the LSTM cell. Each gate has a loop of its own, of which the processor keeps more
 * turns going than of one over whole units.
 */
final class ScalarLstm implements LstmKernels {
  private static final ElementKernels ELEMENTS = new ScalarElements();

  @Override
  public void forward(
      int n,
      int units,
      int stride,
      float[] z,
      int zo,
      float[] cPrev,
      int cpo,
      float[] c,
      int co,
      float[] tanhC,
      int tco,
      float[] h,
      int ho) {
    for (int row = 0; row < n; row++) {
      int s = row * stride;
      int i = zo + 4 * s;
      int f = i + stride;
      int g = f + stride;
      int o = g + stride;
      ELEMENTS.sigmoid(units, z, i, z, i);
      ELEMENTS.sigmoid(units, z, f, z, f);
      ELEMENTS.tanh(units, z, g, z, g);
      ELEMENTS.sigmoid(units, z, o, z, o);
      for (int j = 0; j < units; j++) {
        /* c_t = f # c_{t-1} + i # g */
        float ct = fma(z[f + j], cPrev[cpo + s + j], z[i + j] * z[g + j]);
        /* h_t = o # tanh(c_t) */
        float tc = tanh(ct);
        c[co + s + j] = flush(ct);
        tanhC[tco + s + j] = tc;
        h[ho + s + j] = flush(z[o + j] * tc);
      }
    }
  }

  @Override
  public void backward(
      int n,
      int units,
      int p,
      float[] z,
      int zo,
      float[] cPrev,
      int cpo,
      float[] tanhC,
      int tco,
      float[] dh,
      int dho,
      float[] dc,
      int dco) {
    for (int row = 0; row < n; row++) {
      for (int j = 0; j < units; j++) {
        int zj = zo + row * 4 * p + j;
        int s = row * p + j;
        float i = z[zj];
        float f = z[zj + p];
        float g = z[zj + 2 * p];
        float o = z[zj + 3 * p];
        float tc = tanhC[tco + s];
        float dht = dh[dho + s];
        /* dc = dc_t + dh # o # (1 - tanh²(c_t)) */
        float dct = fma(dht * o, fma(-tc, tc, 1f), dc[dco + s]);
        /* dz = d(gate) # gate'(z) */
        z[zj] = flush(dct * g * fma(-i, i, i));
        z[zj + p] = flush(dct * cPrev[cpo + s] * fma(-f, f, f));
        z[zj + 2 * p] = flush(dct * i * fma(-g, g, 1f));
        z[zj + 3 * p] = flush(dht * tc * fma(-o, o, o));
        dc[dco + s] = flush(dct * f);
      }
    }
  }
}
