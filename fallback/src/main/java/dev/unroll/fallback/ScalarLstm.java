package dev.unroll.fallback;

import static dev.unroll.fallback.ScalarMath.flush;
import static dev.unroll.fallback.ScalarMath.fma;
import static dev.unroll.fallback.ScalarMath.sigmoid;
import static dev.unroll.fallback.ScalarMath.tanh;

/** Scalar twin of the LSTM cell. */
final class ScalarLstm implements LstmKernels {

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
      for (int j = 0; j < units; j++) {
        int s = row * stride + j;
        int zj = zo + row * 3 * stride + s;
        float i = sigmoid(z[zj]);
        float f = sigmoid(z[zj + stride]);
        float g = tanh(z[zj + 2 * stride]);
        float o = sigmoid(z[zj + 3 * stride]);
        /* c_t = f # c_{t-1} + i # g */
        float ct = fma(f, cPrev[cpo + s], i * g);
        /* h_t = o # tanh(c_t) */
        float tc = tanh(ct);
        z[zj] = i;
        z[zj + stride] = f;
        z[zj + 2 * stride] = g;
        z[zj + 3 * stride] = o;
        c[co + s] = flush(ct);
        tanhC[tco + s] = tc;
        h[ho + s] = flush(o * tc);
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
