package dev.unroll.engine;

/** What a training step makes small. */
public enum Loss {
  /** Mean over all output elements of (y - t)². */
  MEAN_SQUARED_ERROR,
  /** Mean over all steps and rows of -log softmax(y)[target], in nats. */
  SOFTMAX_CROSS_ENTROPY
}
