package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;

import dev.unroll.fallback.PackedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Weights in panels of rows, off-heap at 64-byte boundaries, each panel by column: [panel][column]
 * [row in panel]; the bias on the heap. A lane is an output row.
 *
 * <p>A panel is as wide as the accumulators of its kernel, eight vectors for a step and two for a
 * batch, so that the distance from column to column is a constant and C2 can take the range checks
 * out of the loop. What rows are left over stand in panels of half, a quarter, an eighth of that.
 */
final class Panels extends PackedMatrix {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
  private static final int ALIGNMENT = 64;

  /* One column of a panel on its way, since a store off-heap costs a check for each element. */
  private static final ThreadLocal<float[]> PART =
      ThreadLocal.withInitial(() -> new float[8 * LENGTH]);

  /** Vectors in a full panel. */
  final int vectors;

  final MemorySegment weights;
  final float[] bias;

  Panels(int rows, int columns, PackedMatrix.Use use) {
    super(rows, columns);
    vectors = use == PackedMatrix.Use.BATCH ? 2 : columns < VectorGemv.MANY ? 8 : 4;
    long size = Math.multiplyExact((long) rows * columns, (long) Float.BYTES);
    weights = Arena.ofAuto().allocate(size, ALIGNMENT);
    bias = new float[rows];
  }

  @Override
  public long bytes() {
    return weights.byteSize() + (long) Float.BYTES * bias.length;
  }

  /** First row of the panel that holds a row. */
  private int start(int row) {
    int width = vectors * LENGTH;
    int start = row - row % width;
    while (start + width > rows()) {
      width /= 2;
      start = row - row % width;
    }
    return start;
  }

  /** Rows of the panel that starts at a row. */
  private int width(int start) {
    int width = vectors * LENGTH;
    while (start % width != 0 || start + width > rows()) {
      width /= 2;
    }
    return width;
  }

  /** See {@link dev.unroll.fallback.AffineKernels#pack}. */
  void pack(int row, int column, int height, int width, float[] from, int offset, int stride) {
    float[] part = PART.get();
    for (int i = row; i < row + height; ) {
      int start = start(i);
      int lanes = width(start);
      int end = Math.min(row + height, start + lanes);
      for (int j = 0; j < width; j++) {
        long to = (long) start * columns() + (long) (column + j) * lanes + (i - start);
        int at = offset + (i - row) * stride + j;
        for (int r = 0; r < end - i; r++) {
          part[r] = from[at + r * stride];
        }
        MemorySegment.copy(part, 0, weights, FLOAT, to * Float.BYTES, end - i);
      }
      i = end;
    }
  }

  /** See {@link dev.unroll.fallback.AffineKernels#packTransposed}. */
  void packTransposed(
      int row, int column, int height, int width, float[] from, int offset, int stride) {
    for (int i = row; i < row + height; ) {
      int start = start(i);
      int lanes = width(start);
      int end = Math.min(row + height, start + lanes);
      for (int j = 0; j < width; j++) {
        long to = (long) start * columns() + (long) (column + j) * lanes + (i - start);
        int at = offset + j * stride + (i - row);
        MemorySegment.copy(from, at, weights, FLOAT, to * Float.BYTES, end - i);
      }
      i = end;
    }
  }
}
