package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.*;
import static dev.unroll.simd.Lanes.INTS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;
import static dev.unroll.simd.Lanes.ZERO;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The vector twin of {@link dev.unroll.fallback.ScalarMath}: the same operations, lane by lane, as
 * loops over arrays.
 *
 * <p>As everywhere in this module no method takes or returns a vector, not even a helper of one
 * line: where C2 has reached its node limit it inlines only the Vector API's own methods, and a
 * vector that crosses a call is boxed.
 */
final class VectorMath {
  private VectorMath() {}

  /** y = exp(x). */
  static void exp(int n, float[] x, int xo, float[] y, int yo) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, xo + j);
      v = v.blend(FloatVector.broadcast(SPECIES, EXP_MIN), v.compare(LT, EXP_MIN));
      v = v.blend(FloatVector.broadcast(SPECIES, EXP_MAX), v.compare(GT, EXP_MAX));
      FloatVector t =
          v.fma(FloatVector.broadcast(SPECIES, LOG2_E), FloatVector.broadcast(SPECIES, ROUND));
      FloatVector n2 = t.sub(FloatVector.broadcast(SPECIES, ROUND));
      FloatVector r =
          n2.fma(
              FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
              n2.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), v));
      FloatVector r2 = r.mul(r);
      FloatVector q =
          FloatVector.broadcast(SPECIES, Q4)
              .fma(
                  r2,
                  FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
      q = q.fma(r2, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
      FloatVector p = r2.fma(q, r).add(FloatVector.broadcast(SPECIES, 1f));
      IntVector k =
          t.reinterpretAsInts().sub(FloatVector.broadcast(SPECIES, ROUND).reinterpretAsInts());
      IntVector half = k.lanewise(ASHR, 1);
      IntVector rest = k.sub(half);
      /* 2^half and 2^rest, each in [-126, 127] */
      FloatVector a =
          half.add(IntVector.broadcast(INTS, EXPONENT_BIAS))
              .lanewise(LSHL, EXPONENT_SHIFT)
              .reinterpretAsFloats();
      FloatVector b =
          rest.add(IntVector.broadcast(INTS, EXPONENT_BIAS))
              .lanewise(LSHL, EXPONENT_SHIFT)
              .reinterpretAsFloats();
      p.mul(a).mul(b).intoArray(y, yo + j);
    }
  }

  /** y = 1 / (1 + exp(-x)) = e / (2^64 + e) with e = 2^64 exp(x). */
  static void sigmoid(int n, float[] x, int xo, float[] y, int yo) {
    assert n % LENGTH == 0 : "n = " + n + " for vectors of " + LENGTH;
    assert xo >= 0 && xo + n <= x.length : "x[" + xo + "], n = " + n + " of " + x.length;
    assert yo >= 0 && yo + n <= y.length : "y[" + yo + "], n = " + n + " of " + y.length;
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, xo + j);
      FloatVector e, t, k, r, q;
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
      FloatVector w = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
      w = w.blend(ZERO, v.compare(LT, EXP_MIN));
      w = w.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
      w.intoArray(y, yo + j);
    }
  }

  /** y = tanh(x): tanh(|x|) = m / (m + 2) with m = expm1(2|x|), and the sign of x. */
  static void tanh(int n, float[] x, int xo, float[] y, int yo) {
    assert n % LENGTH == 0 : "n = " + n + " for vectors of " + LENGTH;
    assert xo >= 0 && xo + n <= x.length : "x[" + xo + "], n = " + n + " of " + x.length;
    assert yo >= 0 && yo + n <= y.length : "y[" + yo + "], n = " + n + " of " + y.length;
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, xo + j);
      FloatVector e, a, t, k, r, q;
      IntVector s;
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
      FloatVector w = q.reinterpretAsInts().or(s).reinterpretAsFloats();
      w.intoArray(y, yo + j);
    }
  }
}
