package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;

import dev.unroll.fallback.ReducedMatrix;
import dev.unroll.fallback.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reduced weights off-heap in panels of rows, each panel by column: [panel][word][row in panel]. A
 * panel is as high as its kernel has accumulators.
 */
final class WordPanels extends ReducedMatrix {
  /* The kernel for four vectors also takes two, and then reads two more. */
  private static final int PAST = 2 * LENGTH * Integer.BYTES;

  final Sweep sweep = new Sweep();
  final MemorySegment words;

  /** Offset in the {@link Slab}, or -1. */
  final long slab;

  /** First row of every panel, and the number of rows. */
  final int[] starts;

  /* Bytes wait for their conversion in any kernel, halves for sums that are not in registers. */
  private final boolean eights;

  WordPanels(WeightFormat format, int rows, int columns) {
    super(format, rows, columns);
    eights = format == WeightFormat.INT8;
    long count = Math.multiplyExact((long) rows, (long) words());
    long size = count * Integer.BYTES;
    /* However large: unpacking waits for instructions, not for memory. */
    slab = Slab.allocate(this, size, false);
    words = Panels.memory(slab, size + PAST);
    starts = Panels.starts(rows / LENGTH, this::height);
  }

  /* In vectors; the kernels for more than four read from the slab. */
  private int height(int left) {
    if (slab < 0 || left < 4 || (eights && left < 8)) {
      return Math.min(left, 4);
    }
    return eights ? 8 : Lanes.rows(left);
  }

  float[] bias() {
    return bias;
  }

  float[] scale() {
    return scale;
  }

  /** Bytes from the first word of all to the words of a column in a panel. */
  long at(int panel, int word) {
    int start = starts[panel];
    int height = starts[panel + 1] - start;
    return ((long) start * words() + (long) word * height) * Integer.BYTES;
  }

  @Override
  protected void set(int row, int word, int value) {
    int panel = Panels.panel(starts, row);
    long at = at(panel, word) + (long) (row - starts[panel]) * Integer.BYTES;
    words.set(ValueLayout.JAVA_INT, at, value);
  }
}
