package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.*;
import static dev.unroll.simd.Lanes.INTS;
import static dev.unroll.simd.Lanes.ZERO;
import static dev.unroll.simd.Lanes.all;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** The vector twin of {@link dev.unroll.fallback.ScalarMath}: the same operations, lane by lane. */
final class VectorMath {
  private VectorMath() {}

  /** a b + c, rounded once. */
  static FloatVector fma(FloatVector a, FloatVector b, FloatVector c) {
    return a.fma(b, c);
  }

  /** Replaces magnitudes below FLUSH by 0. */
  static FloatVector flush(FloatVector x) {
    return x.blend(ZERO, x.abs().compare(VectorOperators.LT, FLUSH));
  }

  /* x < low ? low : x, which keeps NaN */
  private static FloatVector atLeast(FloatVector x, float low) {
    return x.blend(all(low), x.compare(VectorOperators.LT, low));
  }

  /* x > high ? high : x, which keeps NaN */
  private static FloatVector atMost(FloatVector x, float high) {
    return x.blend(all(high), x.compare(VectorOperators.GT, high));
  }

  /* p(r) = r + r² q(r) ~ expm1(r) */
  private static FloatVector expm1OfRemainder(FloatVector r) {
    FloatVector q = fma(all(Q5), r, all(Q4));
    q = fma(q, r, all(Q3));
    q = fma(q, r, all(Q2));
    q = fma(q, r, all(Q1));
    q = fma(q, r, all(Q0));
    return fma(r.mul(r), q, r);
  }

  private static FloatVector remainder(FloatVector x, FloatVector n) {
    return fma(n, all(MINUS_LN2_LOW), fma(n, all(MINUS_LN2_HIGH), x));
  }

  private static IntVector bits(FloatVector x) {
    return x.reinterpretAsInts();
  }

  /** exp(x). */
  static FloatVector exp(FloatVector x) {
    FloatVector y = atMost(atLeast(x, EXP_MIN), EXP_MAX);
    FloatVector t = fma(y, all(LOG2_E), all(ROUND));
    FloatVector p = expm1OfRemainder(remainder(y, t.sub(all(ROUND)))).add(all(1f));
    IntVector n = bits(t).sub(bits(all(ROUND)));
    IntVector half = n.lanewise(VectorOperators.ASHR, 1);
    return p.mul(powerOfTwo(half)).mul(powerOfTwo(n.sub(half)));
  }

  /* 2^n for n in [-126, 127] */
  private static FloatVector powerOfTwo(IntVector n) {
    return n.add(IntVector.broadcast(INTS, EXPONENT_BIAS))
        .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
        .reinterpretAsFloats();
  }

  /** 1 / (1 + exp(-x)) = e / (1 + e) with e = exp(x). */
  static FloatVector sigmoid(FloatVector x) {
    FloatVector y = atMost(atLeast(x, EXP_MIN), SIGMOID_MAX);
    FloatVector t = fma(y, all(LOG2_E), all(ROUND_SHIFTED));
    FloatVector p = expm1OfRemainder(remainder(y, t.sub(all(ROUND_SHIFTED)))).add(all(1f));
    IntVector scaled = bits(p).add(bits(t).lanewise(VectorOperators.LSHL, EXPONENT_SHIFT));
    FloatVector e = scaled.reinterpretAsFloats().mul(all(UNSHIFT));
    return e.div(e.add(all(1f)));
  }

  /** tanh(|x|) = m / (m + 2) with m = expm1(2|x|), and the sign of x. */
  static FloatVector tanh(FloatVector x) {
    FloatVector y = atMost(x.abs(), TANH_MAX);
    y = y.add(y);
    FloatVector t = fma(y, all(LOG2_E), all(ROUND_BIASED));
    FloatVector p = expm1OfRemainder(remainder(y, t.sub(all(ROUND_BIASED))));
    FloatVector s = bits(t).lanewise(VectorOperators.LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
    FloatVector m = fma(s, p, s.sub(all(1f)));
    IntVector magnitude = bits(m.div(m.add(all(2f))));
    IntVector sign = bits(x).and(IntVector.broadcast(INTS, Integer.MIN_VALUE));
    return magnitude.or(sign).reinterpretAsFloats();
  }
}
