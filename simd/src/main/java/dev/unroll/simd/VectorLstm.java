package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.all;
import static dev.unroll.simd.Lanes.load;
import static dev.unroll.simd.VectorMath.flush;
import static dev.unroll.simd.VectorMath.fma;

import dev.unroll.fallback.LstmKernels;
import jdk.incubator.vector.FloatVector;

/**
 * Vector twin of the LSTM cell. Gates and state update are two loops, because C2 stops compiling
 * vector code well when one method holds all five activations.
 */
final class VectorLstm implements LstmKernels {

  @Override
  public void forward(
      int n,
      int p,
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
      int zr = zo + row * 4 * p;
      int s = row * p;
      VectorMath.sigmoid(2 * p, z, zr, z, zr);
      VectorMath.tanh(p, z, zr + 2 * p, z, zr + 2 * p);
      VectorMath.sigmoid(p, z, zr + 3 * p, z, zr + 3 * p);
      cellState(p, z, zr, cPrev, cpo + s, c, co + s);
      VectorMath.tanh(p, c, co + s, tanhC, tco + s);
      hiddenState(p, z, zr + 3 * p, tanhC, tco + s, h, ho + s);
    }
  }

  private static void cellState(
      int p, float[] z, int zo, float[] cPrev, int cpo, float[] c, int co) {
    for (int j = 0; j < p; j += LENGTH) {
      FloatVector i = load(z, zo + j);
      FloatVector f = load(z, zo + p + j);
      FloatVector g = load(z, zo + 2 * p + j);
      /* c_t = f # c_{t-1} + i # g */
      flush(fma(f, load(cPrev, cpo + j), i.mul(g))).intoArray(c, co + j);
    }
  }

  private static void hiddenState(
      int p, float[] z, int oo, float[] tanhC, int tco, float[] h, int ho) {
    for (int j = 0; j < p; j += LENGTH) {
      /* h_t = o # tanh(c_t) */
      flush(load(z, oo + j).mul(load(tanhC, tco + j))).intoArray(h, ho + j);
    }
  }

  @Override
  public void backward(
      int n,
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
      int s = row * p;
      backwardRow(p, z, zo + 4 * s, cPrev, cpo + s, tanhC, tco + s, dh, dho + s, dc, dco + s);
    }
  }

  private static void backwardRow(
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
    assert p % LENGTH == 0 : "p = " + p + " for vectors of " + LENGTH;
    assert zo >= 0 && zo + 4 * p <= z.length : "z[" + zo + "], n = " + 4 * p + " of " + z.length;
    assert cpo >= 0 && cpo + p <= cPrev.length
        : "cPrev[" + cpo + "], n = " + p + " of " + cPrev.length;
    assert tco >= 0 && tco + p <= tanhC.length
        : "tanhC[" + tco + "], n = " + p + " of " + tanhC.length;
    assert dho >= 0 && dho + p <= dh.length : "dh[" + dho + "], n = " + p + " of " + dh.length;
    assert dco >= 0 && dco + p <= dc.length : "dc[" + dco + "], n = " + p + " of " + dc.length;
    for (int j = 0; j < p; j += LENGTH) {
      int zj = zo + j;
      FloatVector i = load(z, zj);
      FloatVector f = load(z, zj + p);
      FloatVector g = load(z, zj + 2 * p);
      FloatVector o = load(z, zj + 3 * p);
      FloatVector tc = load(tanhC, tco + j);
      FloatVector dht = load(dh, dho + j);
      /* dc = dc_t + dh # o # (1 - tanh²(c_t)) */
      FloatVector dct = fma(dht.mul(o), fma(tc.neg(), tc, all(1f)), load(dc, dco + j));
      /* dz = d(gate) # gate'(z) */
      flush(dct.mul(g).mul(fma(i.neg(), i, i))).intoArray(z, zj);
      flush(dct.mul(load(cPrev, cpo + j)).mul(fma(f.neg(), f, f))).intoArray(z, zj + p);
      flush(dct.mul(i).mul(fma(g.neg(), g, all(1f)))).intoArray(z, zj + 2 * p);
      flush(dht.mul(tc).mul(fma(o.neg(), o, o))).intoArray(z, zj + 3 * p);
      flush(dct.mul(f)).intoArray(dc, dco + j);
    }
  }
}
