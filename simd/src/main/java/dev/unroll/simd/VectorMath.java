package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.*;
import static dev.unroll.simd.Lanes.INTS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

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
      v = v.blend(FloatVector.broadcast(SPECIES, EXP_MIN), v.compare(VectorOperators.LT, EXP_MIN));
      v = v.blend(FloatVector.broadcast(SPECIES, EXP_MAX), v.compare(VectorOperators.GT, EXP_MAX));
      FloatVector t =
          v.fma(FloatVector.broadcast(SPECIES, LOG2_E), FloatVector.broadcast(SPECIES, ROUND));
      FloatVector n2 = t.sub(FloatVector.broadcast(SPECIES, ROUND));
      FloatVector r =
          n2.fma(
              FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
              n2.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), v));
      FloatVector q = FloatVector.broadcast(SPECIES, Q5).fma(r, FloatVector.broadcast(SPECIES, Q4));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q3));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q2));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q1));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q0));
      FloatVector p = r.mul(r).fma(q, r).add(FloatVector.broadcast(SPECIES, 1f));
      IntVector k =
          t.reinterpretAsInts().sub(FloatVector.broadcast(SPECIES, ROUND).reinterpretAsInts());
      IntVector half = k.lanewise(VectorOperators.ASHR, 1);
      IntVector rest = k.sub(half);
      /* 2^half and 2^rest, each in [-126, 127] */
      FloatVector a =
          half.add(IntVector.broadcast(INTS, EXPONENT_BIAS))
              .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
              .reinterpretAsFloats();
      FloatVector b =
          rest.add(IntVector.broadcast(INTS, EXPONENT_BIAS))
              .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
              .reinterpretAsFloats();
      p.mul(a).mul(b).intoArray(y, yo + j);
    }
  }

  /** y = 1 / (1 + exp(-x)) = e / (1 + e) with e = exp(x). */
  static void sigmoid(int n, float[] x, int xo, float[] y, int yo) {
    assert n % LENGTH == 0 : "n = " + n + " for vectors of " + LENGTH;
    assert xo >= 0 && xo + n <= x.length : "x[" + xo + "], n = " + n + " of " + x.length;
    assert yo >= 0 && yo + n <= y.length : "y[" + yo + "], n = " + n + " of " + y.length;
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, xo + j);
      v = v.blend(FloatVector.broadcast(SPECIES, EXP_MIN), v.compare(VectorOperators.LT, EXP_MIN));
      v =
          v.blend(
              FloatVector.broadcast(SPECIES, SIGMOID_MAX),
              v.compare(VectorOperators.GT, SIGMOID_MAX));
      FloatVector t =
          v.fma(
              FloatVector.broadcast(SPECIES, LOG2_E),
              FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      FloatVector k = t.sub(FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      FloatVector r =
          k.fma(
              FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
              k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), v));
      FloatVector q = FloatVector.broadcast(SPECIES, Q5).fma(r, FloatVector.broadcast(SPECIES, Q4));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q3));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q2));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q1));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q0));
      FloatVector p = r.mul(r).fma(q, r).add(FloatVector.broadcast(SPECIES, 1f));
      IntVector scaled =
          p.reinterpretAsInts()
              .add(t.reinterpretAsInts().lanewise(VectorOperators.LSHL, EXPONENT_SHIFT));
      FloatVector e = scaled.reinterpretAsFloats().mul(FloatVector.broadcast(SPECIES, UNSHIFT));
      e.div(e.add(FloatVector.broadcast(SPECIES, 1f))).intoArray(y, yo + j);
    }
  }

  /** y = tanh(x): tanh(|x|) = m / (m + 2) with m = expm1(2|x|), and the sign of x. */
  static void tanh(int n, float[] x, int xo, float[] y, int yo) {
    assert n % LENGTH == 0 : "n = " + n + " for vectors of " + LENGTH;
    assert xo >= 0 && xo + n <= x.length : "x[" + xo + "], n = " + n + " of " + x.length;
    assert yo >= 0 && yo + n <= y.length : "y[" + yo + "], n = " + n + " of " + y.length;
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, x, xo + j);
      FloatVector a = v.abs();
      a =
          a.blend(
              FloatVector.broadcast(SPECIES, TANH_MAX), a.compare(VectorOperators.GT, TANH_MAX));
      a = a.add(a);
      FloatVector t =
          a.fma(
              FloatVector.broadcast(SPECIES, LOG2_E), FloatVector.broadcast(SPECIES, ROUND_BIASED));
      FloatVector k = t.sub(FloatVector.broadcast(SPECIES, ROUND_BIASED));
      FloatVector r =
          k.fma(
              FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
              k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), a));
      FloatVector q = FloatVector.broadcast(SPECIES, Q5).fma(r, FloatVector.broadcast(SPECIES, Q4));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q3));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q2));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q1));
      q = q.fma(r, FloatVector.broadcast(SPECIES, Q0));
      FloatVector p = r.mul(r).fma(q, r);
      FloatVector s =
          t.reinterpretAsInts()
              .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
              .reinterpretAsFloats();
      FloatVector m = s.fma(p, s.sub(FloatVector.broadcast(SPECIES, 1f)));
      IntVector magnitude = m.div(m.add(FloatVector.broadcast(SPECIES, 2f))).reinterpretAsInts();
      IntVector sign = v.reinterpretAsInts().and(IntVector.broadcast(INTS, Integer.MIN_VALUE));
      magnitude.or(sign).reinterpretAsFloats().intoArray(y, yo + j);
    }
  }
}
