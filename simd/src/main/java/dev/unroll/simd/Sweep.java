package dev.unroll.simd;

/**
 * The order in which a product takes the panels of its matrix: forwards and backwards in turn. It
 * begins with the panels that the product before read last, which are still in the cache; always
 * forwards, a matrix a little larger than the cache would find nothing of itself there.
 *
 * <p>Panels hold different rows, so no order changes a bit. Threads that share a matrix may take
 * the same turn twice, which costs time only.
 */
final class Sweep {
  private boolean backwards;

  /** Turns around. Returns whether this product goes from the last panel to the first. */
  boolean turn() {
    boolean now = backwards;
    backwards = !now;
    return now;
  }

  /** The panel that is taken as the j-th. */
  static int panel(boolean backwards, int j, int panels) {
    return backwards ? panels - 1 - j : j;
  }
}
