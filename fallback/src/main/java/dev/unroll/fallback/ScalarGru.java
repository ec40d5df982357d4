package dev.unroll.fallback;

import static dev.unroll.fallback.ScalarMath.flush;
import static dev.unroll.fallback.ScalarMath.fma;
import static dev.unroll.fallback.ScalarMath.sigmoid;
import static dev.unroll.fallback.ScalarMath.tanh;

/** Scalar twin of the GRU cell, a loop for each gate as in {@link ScalarLstm}. */
final class ScalarGru implements GruKernels {

  @Override
  public void forward(
      int m,
      int units,
      int stride,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] h,
      int ho) {
    for (int row = 0; row < m; row++) {
      int s = row * stride;
      int r = gxo + 3 * s;
      int z = r + stride;
      int n = z + stride;
      int g = gho + 3 * s;
      gate(units, gx, r, gh, g);
      gate(units, gx, z, gh, g + stride);
      for (int j = 0; j < units; j++) {
        float nt = tanh(fma(gx[r + j], gh[g + 2 * stride + j], gx[n + j]));
        gx[n + j] = nt;
        /* h_t = n + z # (h_{t-1} - n) */
        h[ho + s + j] = flush(fma(gx[z + j], hPrev[hpo + s + j] - nt, nt));
      }
    }
  }

  /* x̂ = sigmoid(x̂ + ĥ) */
  private static void gate(int units, float[] gx, int x, float[] gh, int g) {
    for (int j = 0; j < units; j++) {
      gx[x + j] = sigmoid(gx[x + j] + gh[g + j]);
    }
  }

  @Override
  public void backward(
      int m,
      int units,
      int p,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] dh,
      int dho) {
    for (int row = 0; row < m; row++) {
      for (int j = 0; j < units; j++) {
        int x = gxo + row * 3 * p + j;
        int g = gho + row * 3 * p + j;
        int s = row * p + j;
        float r = gx[x];
        float z = gx[x + p];
        float n = gx[x + 2 * p];
        float dht = dh[dho + s];
        /* dn = dh # (1-z) # (1-n²);  dr = dn # ĥ_n # r # (1-r) */
        float dn = flush(dht * (1f - z) * fma(-n, n, 1f));
        float dz = flush(dht * (hPrev[hpo + s] - n) * fma(-z, z, z));
        float dr = flush(dn * gh[g + 2 * p] * fma(-r, r, r));
        gx[x] = dr;
        gx[x + p] = dz;
        gx[x + 2 * p] = dn;
        gh[g] = dr;
        gh[g + p] = dz;
        gh[g + 2 * p] = flush(dn * r);
        dh[dho + s] = flush(dht * z);
      }
    }
  }
}
