package dev.unroll.fallback;

import static dev.unroll.fallback.FloatMath.*;

/** The scalar twin's arithmetic on one float: the only place where it multiplies and adds fused. */
public final class ScalarMath {
  private static final boolean FMA = Fma.isFast();

  private ScalarMath() {}

  /**
   * a b + c, rounded once. On a processor without fused multiply-add it rounds twice, because the
   * exact emulation is thousands of times slower; {@link Fma} tells.
   *
   * @param a factor
   * @param b factor
   * @param c summand
   * @return a b + c
   */
  public static float fma(float a, float b, float c) {
    return FMA ? Math.fma(a, b, c) : a * b + c;
  }

  /**
   * Replaces a magnitude below {@link FloatMath#FLUSH} by 0.
   *
   * @param x any float
   * @return x or 0
   */
  public static float flush(float x) {
    return Math.abs(x) < FLUSH ? 0f : x;
  }

  /* p(r) = r + r² q(r) ~ expm1(r); q by Estrin's scheme, which waits half as long as Horner's */
  private static float expm1OfRemainder(float r) {
    float r2 = r * r;
    float q = fma(Q4, r2, fma(Q3, r, Q2));
    q = fma(q, r2, fma(Q1, r, Q0));
    return fma(r2, q, r);
  }

  private static float remainder(float x, float n) {
    return fma(n, MINUS_LN2_LOW, fma(n, MINUS_LN2_HIGH, x));
  }

  /**
   * exp(x), see {@link ElementKernels#exp}.
   *
   * @param x any float
   * @return exp(x)
   */
  public static float exp(float x) {
    float y = x < EXP_MIN ? EXP_MIN : x;
    y = y > EXP_MAX ? EXP_MAX : y;
    float t = fma(y, LOG2_E, ROUND);
    float p = 1f + expm1OfRemainder(remainder(y, t - ROUND));
    int n = Float.floatToRawIntBits(t) - Float.floatToRawIntBits(ROUND);
    int half = n >> 1;
    return p * powerOfTwo(half) * powerOfTwo(n - half);
  }

  /* 2^n for n in [-126, 127] */
  private static float powerOfTwo(int n) {
    return Float.intBitsToFloat((n + EXPONENT_BIAS) << EXPONENT_SHIFT);
  }

  /* 2^n, its exponent field in the low bits of t. */
  private static float scale(float t) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(t) << EXPONENT_SHIFT);
  }

  /**
   * 1 / (1 + exp(-x)) = e / (2^64 + e) with e = 2^64 exp(x) = s + s p, see {@link
   * ElementKernels#sigmoid}.
   *
   * @param x any float
   * @return the logistic function of x
   */
  public static float sigmoid(float x) {
    if (x < EXP_MIN) {
      return 0f;
    }
    if (x > SIGMOID_MAX) {
      return 1f;
    }
    float t = fma(x, LOG2_E, ROUND_SHIFTED);
    float p = expm1OfRemainder(remainder(x, t - ROUND_SHIFTED));
    float s = scale(t);
    float e = fma(s, p, s);
    return e / (e + ONE_SHIFTED);
  }

  /**
   * tanh(|x|) = m / (m + 2) with m = expm1(2|x|) = s - 1 + s p, and the sign of x; see {@link
   * ElementKernels#tanh}.
   *
   * @param x any float
   * @return the hyperbolic tangent of x
   */
  public static float tanh(float x) {
    float y = Math.abs(x);
    if (y > TANH_MAX) {
      return Math.copySign(1f, x);
    }
    float t = fma(y, TWO_LOG2_E, ROUND_BIASED);
    float p = expm1OfRemainder(fma(t - ROUND_BIASED, MINUS_LN2_HIGH, y + y));
    float s = scale(t);
    float m = fma(s, p, s - 1f);
    int magnitude = Float.floatToRawIntBits(m / (m + 2f));
    return Float.intBitsToFloat(magnitude | (Float.floatToRawIntBits(x) & Integer.MIN_VALUE));
  }
}
