package dev.unroll.fallback;

import java.util.Arrays;

/**
 * Room for sums and rows that stand at the beginning of an array of their own; per thread, since
 * threads may share a matrix.
 */
final class Scratch {
  /** Rows that stand beside each other, and how much of each. */
  static final int ROWS = 128;

  static final int WIDTH = 256;

  private static final ThreadLocal<Scratch> ROOM =
      new ThreadLocal<>() {
        @Override
        protected Scratch initialValue() {
          return new Scratch();
        }
      };

  private float[] sums = new float[0];
  private float[][] rows = new float[0][];

  private Scratch() {}

  /** At least n floats, of any value. */
  static float[] sums(int n) {
    Scratch scratch = ROOM.get();
    if (scratch.sums.length < n) {
      scratch.sums = new float[n];
    }
    return scratch.sums;
  }

  /** At least n floats, the first n of them 0. */
  static float[] zeros(int n) {
    float[] sums = sums(n);
    Arrays.fill(sums, 0, n, 0f);
    return sums;
  }

  /** {@link #ROWS} arrays of {@link #WIDTH} floats. */
  static float[][] rows() {
    Scratch scratch = ROOM.get();
    if (scratch.rows.length == 0) {
      scratch.rows = new float[ROWS][WIDTH];
    }
    return scratch.rows;
  }
}
