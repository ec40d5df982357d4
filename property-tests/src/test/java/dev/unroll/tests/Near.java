package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Comparisons of floats with doubles. */
final class Near {
  private Near() {}

  /**
   * The largest deviation is within a tolerance times the largest expected magnitude, or times 1.
   */
  static void outputs(double[] expected, float[] actual, double tolerance, String what) {
    compare(expected, actual, tolerance * Math.max(1, largest(expected)), what);
  }

  /** The largest deviation, relative to the largest expected magnitude. */
  static void relative(double[] expected, float[] actual, double tolerance, String what) {
    compare(expected, actual, tolerance * Math.max(1e-30, largest(expected)), what);
  }

  private static double largest(double[] values) {
    double largest = 0;
    for (double v : values) {
      largest = Math.max(largest, Math.abs(v));
    }
    return largest;
  }

  private static void compare(double[] expected, float[] actual, double limit, String what) {
    assertEquals(expected.length, actual.length, what + ": length");
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs(expected[i] - actual[i]);
      assertTrue(
          error <= limit,
          what + "[" + i + "] is " + actual[i] + ", not " + expected[i] + " (limit " + limit + ")");
    }
  }
}
