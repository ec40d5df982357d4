package dev.unroll.engine;

import dev.unroll.fallback.ScalarMath;

/** What {@link Activation} and {@link CellOptions} compute; like all of a step without strings. */
final class ActivationMath {
  /* From here on log(1 + exp(x)) rounds to x. */
  private static final float SOFTPLUS_LINEAR = 30f;

  private ActivationMath() {}

  static float value(Activation f, float x) {
    float alpha = f.alpha();
    float beta = f.beta();
    return switch (f.kind()) {
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

  static float derivative(Activation f, float x, float y) {
    float alpha = f.alpha();
    float beta = f.beta();
    return switch (f.kind()) {
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

  /** z within the bound, 0 for none. */
  static float clip(float bound, float z) {
    return bound == 0 ? z : Math.min(bound, Math.max(-bound, z));
  }

  /** Derivative of y = f(clip(z)), from the clipped z. */
  static float derivative(Activation f, float bound, float clipped, float y) {
    return derivative(f, clipped, y) * clipSlope(bound, clipped);
  }

  /** Derivative of {@link #clip}, from its value. */
  static float clipSlope(float bound, float clipped) {
    return bound == 0 || Math.abs(clipped) < bound ? 1f : 0f;
  }
}
