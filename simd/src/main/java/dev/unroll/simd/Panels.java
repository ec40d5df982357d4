package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * Weights in panels of rows, off-heap at 64-byte boundaries, each panel by column: [panel][column]
 * [row in panel]; the bias on the heap. A lane is an output row.
 *
 * <p>A panel is as high as its kernel has accumulators: two vectors for a batch, eight to twelve
 * for a step; fewer where the first-level cache then keeps a whole panel, and four outside the
 * slab.
 */
final class Panels extends PackedMatrix {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
  private static final int ALIGNMENT = 64;

  /* Larger matrices wait for memory, not for range checks. */
  private static final long LARGEST = Slab.LOW / 2;

  /* Of so many columns the first-level cache keeps a panel of 128 rows beside other matrices. */
  private static final int FEW_COLUMNS = 48;

  /* Vectors of rows: with eight sums none waits for itself, with four they are as fast as memory. */
  private static final int USUAL = 8;
  private static final int LEAST = 4;

  /* What a kernel takes at most, so that few are not left over. */
  private static final int HIGHEST = 12;

  /* Vectors of rows at most of a cell that takes its steps at once. */
  private static final int AT_ONCE = 8;

  /*
   * A little more than the first-level cache keeps is faster at once, too: a kernel less is worth
   * the rest from the second one.
   */
  private static final int AT_ONCE_BYTES = FirstLevelCache.BYTES / 8 * 9;

  /* Less of three panels in the first-level cache is not worth a third one. */
  private static final int KEPT_OF_THREE = 10;

  /* Bytes that a step in several kernels needs beside its weights: inputs, gates and state. */
  private static final int BESIDE = 1 << 11;

  /* One column of a panel on its way, since a store off-heap costs a check for each element. */
  private static final ThreadLocal<float[]> PART =
      ThreadLocal.withInitial(() -> new float[HIGHEST * LENGTH]);

  /* A tile, and behind it as many columns of a panel. */
  private static final int TILE = LENGTH * LENGTH;
  private static final ThreadLocal<float[]> TILES =
      ThreadLocal.withInitial(() -> new float[TILE + HIGHEST * TILE]);

  /*
   * What a network for inference and its warm-up pack, they pack element by element: in the
   * interpreter vectors take microseconds. Who packs more often, trains.
   */
  private static final long SCALAR_PACKS = 2;

  /** Offset in the {@link Slab}, or -1 where the weights stand in memory of their own. */
  final long slab;

  /** First row of every panel, and the number of rows. */
  final int[] starts;

  /* Elements packed so far; threads that pack at the same time may forget some. */
  private long packed;

  final Sweep sweep = new Sweep();
  final MemorySegment weights;
  final float[] bias;

  /** Whether the layout is that of {@link VectorGemm}. */
  final boolean batch;

  /** Whether {@link KeptGemv} takes a step. */
  final boolean kept;

  /** Whether {@link CopiedInputs} takes the inputs, as many as it needs. */
  final boolean copied;

  /**
   * Zeros.
   *
   * @param large whether the matrix, if of few columns, goes the way of a large one
   */
  Panels(int rows, int columns, PackedMatrix.Use use, boolean large) {
    super(rows, columns);
    copied = CopiedInputs.pay(rows, columns) || (large && columns <= CopiedInputs.COLUMNS);
    batch = use == PackedMatrix.Use.BATCH;
    long size = Math.multiplyExact((long) rows * columns, (long) Float.BYTES);
    slab = batch || size > LARGEST ? -1 : Slab.allocate(this, size, true);
    weights = memory(slab, size);
    int vectors = rows / LENGTH;
    starts = starts(vectors, this::height);
    kept = vectors >= LEAST && vectors < USUAL && isOnePanel() && isKept();
    bias = new float[rows];
  }

  /** The memory at an offset of the {@link Slab}, or memory of its own where that is -1. */
  static MemorySegment memory(long slab, long bytes) {
    return slab < 0 ? Arena.ofAuto().allocate(bytes, ALIGNMENT) : Slab.MEMORY.asSlice(slab, bytes);
  }

  /**
   * First rows of panels one below the other, and the number of rows.
   *
   * @param height of the next panel for so many vectors left, in vectors
   */
  static int[] starts(int vectors, IntUnaryOperator height) {
    int[] starts = new int[vectors + 1];
    int n = 0;
    for (int at = 0; at < vectors; n++) {
      int next = height.applyAsInt(vectors - at);
      assert next >= 1 && next <= HIGHEST;
      at += next;
      starts[n + 1] = at * LENGTH;
    }
    return Arrays.copyOf(starts, n + 1);
  }

  /**
   * Whether a cell of two vectors of units takes its steps at once. Its gates are padded then; rows
   * that are there for that alone cost time and cache, and so count twice.
   *
   * @param columns inputs and units
   */
  static boolean atOnce(int gates, int hidden, int columns) {
    int padded = gates * 2 * LENGTH;
    int dense = Kernels.pad(gates * hidden);
    return hidden <= 2 * LENGTH && bytes(2 * padded - dense, columns) <= AT_ONCE_BYTES;
  }

  /** From gate to gate: whole vectors where that takes no memory, as the rows of all are padded. */
  static int stride(int gates, int hidden) {
    int whole = Math.ceilDiv(hidden, LENGTH) * LENGTH;
    return Kernels.pad(gates * hidden) == Kernels.pad(gates * whole) ? whole : hidden;
  }

  private static long bytes(int rows, int columns) {
    return (long) rows * columns * Float.BYTES;
  }

