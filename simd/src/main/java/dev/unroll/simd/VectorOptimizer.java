package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.all;
import static dev.unroll.simd.Lanes.load;
import static dev.unroll.simd.VectorMath.fma;

import dev.unroll.fallback.OptimizerKernels;
import jdk.incubator.vector.FloatVector;

/** Vector twin of the parameter updates. */
final class VectorOptimizer implements OptimizerKernels {

  @Override
  public void sgd(int n, float[] w, float[] g, float lr, float decay) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector old = load(w, j);
      fma(all(-lr), fma(all(decay), old, load(g, j)), old).intoArray(w, j);
    }
  }

  @Override
  public void momentum(
      int n,
      float[] w,
      float[] g,
      float[] v,
      float lr,
      float momentum,
      boolean nesterov,
      float decay) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector old = load(w, j);
      FloatVector d = fma(all(decay), old, load(g, j));
      FloatVector velocity = fma(all(momentum), load(v, j), d);
      velocity.intoArray(v, j);
      FloatVector direction = nesterov ? fma(all(momentum), velocity, d) : velocity;
      fma(all(-lr), direction, old).intoArray(w, j);
    }
  }

  @Override
  public void adam(int n, float[] w, float[] g, float[] m, float[] v, AdamStep step) {
    float beta1 = step.beta1;
    float beta2 = step.beta2;
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector kept = all(step.keep).mul(load(w, j));
      FloatVector d = fma(all(step.decay), kept, load(g, j));
      FloatVector first = fma(all(beta1), load(m, j), all(1f - beta1).mul(d));
      FloatVector second = fma(all(beta2), load(v, j), all(1f - beta2).mul(d).mul(d));
      first.intoArray(m, j);
      second.intoArray(v, j);
      FloatVector divisor = second.sqrt().div(all(step.rootCorrection2)).add(all(step.eps));
      fma(all(-step.stepSize), first.div(divisor), kept).intoArray(w, j);
    }
  }

  @Override
  public void rmsProp(
      int n, float[] w, float[] g, float[] v, float lr, float alpha, float eps, float decay) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector old = load(w, j);
      FloatVector d = fma(all(decay), old, load(g, j));
      FloatVector square = fma(all(alpha), load(v, j), all(1f - alpha).mul(d).mul(d));
      square.intoArray(v, j);
      fma(all(-lr), d.div(square.sqrt().add(all(eps))), old).intoArray(w, j);
    }
  }
}
