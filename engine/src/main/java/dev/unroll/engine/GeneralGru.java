package dev.unroll.engine;

import static dev.unroll.fallback.ScalarMath.flush;
import static dev.unroll.fallback.ScalarMath.fma;

import dev.unroll.fallback.GruKernels;

/** Pointwise part of the GRU, reset after the product, with any activations and clipping. */
final class GeneralGru implements GruKernels {
  private final CellOptions options;
  private final Activation gate;
  private final Activation candidate;
  private final float[] clipped;

  GeneralGru(LayerSpec layer, int padded, long rows, Memory memory) {
    options = layer.options();
    gate = options.activation(layer.cell(), 0);
    candidate = options.activation(layer.cell(), 1);
    clipped = memory.floats(rows, 3L * padded);
  }

  private float activate(Activation f, float z, int at) {
    clipped[at] = ActivationMath.clip(options.clip(), z);
    return ActivationMath.value(f, clipped[at]);
  }

  private float slope(Activation f, float y, int at) {
    return ActivationMath.derivative(f, options.clip(), clipped[at], y);
  }

  @Override
  public void forward(
      int m,
      int units,
      int p,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] h,
      int ho) {
    for (int row = 0; row < m; row++) {
      for (int j = 0; j < units; j++) {
        int x = gxo + row * 3 * p + j;
        int g = gho + row * 3 * p + j;
        int s = row * p + j;
        float r = activate(gate, gx[x] + gh[g], x);
        float z = activate(gate, gx[x + p] + gh[g + p], x + p);
        float n = activate(candidate, fma(r, gh[g + 2 * p], gx[x + 2 * p]), x + 2 * p);
        gx[x] = r;
        gx[x + p] = z;
        gx[x + 2 * p] = n;
        h[ho + s] = flush(fma(z, hPrev[hpo + s] - n, n));
      }
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
        float d = dh[dho + s];
        float dn = flush(d * (1f - z) * slope(candidate, n, x + 2 * p));
        float dz = flush(d * (hPrev[hpo + s] - n) * slope(gate, z, x + p));
        float dr = flush(dn * gh[g + 2 * p] * slope(gate, r, x));
        gx[x] = dr;
        gx[x + p] = dz;
        gx[x + 2 * p] = dn;
        gh[g] = dr;
        gh[g + p] = dz;
        gh[g + 2 * p] = flush(dn * r);
        dh[dho + s] = flush(d * z);
      }
    }
  }
}
