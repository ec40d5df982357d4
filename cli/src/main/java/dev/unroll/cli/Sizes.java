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
