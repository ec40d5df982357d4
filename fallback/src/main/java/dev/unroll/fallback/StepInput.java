package dev.unroll.fallback;

/**
 * Puts the input of a step where a product reads it; like all classes of a step without strings.
 */
public final class StepInput {
  /*
   * So few floats are copied faster one by one: System.arraycopy stores them under a mask, and the
   * product, which reads them one by one, would wait until they have reached the cache.
   */
  private static final int FEW = 64;

  private StepInput() {}

  /**
   * Copies x.
   *
   * @param n number of floats
   * @param x from here. Not modified.
   * @param xo first index
   * @param to to here. Modified.
   * @param o first index
   */
  public static void copy(int n, float[] x, int xo, float[] to, int o) {
    if (n >= FEW) {
      System.arraycopy(x, xo, to, o, n);
      return;
    }
    for (int i = 0; i < n; i++) {
      to[o + i] = x[xo + i];
    }
  }
}
