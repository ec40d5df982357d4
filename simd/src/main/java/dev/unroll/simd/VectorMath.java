package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.*;
import static dev.unroll.simd.Lanes.INTS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.ZERO;
import static dev.unroll.simd.Lanes.all;
import static dev.unroll.simd.Lanes.load;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The vector twin of {@link dev.unroll.fallback.ScalarMath}: the same operations, lane by lane.
 *
 * <p>exp, sigmoid and tanh are loops over arrays and never take or return a vector: as soon as C2
 * has compiled so large a method on its own it inlines it nowhere, and a vector that crosses a call
 * is boxed.
 */
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

  /**
   * Flushes a range; four vectors at a time keep it too large to be inlined, like the activations.
   */
  static void flushInPlace(int n, float[] x, int xo) {
    assert n % LENGTH == 0 : "n = " + n + " for vectors of " + LENGTH;
    assert xo >= 0 && xo + n <= x.length : "x[" + xo + "], n = " + n + " of " + x.length;
    int j = 0;
    for (; j + 4 * LENGTH <= n; j += 4 * LENGTH) {
      int j1 = xo + j + LENGTH;
      int j2 = j1 + LENGTH;
      int j3 = j2 + LENGTH;
      FloatVector a = load(x, xo + j);
      FloatVector b = load(x, j1);
      FloatVector c = load(x, j2);
      FloatVector d = load(x, j3);
      a.blend(ZERO, a.abs().compare(VectorOperators.LT, FLUSH)).intoArray(x, xo + j);
      b.blend(ZERO, b.abs().compare(VectorOperators.LT, FLUSH)).intoArray(x, j1);
      c.blend(ZERO, c.abs().compare(VectorOperators.LT, FLUSH)).intoArray(x, j2);
      d.blend(ZERO, d.abs().compare(VectorOperators.LT, FLUSH)).intoArray(x, j3);
    }
    for (; j < n; j += LENGTH) {
      FloatVector a = load(x, xo + j);
      a.blend(ZERO, a.abs().compare(VectorOperators.LT, FLUSH)).intoArray(x, xo + j);
    }
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

  /** y = exp(x). */
  static void exp(int n, float[] x, int xo, float[] y, int yo) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = atMost(atLeast(load(x, xo + j), EXP_MIN), EXP_MAX);
      FloatVector t = fma(v, all(LOG2_E), all(ROUND));
      FloatVector p = expm1OfRemainder(remainder(v, t.sub(all(ROUND)))).add(all(1f));
      IntVector k = bits(t).sub(bits(all(ROUND)));
      IntVector half = k.lanewise(VectorOperators.ASHR, 1);
      p.mul(powerOfTwo(half)).mul(powerOfTwo(k.sub(half))).intoArray(y, yo + j);
    }
  }

  /* 2^n for n in [-126, 127] */
  private static FloatVector powerOfTwo(IntVector n) {
    return n.add(IntVector.broadcast(INTS, EXPONENT_BIAS))
        .lanewise(VectorOperators.LSHL, EXPONENT_SHIFT)
        .reinterpretAsFloats();
  }

  /** y = 1 / (1 + exp(-x)) = e / (1 + e) with e = exp(x). */
  static void sigmoid(int n, float[] x, int xo, float[] y, int yo) {
    assert n % LENGTH == 0 : "n = " + n + " for vectors of " + LENGTH;
    assert xo >= 0 && xo + n <= x.length : "x[" + xo + "], n = " + n + " of " + x.length;
    assert yo >= 0 && yo + n <= y.length : "y[" + yo + "], n = " + n + " of " + y.length;
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = load(x, xo + j);
      v = v.blend(all(EXP_MIN), v.compare(VectorOperators.LT, EXP_MIN));
      v = v.blend(all(SIGMOID_MAX), v.compare(VectorOperators.GT, SIGMOID_MAX));
      FloatVector t = fma(v, all(LOG2_E), all(ROUND_SHIFTED));
      FloatVector k = t.sub(all(ROUND_SHIFTED));
      FloatVector r = fma(k, all(MINUS_LN2_LOW), fma(k, all(MINUS_LN2_HIGH), v));
      FloatVector q = fma(all(Q5), r, all(Q4));
      q = fma(q, r, all(Q3));
      q = fma(q, r, all(Q2));
      q = fma(q, r, all(Q1));
      q = fma(q, r, all(Q0));
      FloatVector p = fma(r.mul(r), q, r).add(all(1f));
      IntVector scaled = bits(p).add(bits(t).lanewise(VectorOperators.LSHL, EXPONENT_SHIFT));
      FloatVector e = scaled.reinterpretAsFloats().mul(all(UNSHIFT));
      e.div(e.add(all(1f))).intoArray(y, yo + j);
    }
  }

  /** y = tanh(x): tanh(|x|) = m / (m + 2) with m = expm1(2|x|), and the sign of x. */
  static void tanh(int n, float[] x, int xo, float[] y, int yo) {
    assert n % LENGTH == 0 : "n = " + n + " for vectors of " + LENGTH;
    assert xo >= 0 && xo + n <= x.length : "x[" + xo + "], n = " + n + " of " + x.length;
    assert yo >= 0 && yo + n <= y.length : "y[" + yo + "], n = " + n + " of " + y.length;
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = load(x, xo + j);
      FloatVector a = v.abs();
      a = a.blend(all(TANH_MAX), a.compare(VectorOperators.GT, TANH_MAX));
      a = a.add(a);
      FloatVector t = fma(a, all(LOG2_E), all(ROUND_BIASED));
      FloatVector k = t.sub(all(ROUND_BIASED));
      FloatVector r = fma(k, all(MINUS_LN2_LOW), fma(k, all(MINUS_LN2_HIGH), a));
      FloatVector q = fma(all(Q5), r, all(Q4));
      q = fma(q, r, all(Q3));
      q = fma(q, r, all(Q2));
      q = fma(q, r, all(Q1));
      q = fma(q, r, all(Q0));
      FloatVector p = fma(r.mul(r), q, r);
      FloatVector s = bits(t).lanewise(VectorOperators.LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
      FloatVector m = fma(s, p, s.sub(all(1f)));
      IntVector magnitude = bits(m.div(m.add(all(2f))));
      IntVector sign = bits(v).and(IntVector.broadcast(INTS, Integer.MIN_VALUE));
      magnitude.or(sign).reinterpretAsFloats().intoArray(y, yo + j);
    }
  }
}
