package dev.unroll.fallback;

import static dev.unroll.fallback.ScalarMath.fma;

/** Scalar twin of the parameter updates. */
final class ScalarOptimizer implements OptimizerKernels {

  @Override
  public void sgd(int from, int to, float[] w, float[] g, float lr, float decay) {
    for (int j = from; j < to; j++) {
      w[j] = fma(-lr, fma(decay, w[j], g[j]), w[j]);
    }
  }

  @Override
  public void momentum(
      int from,
      int to,
      float[] w,
      float[] g,
      float[] v,
      float lr,
      float momentum,
      boolean nesterov,
      float decay) {
    for (int j = from; j < to; j++) {
      float d = fma(decay, w[j], g[j]);
      float velocity = fma(momentum, v[j], d);
      v[j] = velocity;
      w[j] = fma(-lr, nesterov ? fma(momentum, velocity, d) : velocity, w[j]);
    }
  }

  @Override
  public void adam(int from, int to, float[] w, float[] g, float[] m, float[] v, AdamStep step) {
    float beta1 = step.beta1;
    float beta2 = step.beta2;
    for (int j = from; j < to; j++) {
      float kept = step.keep * w[j];
      float d = fma(step.decay, kept, g[j]);
      m[j] = fma(beta1, m[j], (1f - beta1) * d);
      v[j] = fma(beta2, v[j], (1f - beta2) * d * d);
      float divisor = (float) Math.sqrt(v[j]) / step.rootCorrection2 + step.eps;
      w[j] = fma(-step.stepSize, m[j] / divisor, kept);
    }
  }

  @Override
  public void rmsProp(
      int from,
      int to,
      float[] w,
      float[] g,
      float[] v,
      float lr,
      float alpha,
      float eps,
      float decay) {
    for (int j = from; j < to; j++) {
      float d = fma(decay, w[j], g[j]);
      v[j] = fma(alpha, v[j], (1f - alpha) * d * d);
      w[j] = fma(-lr, d / ((float) Math.sqrt(v[j]) + eps), w[j]);
    }
  }
}
