package dev.unroll.cli;

/** What the scores of classes mean. */
final class Scores {
  private Scores() {}

  /** The likeliest of n classes; the first of equals. */
  static int best(float[] y, int offset, int n) {
    int best = 0;
    for (int k = 1; k < n; k++) {
      best = y[offset + k] > y[offset + best] ? k : best;
    }
    return best;
  }

  /** -log softmax(y)[wanted], in nats. */
  static double crossEntropy(float[] y, int offset, int n, int wanted) {
    double most = y[offset + best(y, offset, n)];
    double sum = 0;
    for (int k = 0; k < n; k++) {
      sum += StrictMath.exp(y[offset + k] - most);
    }
    return StrictMath.log(sum) + most - y[offset + wanted];
  }
}
