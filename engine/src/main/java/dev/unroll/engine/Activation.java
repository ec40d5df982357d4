package dev.unroll.engine;

import dev.unroll.fallback.ScalarMath;

/**
 * An activation function of a gate or a state, from ONNX's list.
 *
 * @param kind the function
 * @param alpha its first parameter, where it has one
 * @param beta its second parameter, where it has one
 */
public record Activation(Kind kind, float alpha, float beta) {

  /** The functions f(x). */
  public enum Kind {
    /** 1 / (1 + exp(-x)). */
    SIGMOID,
    /** tanh(x). */
    TANH,
    /** max(0, x). */
    RELU,
    /** x for x &gt;= 0, else alpha x. */
    LEAKY_RELU,
    /** x for x &gt;= alpha, else 0. */
    THRESHOLDED_RELU,
    /** x for x &gt;= 0, else alpha (exp(x) - 1). */
    ELU,
    /** min(1, max(0, alpha x + beta)). */
    HARD_SIGMOID,
    /** x / (1 + |x|). */
    SOFTSIGN,
    /** log(1 + exp(x)). */
    SOFTPLUS,
    /** alpha tanh(beta x). */
    SCALED_TANH,
    /** alpha x + beta. */
    AFFINE
  }

  /* From here on log(1 + exp(x)) rounds to x. */
  private static final float SOFTPLUS_LINEAR = 30f;

  /** Checks the parameters. */
  public Activation {
    if (!Float.isFinite(alpha) || !Float.isFinite(beta)) {
      throw new IllegalArgumentException(
          kind + " needs finite parameters, not " + alpha + " and " + beta);
    }
  }

  /**
   * The function with ONNX's default parameters.
   *
   * @param kind the function
   * @return LeakyRelu 0.01; ThresholdedRelu, Elu, ScaledTanh, Affine 1; HardSigmoid 0.2 and 0.5
   */
  public static Activation of(Kind kind) {
    return switch (kind) {
      case LEAKY_RELU -> new Activation(kind, 0.01f, 0f);
      case THRESHOLDED_RELU, ELU, AFFINE -> new Activation(kind, 1f, 0f);
      case HARD_SIGMOID -> new Activation(kind, 0.2f, 0.5f);
      case SCALED_TANH -> new Activation(kind, 1f, 1f);
      case SIGMOID, TANH, RELU, SOFTSIGN, SOFTPLUS -> new Activation(kind, 0f, 0f);
    };
  }

  /**
   * y = f(x).
   *
   * @param x any float
   * @return the value
   */
  public float value(float x) {
    return switch (kind) {
      case SIGMOID -> ScalarMath.sigmoid(x);
      case TANH -> ScalarMath.tanh(x);
      case RELU -> x > 0 ? x : x * 0f;
      case LEAKY_RELU -> x >= 0 ? x : alpha * x;
      case THRESHOLDED_RELU -> x >= alpha ? x : 0f;
      case ELU -> x >= 0 ? x : alpha * (float) StrictMath.expm1(x);
      case HARD_SIGMOID -> Math.min(1f, Math.max(0f, ScalarMath.fma(alpha, x, beta)));
      case SOFTSIGN -> x / (1f + Math.abs(x));
      case SOFTPLUS ->
          x > SOFTPLUS_LINEAR ? x : (float) StrictMath.log1p(StrictMath.exp((double) x));
      case SCALED_TANH -> alpha * ScalarMath.tanh(beta * x);
      case AFFINE -> ScalarMath.fma(alpha, x, beta);
    };
  }

  /**
   * f'(x).
   *
   * @param x the argument
   * @param y f(x)
   * @return the derivative; at a kink that of the left side
   */
  public float derivative(float x, float y) {
    return switch (kind) {
      case SIGMOID -> ScalarMath.fma(-y, y, y);
      case TANH -> ScalarMath.fma(-y, y, 1f);
      case RELU -> x > 0 ? 1f : 0f;
      case LEAKY_RELU -> x > 0 ? 1f : alpha;
      case THRESHOLDED_RELU -> x > alpha ? 1f : 0f;
      case ELU -> x > 0 ? 1f : y + alpha;
      case HARD_SIGMOID -> y > 0 && y < 1 ? alpha : 0f;
      case SOFTSIGN -> 1f / ((1f + Math.abs(x)) * (1f + Math.abs(x)));
      case SOFTPLUS -> ScalarMath.sigmoid(x);
      case SCALED_TANH -> {
        float t = ScalarMath.tanh(beta * x);
        yield alpha * beta * ScalarMath.fma(-t, t, 1f);
      }
      case AFFINE -> alpha;
    };
  }
}