  /**
   * Whether these are the gates of units in one vector, and all weights in one panel of the slab.
   */
  boolean holdsOne(int gates, int units) {
    return units <= LENGTH && rows() == gates * Kernels.LANES && isOnePanel();
  }

  /** The same for more vectors. */
  boolean holds(int gates, int vectors) {
    return rows() == vectors * gates * LENGTH && isOnePanel();
  }

  /** Whether all weights stand in one panel of the slab, of few enough columns for one loop. */
  boolean isOnePanel() {
    return starts.length == 2 && slab >= 0 && columns() <= Slab.COLUMNS;
  }

  /** The panel of a row. */
  static int panel(int[] starts, int row) {
    int at = Arrays.binarySearch(starts, row);
    return at >= 0 ? at : -at - 2;
  }

  /* In vectors: what the kernels of SlabGemv and VectorGemv take. */
  private int height(int left) {
    if (slab < 0) {
      return Math.min(batch ? 2 : 4, Integer.highestOneBit(left));
    }
    boolean turns =
        !isKept() && columns() > FEW_COLUMNS && LENGTH == Kernels.LANES && isKept(LEAST);
    if (turns) {
      return turning(rows() / LENGTH, left);
    }
    return left <= HIGHEST ? left : USUAL;
  }

  /* Whether all rows are one panel that the first-level cache keeps, or all but a little. */
  private boolean isKept() {
    int all = rows() / LENGTH;
    long bytes = bytes(rows(), columns());
    return (all <= AT_ONCE && bytes <= AT_ONCE_BYTES)
        || (all <= HIGHEST && bytes <= FirstLevelCache.BYTES);
  }

  /* Whether the first-level cache keeps a panel of so many vectors. */
  private boolean isKept(int vectors) {
    return bytes(vectors * LENGTH, columns()) + BESIDE <= FirstLevelCache.BYTES;
  }

  /*
   * Every other step goes from the last panel to the first, see Sweep. So one step ends with the
   * panel that the next begins with, and the first-level cache should keep it, or two of three. Those
   * in between come from the second one, which is slower than four sums that wait for themselves.
   */
  private int turning(int all, int left) {
    if (all <= LEAST + 1) {
      return all;
    }
    int most = USUAL;
    while (!isKept(most)) {
      most--;
    }
    int end = endOfThree(all);
    if (end == 0) {
      if (all <= Math.max(2 * most, 2 * LEAST + 1)) {
        return left == all ? (all + 1) / 2 : left;
      }
      end = most;
      while (all - 2 * end < LEAST - 1) {
        end--;
      }
    }
    if (left == all || left == end) {
      return end;
    }
    int between = left - end;
    return Math.ceilDiv(between, Math.ceilDiv(between, most + LEAST - 1));
  }

  /* Height of the first and the last of three panels, two of which are kept; 0 if two are better. */
  private int endOfThree(int all) {
    int end = LEAST;
    while (!isKept(all - end)) {
      end++;
    }
    boolean three = all > HIGHEST && all <= 2 * USUAL && all - 2 * end >= LEAST;
    return three && isKept(KEPT_OF_THREE) ? end : 0;
  }

  @Override
  public long bytes() {
    return weights.byteSize() + (long) Float.BYTES * bias.length;
  }

  /** See {@link dev.unroll.fallback.AffineKernels#pack}. */
  void pack(int row, int column, int height, int width, float[] from, int offset, int stride) {
    float[] part = PART.get();
    boolean tiled = packed > SCALAR_PACKS * rows() * columns();
    packed += (long) height * width;
    for (int panel = panel(starts, row), i = row; i < row + height; panel++) {
      int start = starts[panel];
      int lanes = starts[panel + 1] - start;
      int end = Math.min(row + height, starts[panel + 1]);
      boolean whole = i == start && end == starts[panel + 1];
      int tiles = tiled && whole ? width / LENGTH * LENGTH : 0;
      if (tiles > 0) {
        packTiles(start, lanes, column, tiles, from, offset + (i - row) * stride, stride);
      }
      for (int j = tiles; j < width; j++) {
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

  /* Columns of a whole panel, as many at a time as vectors have lanes. */
  private void packTiles(
      int start, int lanes, int column, int width, float[] from, int offset, int stride) {
    float[] tiles = TILES.get();
    for (int j = 0; j < width; j += LENGTH) {
      for (int r = 0; r < lanes; r += LENGTH) {
        int at = offset + r * stride + j;
        Transposition.transpose(from, at, stride, tiles, tiles, TILE + r, lanes);
      }
      long to = (long) start * columns() + (long) (column + j) * lanes;
      MemorySegment.copy(tiles, TILE, weights, FLOAT, to * Float.BYTES, LENGTH * lanes);
    }
  }

  /** See {@link dev.unroll.fallback.AffineKernels#packTransposed}. */
  void packTransposed(
      int row, int column, int height, int width, float[] from, int offset, int stride) {
    for (int panel = panel(starts, row), i = row; i < row + height; panel++) {
      int start = starts[panel];
      int lanes = starts[panel + 1] - start;
      int end = Math.min(row + height, starts[panel + 1]);
      for (int j = 0; j < width; j++) {
        long to = (long) start * columns() + (long) (column + j) * lanes + (i - start);
        int at = offset + j * stride + (i - row);
        MemorySegment.copy(from, at, weights, FLOAT, to * Float.BYTES, end - i);
      }
      i = end;
    }
  }
}
