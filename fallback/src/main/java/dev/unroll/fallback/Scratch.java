package dev.unroll.fallback;

/**
 * Room for sums and inputs that stand at the beginning of an array of their own, as large as was
 * needed so far; per thread, since threads may share a matrix.
 */
final class Scratch {
  /** Inputs that stand beside each other. */
  static final int INPUTS = 32;

  private static final ThreadLocal<Scratch> ROOM =
      new ThreadLocal<>() {
        @Override
        protected Scratch initialValue() {
          return new Scratch();
        }
      };

  private float[] sums = new float[0];
  private float[][] inputs = new float[INPUTS][0];

  private Scratch() {}

  /** At least n floats, of any value. */
  static float[] sums(int n) {
    Scratch scratch = ROOM.get();
    if (scratch.sums.length < n) {
      scratch.sums = new float[n];
    }
    return scratch.sums;
  }

  /** {@link #INPUTS} arrays of at least n floats. */
  static float[][] inputs(int n) {
    Scratch scratch = ROOM.get();
    if (scratch.inputs[0].length < n) {
      scratch.inputs = new float[INPUTS][n];
    }
    return scratch.inputs;
  }
}
