package dev.unroll.simd;

/**
 * The order in which a product takes the panels of its matrix: forwards and backwards in turn. It
 * begins with the panels that the product before read last, which are still in the cache; always
 * forwards, a matrix a little larger than the cache would find nothing of itself there.
 *
 * <p>Panels hold different rows, so no order changes a bit. Threads that share a matrix may take
 * the same turn twice, which costs time only; where they do so all the time each has a turn of its
 * own.
 */
final class Sweep {
  /* Numbers of threads that follow each other are those of one team. */
  private static final int THREADS = 64;

  private boolean backwards;
  private final boolean[] ofThread = new boolean[THREADS];

  /** Turns around. Returns whether this product goes from the last panel to the first. */
  boolean turn() {
    boolean now = backwards;
    backwards = !now;
    return now;
  }

  /** The same for a matrix that threads share. */
  boolean turnOfThread() {
    int thread = (int) Thread.currentThread().threadId() & (THREADS - 1);
    boolean now = ofThread[thread];
    ofThread[thread] = !now;
    return now;
  }

  /** The panel that is taken as the j-th. */
  static int panel(boolean backwards, int j, int panels) {
    return backwards ? panels - 1 - j : j;
  }
}
