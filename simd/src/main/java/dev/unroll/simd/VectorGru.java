package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.all;
import static dev.unroll.simd.Lanes.load;
import static dev.unroll.simd.VectorMath.flush;
import static dev.unroll.simd.VectorMath.fma;

import dev.unroll.fallback.GruKernels;
import jdk.incubator.vector.FloatVector;

/** Vector twin of the GRU cell. */
final class VectorGru implements GruKernels {

  @Override
  public void forward(
      int m,
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
      int g = row * 3 * p;
      int s = row * p;
      sum(2 * p, gx, gxo + g, gh, gho + g);
      VectorMath.sigmoid(2 * p, gx, gxo + g, gx, gxo + g);
      int n = gxo + g + 2 * p;
      candidate(p, gx, gxo + g, gh, gho + g + 2 * p, n);
      VectorMath.tanh(p, gx, n, gx, n);
      hiddenState(p, gx, gxo + g + p, n, hPrev, hpo + s, h, ho + s);
    }
  }

  private static void sum(int n, float[] gx, int gxo, float[] gh, int gho) {
    for (int j = 0; j < n; j += LENGTH) {
      load(gx, gxo + j).add(load(gh, gho + j)).intoArray(gx, gxo + j);
    }
  }

  /* x̂_n + r # ĥ_n */
  private static void candidate(int p, float[] gx, int ro, float[] gh, int gho, int no) {
    for (int j = 0; j < p; j += LENGTH) {
      fma(load(gx, ro + j), load(gh, gho + j), load(gx, no + j)).intoArray(gx, no + j);
    }
  }

  private static void hiddenState(
      int p, float[] gx, int zo, int no, float[] hPrev, int hpo, float[] h, int ho) {
    for (int j = 0; j < p; j += LENGTH) {
      FloatVector n = load(gx, no + j);
      /* h_t = n + z # (h_{t-1} - n) */
      flush(fma(load(gx, zo + j), load(hPrev, hpo + j).sub(n), n)).intoArray(h, ho + j);
    }
  }

  @Override
  public void backward(
      int m,
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
      int g = row * 3 * p;
      int s = row * p;
      backwardRow(p, gx, gxo + g, gh, gho + g, hPrev, hpo + s, dh, dho + s);
    }
  }

  private static void backwardRow(
      int p,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] dh,
      int dho) {
    assert p % LENGTH == 0 : "p = " + p + " for vectors of " + LENGTH;
    assert gxo >= 0 && gxo + 3 * p <= gx.length
        : "gx[" + gxo + "], n = " + 3 * p + " of " + gx.length;
    assert gho >= 0 && gho + 3 * p <= gh.length
        : "gh[" + gho + "], n = " + 3 * p + " of " + gh.length;
    assert hpo >= 0 && hpo + p <= hPrev.length
        : "hPrev[" + hpo + "], n = " + p + " of " + hPrev.length;
    assert dho >= 0 && dho + p <= dh.length : "dh[" + dho + "], n = " + p + " of " + dh.length;
    for (int j = 0; j < p; j += LENGTH) {
      int x = gxo + j;
      int g = gho + j;
      FloatVector r = load(gx, x);
      FloatVector z = load(gx, x + p);
      FloatVector n = load(gx, x + 2 * p);
      FloatVector dht = load(dh, dho + j);
      /* dn = dh # (1-z) # (1-n²);  dr = dn # ĥ_n # r # (1-r) */
      FloatVector dn = flush(dht.mul(all(1f).sub(z)).mul(fma(n.neg(), n, all(1f))));
      FloatVector dz = flush(dht.mul(load(hPrev, hpo + j).sub(n)).mul(fma(z.neg(), z, z)));
      FloatVector dr = flush(dn.mul(load(gh, g + 2 * p)).mul(fma(r.neg(), r, r)));
      dr.intoArray(gx, x);
      dz.intoArray(gx, x + p);
      dn.intoArray(gx, x + 2 * p);
      dr.intoArray(gh, g);
      dz.intoArray(gh, g + p);
      flush(dn.mul(r)).intoArray(gh, g + 2 * p);
      flush(dht.mul(z)).intoArray(dh, dho + j);
    }
  }
}
