package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.*;
import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.INTS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;
import static dev.unroll.simd.Lanes.ZERO;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.LstmKernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.StepAtOnce;
import java.lang.ref.Reference;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Vector twin of the LSTM cell. A loop takes three activations of sixteen units and another two, in
 * registers: a third less time than a loop for each, and a fifth less than one for all five, which
 * wait for each other. The activations of {@link VectorMath} are written out, because in a method
 * of this size C2 inlines no helper but only the Vector API itself.
 */
final class VectorLstm implements LstmKernels {

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
    rows(n, units, stride, z, zo, cPrev, cpo, c, co, tanhC, tco, h, ho, h, ho);
  }

  /* The same, h once more to y. */
  private static void rows(
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
      int ho,
      float[] y,
      int yo) {
    /* Idle calls are as many as there are vectors, or C2 would compile the loops later. */
    int m = stride == 0 ? 0 : units;
    int calls = stride == 0 ? Math.ceilDiv(units, LENGTH) : n;
    for (int row = 0; row < calls; row++) {
      int s = row * stride;
      int g = zo + 4 * s;
      cells(m, stride, z, g, cPrev, cpo + s, c, co + s, tanhC, tco + s, h, ho + s);
      outputs(m, z, g + 3 * stride, tanhC, tco + s, h, ho + s, y, yo + s);
    }
  }

  /*
   * One vector or two at once, their gates padded; of many columns the padding costs more than a
   * second kernel.
   */
  @Override
  public int stepStride(int hidden, int columns) {
    if (hidden <= LENGTH) {
      return Kernels.pad(hidden);
    }
    return Panels.atOnce(4, hidden, columns) ? 2 * LENGTH : Panels.stride(4, hidden);
  }

  /*
   * i, f, g and c_t; p from gate to gate. For the outputs c_t waits in tanhC, and z_o in h, as
   * the last vector of g may reach into it.
   */
  private static void cells(
      int units,
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
    if (units == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    for (int j = 0; j < units; j += LENGTH) {
      FloatVector v, a, t, k, r, q, e;
      IntVector s;
      /* i = sigmoid(z_i) */
      v = FloatVector.fromArray(SPECIES, z, zo + j);
      t =
          v.fma(
              FloatVector.broadcast(SPECIES, LOG2_E),
              FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      k = t.sub(FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      r =
          k.fma(
              FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
              k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), v));
      e = r.mul(r);
      q =
          FloatVector.broadcast(SPECIES, Q4)
              .fma(
                  e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
      q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
      q = e.fma(q, r);
      e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
      e = e.fma(q, e);
      FloatVector i = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
      i = i.blend(ZERO, v.compare(LT, EXP_MIN));
      i = i.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
      i.intoArray(z, zo + j);
      /* f = sigmoid(z_f) */
      v = FloatVector.fromArray(SPECIES, z, zo + p + j);
      t =
          v.fma(
              FloatVector.broadcast(SPECIES, LOG2_E),
              FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      k = t.sub(FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      r =
          k.fma(
              FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
              k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), v));
      e = r.mul(r);
      q =
          FloatVector.broadcast(SPECIES, Q4)
              .fma(
                  e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
      q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
      q = e.fma(q, r);
      e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
      e = e.fma(q, e);
      FloatVector f = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
      f = f.blend(ZERO, v.compare(LT, EXP_MIN));
      f = f.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
      f.intoArray(z, zo + p + j);
      /* g = tanh(z_g) */
      v = FloatVector.fromArray(SPECIES, z, zo + 2 * p + j);
      a = v.abs();
      t =
          a.fma(
              FloatVector.broadcast(SPECIES, TWO_LOG2_E),
              FloatVector.broadcast(SPECIES, ROUND_BIASED));
      k = t.sub(FloatVector.broadcast(SPECIES, ROUND_BIASED));
      r = k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), a.add(a));
      e = r.mul(r);
      q =
          FloatVector.broadcast(SPECIES, Q4)
              .fma(
                  e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
      q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
      q = e.fma(q, r);
      e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
      q = e.fma(q, e.sub(FloatVector.broadcast(SPECIES, 1f)));
      q = q.div(q.add(FloatVector.broadcast(SPECIES, 2f)));
      q = q.blend(FloatVector.broadcast(SPECIES, 1f), a.compare(GT, TANH_MAX));
      s = v.reinterpretAsInts().and(IntVector.broadcast(INTS, Integer.MIN_VALUE));
      FloatVector g = q.reinterpretAsInts().or(s).reinterpretAsFloats();
      g.intoArray(z, zo + 2 * p + j);
      /* c_t = f # c_{t-1} + i # g */
      FloatVector ct = f.fma(FloatVector.fromArray(SPECIES, cPrev, cpo + j), i.mul(g));
      ct.intoArray(tanhC, tco + j);
      ct.blend(ZERO, ct.abs().compare(LT, FLUSH)).intoArray(c, co + j);
      FloatVector.fromArray(SPECIES, z, zo + 3 * p + j).intoArray(h, ho + j);
    }
  }

  /* o, tanh(c_t) and h_t. */
  private static void outputs(
      int units, float[] z, int zo, float[] tanhC, int tco, float[] h, int ho, float[] y, int yo) {
    if (units == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    for (int j = 0; j < units; j += LENGTH) {
      FloatVector v, a, t, k, r, q, e;
      IntVector s;
      /* o = sigmoid(z_o) */
      v = FloatVector.fromArray(SPECIES, h, ho + j);
      t =
          v.fma(
              FloatVector.broadcast(SPECIES, LOG2_E),
              FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      k = t.sub(FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      r =
          k.fma(
              FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
              k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), v));
      e = r.mul(r);
      q =
          FloatVector.broadcast(SPECIES, Q4)
              .fma(
                  e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
      q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
      q = e.fma(q, r);
      e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
      e = e.fma(q, e);
      FloatVector o = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
      o = o.blend(ZERO, v.compare(LT, EXP_MIN));
      o = o.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
      o.intoArray(z, zo + j);
      /* h_t = o # tanh(c_t) */
      v = FloatVector.fromArray(SPECIES, tanhC, tco + j);
      a = v.abs();
      t =
          a.fma(
              FloatVector.broadcast(SPECIES, TWO_LOG2_E),
              FloatVector.broadcast(SPECIES, ROUND_BIASED));
      k = t.sub(FloatVector.broadcast(SPECIES, ROUND_BIASED));
      r = k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), a.add(a));
      e = r.mul(r);
      q =
          FloatVector.broadcast(SPECIES, Q4)
              .fma(
                  e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
      q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
      q = e.fma(q, r);
      e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
      q = e.fma(q, e.sub(FloatVector.broadcast(SPECIES, 1f)));
      q = q.div(q.add(FloatVector.broadcast(SPECIES, 2f)));
      q = q.blend(FloatVector.broadcast(SPECIES, 1f), a.compare(GT, TANH_MAX));
      s = v.reinterpretAsInts().and(IntVector.broadcast(INTS, Integer.MIN_VALUE));
      FloatVector tc = q.reinterpretAsInts().or(s).reinterpretAsFloats();
      tc.intoArray(tanhC, tco + j);
      FloatVector ht = o.mul(tc);
      ht = ht.blend(ZERO, ht.abs().compare(LT, FLUSH));
      ht.intoArray(h, ho + j);
      ht.intoArray(y, yo + j);
    }
  }

  @Override
  public Optional<StepAtOnce> atOnce(
      int stride,
      PackedMatrix w,
      int hidden,
      float[] z,
      float[] c,
      int co,
      float[] tanhC,
      float[] h,
      int ho) {
    if (w instanceof Panels m) {
      boolean two = m.holds(4, 2) && stride == 2 * LENGTH;
      int vectors = m.holdsOne(4, hidden) ? 1 : two ? 2 : 0;
      boolean room = ho >= m.columns() - hidden;
      if (vectors > 0 || (m.slab >= 0 && room)) {
        return Optional.of(new AtOnce(m, vectors, stride, hidden, z, c, co, tanhC, h, ho));
      }
    }
    return Optional.empty();
  }

  /* Units in one vector or two; 0 stands for more. */
  private static final class AtOnce extends VectorStep {
    private final Panels m;
    private final int vectors;
    private final int stride;
    private final int inputs;
    private final int hidden;
    private final float[] c;
    private final int co;

    /* Of m: a load less before the weights of the next layer. */
    private final long at;
    private final float[] bias;

    /* Of more units. */
    private final float[] z;
    private final float[] tanhC;

    AtOnce(
        Panels m,
        int vectors,
        int stride,
        int hidden,
        float[] z,
        float[] c,
        int co,
        float[] tanhC,
        float[] h,
        int ho) {
      super(hidden, h, ho);
      this.m = m;
      at = m.slab;
      bias = m.bias;
      this.vectors = vectors;
      this.stride = stride;
      inputs = m.columns() - hidden;
      this.hidden = hidden;
      this.c = c;
      this.co = co;
      this.z = z;
      this.tanhC = tanhC;
    }

    @Override
    void run(boolean idle, float[] x, int xo, float[] out) {
      int units = idle ? 0 : hidden;
      try {
        switch (vectors) {
          case 0 -> {
            multiply(idle, m, inputs, x, xo, z);
            rows(1, hidden, idle ? 0 : stride, z, 0, c, co, c, co, tanhC, 0, h, ho, out, 0);
          }
          case 1 -> LstmStep.ofOne(at, bias, inputs, x, xo, units, c, co, h, ho, out);
          default -> {
            LstmStep.ofTwo(at, bias, inputs, x, xo, units, c, co, h, ho);
            LstmStep.output(idle ? 0 : 2 * LENGTH, c, co, h, ho, out);
          }
        }
      } finally {
        Reference.reachabilityFence(m);
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
      int s = row * p;
      backwardRow(
          units, p, z, zo + 4 * s, cPrev, cpo + s, tanhC, tco + s, dh, dho + s, dc, dco + s);
    }
  }

  private static void backwardRow(
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
    assert p % LENGTH == 0;
    assert zo >= 0 && zo + 4 * p <= z.length;
    assert cpo >= 0 && cpo + p <= cPrev.length;
    assert tco >= 0 && tco + p <= tanhC.length;
    assert dho >= 0 && dho + p <= dh.length;
    assert dco >= 0 && dco + p <= dc.length;
    for (int j = 0; j < units; j += LENGTH) {
      int zj = zo + j;
      FloatVector i = FloatVector.fromArray(SPECIES, z, zj);
      FloatVector f = FloatVector.fromArray(SPECIES, z, zj + p);
      FloatVector g = FloatVector.fromArray(SPECIES, z, zj + 2 * p);
      FloatVector o = FloatVector.fromArray(SPECIES, z, zj + 3 * p);
      FloatVector tc = FloatVector.fromArray(SPECIES, tanhC, tco + j);
      FloatVector dht = FloatVector.fromArray(SPECIES, dh, dho + j);
      /* dc = dc_t + dh # o # (1 - tanh²(c_t)) */
      FloatVector dct =
          dht.mul(o)
              .fma(
                  tc.neg().fma(tc, FloatVector.broadcast(SPECIES, 1f)),
                  FloatVector.fromArray(SPECIES, dc, dco + j));
      /* dz = d(gate) # gate'(z) */
      FloatVector di = dct.mul(g).mul(i.neg().fma(i, i));
      di.blend(ZERO, di.abs().compare(LT, FLUSH)).intoArray(z, zj);
      FloatVector df =
          dct.mul(FloatVector.fromArray(SPECIES, cPrev, cpo + j)).mul(f.neg().fma(f, f));
      df.blend(ZERO, df.abs().compare(LT, FLUSH)).intoArray(z, zj + p);
      FloatVector dg = dct.mul(i).mul(g.neg().fma(g, FloatVector.broadcast(SPECIES, 1f)));
      dg.blend(ZERO, dg.abs().compare(LT, FLUSH)).intoArray(z, zj + 2 * p);
      FloatVector dout = dht.mul(tc).mul(o.neg().fma(o, o));
      dout.blend(ZERO, dout.abs().compare(LT, FLUSH)).intoArray(z, zj + 3 * p);
      FloatVector dcPrev = dct.mul(f);
      dcPrev.blend(ZERO, dcPrev.abs().compare(LT, FLUSH)).intoArray(dc, dco + j);
    }
  }
}
