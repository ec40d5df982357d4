package dev.unroll.engine;

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
    return ActivationMath.value(this, x);
  }

  /**
   * f'(x).
   *
   * @param x the argument
   * @param y f(x)
   * @return the derivative; at a kink that of the left side
   */
  public float derivative(float x, float y) {
    return ActivationMath.derivative(this, x, y);
  }
}
