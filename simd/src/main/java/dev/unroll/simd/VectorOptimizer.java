package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import dev.unroll.fallback.OptimizerKernels;
import jdk.incubator.vector.FloatVector;

/** Vector twin of the parameter updates. */
final class VectorOptimizer implements OptimizerKernels {

  @Override
  public void sgd(int from, int to, float[] w, float[] g, float lr, float decay) {
    for (int j = from; j < to; j += LENGTH) {
      FloatVector old = FloatVector.fromArray(SPECIES, w, j);
      FloatVector.broadcast(SPECIES, -lr)
          .fma(
              FloatVector.broadcast(SPECIES, decay).fma(old, FloatVector.fromArray(SPECIES, g, j)),
              old)
          .intoArray(w, j);
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
    for (int j = from; j < to; j += LENGTH) {
      FloatVector old = FloatVector.fromArray(SPECIES, w, j);
      FloatVector d =
          FloatVector.broadcast(SPECIES, decay).fma(old, FloatVector.fromArray(SPECIES, g, j));
      FloatVector velocity =
          FloatVector.broadcast(SPECIES, momentum).fma(FloatVector.fromArray(SPECIES, v, j), d);
      velocity.intoArray(v, j);
      FloatVector direction =
          nesterov ? FloatVector.broadcast(SPECIES, momentum).fma(velocity, d) : velocity;
      FloatVector.broadcast(SPECIES, -lr).fma(direction, old).intoArray(w, j);
    }
  }

  @Override
  public void adam(int from, int to, float[] w, float[] g, float[] m, float[] v, AdamStep step) {
    float beta1 = step.beta1;
    float beta2 = step.beta2;
    for (int j = from; j < to; j += LENGTH) {
      FloatVector kept =
          FloatVector.broadcast(SPECIES, step.keep).mul(FloatVector.fromArray(SPECIES, w, j));
      FloatVector d =
          FloatVector.broadcast(SPECIES, step.decay)
              .fma(kept, FloatVector.fromArray(SPECIES, g, j));
      FloatVector first =
          FloatVector.broadcast(SPECIES, beta1)
              .fma(
                  FloatVector.fromArray(SPECIES, m, j),
                  FloatVector.broadcast(SPECIES, 1f - beta1).mul(d));
      FloatVector second =
          FloatVector.broadcast(SPECIES, beta2)
              .fma(
                  FloatVector.fromArray(SPECIES, v, j),
                  FloatVector.broadcast(SPECIES, 1f - beta2).mul(d).mul(d));
      first.intoArray(m, j);
      second.intoArray(v, j);
      FloatVector divisor =
          second
              .sqrt()
              .div(FloatVector.broadcast(SPECIES, step.rootCorrection2))
              .add(FloatVector.broadcast(SPECIES, step.eps));
      FloatVector.broadcast(SPECIES, -step.stepSize).fma(first.div(divisor), kept).intoArray(w, j);
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
    for (int j = from; j < to; j += LENGTH) {
      FloatVector old = FloatVector.fromArray(SPECIES, w, j);
      FloatVector d =
          FloatVector.broadcast(SPECIES, decay).fma(old, FloatVector.fromArray(SPECIES, g, j));
      FloatVector square =
          FloatVector.broadcast(SPECIES, alpha)
              .fma(
                  FloatVector.fromArray(SPECIES, v, j),
                  FloatVector.broadcast(SPECIES, 1f - alpha).mul(d).mul(d));
      square.intoArray(v, j);
      FloatVector.broadcast(SPECIES, -lr)
          .fma(d.div(square.sqrt().add(FloatVector.broadcast(SPECIES, eps))), old)
          .intoArray(w, j);
    }
  }
}
