package dev.unroll.simd;

import dev.unroll.fallback.ReducedMatrix;
import dev.unroll.fallback.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reduced weights off-heap in panels of rows, each panel by column: [panel][word][row in panel].
 */
final class WordPanels extends ReducedMatrix {
  /** Rows of a panel; the last one may have fewer. */
  static final int PANEL = 128;

  /* Unpacking keeps even so many waiting for instructions, not for memory. */
  private static final long LARGEST = Slab.SIZE / 2;

  final Sweep sweep = new Sweep();
  final MemorySegment words;

  /** Offset in the {@link Slab}, or -1. */
  final long slab;

  WordPanels(WeightFormat format, int rows, int columns) {
    super(format, rows, columns);
    long count = Math.multiplyExact((long) rows, (long) words());
    long size = count * Integer.BYTES;
    slab = Slab.allocate(this, size, LARGEST);
    words = Panels.memory(slab, size);
  }

  float[] bias() {
    return bias;
  }

  float[] scale() {
    return scale;
  }

  int count() {
    return (rows() + PANEL - 1) / PANEL;
  }

  int width(int panelStart) {
    return Math.min(PANEL, rows() - panelStart);
  }

  @Override
  protected void set(int row, int word, int value) {
    int start = row - row % PANEL;
    long index = (long) start * words() + (long) word * width(start) + (row - start);
    words.setAtIndex(ValueLayout.JAVA_INT, index, value);
  }
}
