package dev.unroll.perf;

import java.util.Arrays;

/** Sizes as benchmarks are given them. */
public final class Sizes {
  private Sizes() {}

  /**
   * Takes sizes apart.
   *
   * @param size for example {@code 64x128}
   * @return its numbers
   */
  public static int[] of(String size) {
    return Arrays.stream(size.split("x", -1)).mapToInt(Integer::parseInt).toArray();
  }
}
