package dev.unroll.cli;

import java.util.Locale;

/** Sizes and durations for people. */
final class Sizes {
  private Sizes() {}

  static String bytes(long bytes) {
    if (bytes < 1024) {
      return bytes + " B";
    }
    String[] units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = bytes;
    int unit = -1;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
  }

  static String nanos(long nanos) {
    if (nanos < 1000) {
      return String.format(Locale.ROOT, "%d ns", nanos);
    }
    return nanos < 1_000_000
        ? String.format(Locale.ROOT, "%.2f us", nanos / 1e3)
        : String.format(Locale.ROOT, "%.2f ms", nanos / 1e6);
  }

  /** Refuses a batch of inputs that no array or heap can hold. */
  static void checkBatch(long batch, long time, long width) {
    long elements;
    try {
      elements = Math.multiplyExact(Math.multiplyExact(batch, time), width);
    } catch (ArithmeticException e) {
      elements = Long.MAX_VALUE;
    }
    if (elements > Integer.MAX_VALUE - 8) {
      throw new UsageException(
          "a batch of "
              + batch
              + " x "
              + time
              + " steps of "
              + width
              + " exceeds 2^31 elements;"
              + " choose a smaller --batch or shorter windows");
    }
    checkHeap(2 * Float.BYTES * elements);
  }

  /** Refuses a workspace that cannot fit before it is allocated. */
  static void checkHeap(long bytes) {
    long limit = Runtime.getRuntime().maxMemory();
    if (bytes > limit) {
      throw new UsageException(
          "the workspace needs "
              + bytes(bytes)
              + ", the heap is limited to "
              + bytes(limit)
              + "; choose a smaller batch, time or hidden size, or give more with"
              + " UNROLL_JAVA_OPTS=-Xmx...");
    }
  }
}
