package dev.unroll.fallback;

/**
 * The constants of exp, sigmoid and tanh, and the fixed orders of reduction: everything that both
 * twins must share to agree in every bit.
 *
 * <p>exp(x) = 2^n (1 + p(r)) with n = round(x / ln 2), r = x - n ln 2 in [-0.347, 0.347], and p(r)
 * = r + r² q(r) ~ expm1(r). The coefficients of q are a minimax fit (Lawson's algorithm) of the
 * error relative to expm1: 2^-26.1.
 */
public final class FloatMath {
  /** Coefficient of r^4 in q. */
  public static final float Q4 = 0x1.6b9c68p-10f;

  /** Coefficient of r^3 in q. */
  public static final float Q3 = 0x1.12254ap-7f;

  /** Coefficient of r^2 in q. */
  public static final float Q2 = 0x1.5556f2p-5f;

  /** Coefficient of r in q. */
  public static final float Q1 = 0x1.5554b4p-3f;

  /** Constant term of q. */
  public static final float Q0 = 0x1.fffffep-2f;

  /** 1 / ln 2. */
  public static final float LOG2_E = 0x1.715476p0f;

  /** 2 / ln 2. */
  public static final float TWO_LOG2_E = 2f * LOG2_E;

  /** ln 2 rounded to float, negated; n times it is exact inside a fused multiply-add. */
  public static final float MINUS_LN2_HIGH = -0x1.62e430p-1f;

  /** ln 2 - LN2_HIGH, negated; tanh does without. */
  public static final float MINUS_LN2_LOW = 0x1.05c610p-29f;

  /** 1.5 * 2^23: adding it rounds to an integer, which then stands in the low bits of the sum. */
  public static final float ROUND = 0x1.8p23f;

  /** Bias of the exponent of a float. */
  public static final int EXPONENT_BIAS = 127;

  /** Position of the exponent of a float. */
  public static final int EXPONENT_SHIFT = 23;

  /** ROUND + 127: the low bits of the sum are then the exponent field of 2^n. */
  public static final float ROUND_BIASED = ROUND + EXPONENT_BIAS;

  /**
   * ROUND + 127 + 64: the low bits are the exponent field of 2^(n + 64), a normal number for every
   * n in sigmoid, even where 2^n is denormal or 0.
   */
  public static final float ROUND_SHIFTED = ROUND_BIASED + 64;

  /** 2^64, the 1 of sigmoid's fraction; see {@link #ROUND_SHIFTED}. */
  public static final float ONE_SHIFTED = 0x1p64f;

  /** exp(-105) is below half the smallest float. */
  public static final float EXP_MIN = -105f;

  /** exp(89) is above the largest float. */
  public static final float EXP_MAX = 89f;

  /** sigmoid(x) rounds to 1 from 16.7 on. */
  public static final float SIGMOID_MAX = 40f;

  /** tanh(x) rounds to 1 from 9.02 on. */
  public static final float TANH_MAX = 10f;

  /** State and gradients with a smaller magnitude become 0. */
  public static final float FLUSH = 0x1p-100f;

  /** Elements per block of {@link ElementKernels#sumOfSquares}. */
  public static final int SUM_BLOCK = 4096;

  private FloatMath() {}

  /**
   * Adds sixteen partial sums pairwise: lane j and j + 8, then j + 4, j + 2, j + 1.
   *
   * @param lanes sixteen partial sums. Not modified.
   * @return their sum
   */
  public static float reduce(float[] lanes) {
    float a0 = (lanes[0] + lanes[8]) + (lanes[4] + lanes[12]);
    float a1 = (lanes[1] + lanes[9]) + (lanes[5] + lanes[13]);
    float a2 = (lanes[2] + lanes[10]) + (lanes[6] + lanes[14]);
    float a3 = (lanes[3] + lanes[11]) + (lanes[7] + lanes[15]);
    return (a0 + a2) + (a1 + a3);
  }
}
