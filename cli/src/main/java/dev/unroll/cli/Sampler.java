package dev.unroll.cli;

import dev.unroll.engine.Rng;

/** Draws a class from softmax(logits / temperature). */
final class Sampler {
  private final double[] weights;
  private final double temperature;
  private final Rng rng;

  Sampler(int classes, double temperature, Rng rng) {
    weights = new double[classes];
    this.temperature = temperature;
    this.rng = rng;
  }

  int sample(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    if (temperature == 0) {
      return best;
    }
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      weights[i] = StrictMath.exp((logits[i] - (double) logits[best]) / temperature);
      sum += weights[i];
    }
    double left = rng.nextDouble() * sum;
    for (int i = 0; i < logits.length; i++) {
      left -= weights[i];
      if (left < 0) {
        return i;
      }
    }
    return best;
  }
}
