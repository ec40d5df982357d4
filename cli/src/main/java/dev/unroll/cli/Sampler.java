package dev.unroll.cli;

import dev.unroll.engine.Rng;
import java.util.Arrays;
import java.util.Comparator;

/**
 * Draws a class from softmax(logits / temperature), out of the k likeliest, or out of the fewest
 * likeliest whose probabilities add up to p (nucleus sampling, Holtzman et al. 2020).
 */
final class Sampler {
  private final double[] weights;
  private final double temperature;
  private final Rng rng;

  private final int topK;
  private final double topP;
  private final Integer[] order;

  /** k of 0 and p of 1 leave no class out. */
  Sampler(int classes, double temperature, int topK, double topP, Rng rng) {
    weights = new double[classes];
    this.temperature = temperature;
    this.topK = topK == 0 ? classes : Math.min(topK, classes);
    this.topP = topP;
    this.rng = rng;
    order = new Integer[classes];
    Arrays.setAll(order, i -> i);
  }

  int sample(float[] logits) {
    int best = Scores.best(logits, 0, logits.length);
    if (temperature == 0) {
      return best;
    }
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      weights[i] = StrictMath.exp((logits[i] - (double) logits[best]) / temperature);
      sum += weights[i];
    }
    if (topK < weights.length || topP < 1) {
      sum = leaveOut(sum);
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

  /* Sets the weights of all but the likeliest to 0; ties go to the smaller class. */
  private double leaveOut(double sum) {
    Arrays.sort(order, Comparator.<Integer>comparingDouble(i -> -weights[i]).thenComparing(i -> i));
    double kept = 0;
    for (int rank = 0; rank < order.length; rank++) {
      if (rank < topK && (rank == 0 || kept < topP * sum)) {
        kept += weights[order[rank]];
      } else {
        weights[order[rank]] = 0;
      }
    }
    return kept;
  }
}
