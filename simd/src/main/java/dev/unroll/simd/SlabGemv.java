package dev.unroll.simd;

import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;
import static dev.unroll.simd.Slab.COLUMNS;
import static dev.unroll.simd.Slab.MASK;
import static dev.unroll.simd.Slab.MEMORY;
import static dev.unroll.simd.Slab.START;

import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Matrix times one vector, weights in the {@link Slab}: {@link VectorGemv} without range checks.
 *
 * <p>Kernels of four vectors and more have as few instructions a column as can be: multiply-adds
 * that load, from one address and displacements; see {@link Slab}. An offset is masked for good
 * after every two vectors, of eight and more after every four: C2 puts loads that wait for nothing
 * in any order, and from the second-level cache eight of them out of order take 25 to 40 per cent
 * longer. {@link KeptGemv} does without, where nothing comes from there.
 *
 * <p>Those of up to three wait for their sums. Their stride is a parameter and the offset carried
 * from column to column, because C2 unrolls others. Calls with no columns are idle.
 */
final class SlabGemv {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  private SlabGemv() {}

  /** z = b + W x for one input; b may be z. */
  static void affine(Panels m, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (m.kept) {
      KeptGemv.affine(m, x, xo, b, bo, z, zo);
      return;
    }
    int panels = m.starts.length - 1;
    boolean backwards = m.sweep.turn();
    try {
      for (int j = 0; j < panels; j++) {
        panel(m, Sweep.panel(backwards, j, panels), x, xo, b, bo, z, zo);
      }
    } finally {
      Reference.reachabilityFence(m);
    }
  }

  /* Apart from the loop, so that C2 inlines both: together they are too large for that. */
  private static void panel(
      Panels m, int i, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    int columns = z.length == 0 ? 0 : m.columns();
    int r = m.starts[i];
    int height = m.starts[i + 1] - r;
    long at = m.slab + (long) r * columns * Float.BYTES;
    int zi = zo + r;
    part(height, at, Math.min(columns, COLUMNS), x, xo, b, bo + r, z, zi);
    for (int k = COLUMNS; k < columns; k += COLUMNS) {
      long next = at + (long) k * height * Float.BYTES;
      part(height, next, Math.min(columns - k, COLUMNS), x, xo + k, z, zi, z, zi);
    }
  }

  /* So many columns of a panel. */
  private static void part(
      int height, long at, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    switch (height / LENGTH) {
      case 12 -> twelve(at, columns, x, xo, b, bo, z, zo);
      case 11 -> eleven(at, columns, x, xo, b, bo, z, zo);
      case 10 -> ten(at, columns, x, xo, b, bo, z, zo);
      case 9 -> nine(at, columns, x, xo, b, bo, z, zo);
      case 8 -> eight(at, columns, x, xo, b, bo, z, zo);
      case 7 -> seven(at, columns, x, xo, b, bo, z, zo);
      case 6 -> six(at, columns, x, xo, b, bo, z, zo);
      case 5 -> five(at, columns, x, xo, b, bo, z, zo);
      case 4 -> four(at, columns, x, xo, b, bo, z, zo);
      case 3 -> three(at, 3 * BYTES, columns, x, xo, b, bo, z, zo);
      case 2 -> two(at, 2 * BYTES, columns, x, xo, b, bo, z, zo);
      default -> one(at, BYTES, columns, x, xo, b, bo, z, zo);
    }
  }

  /* z[0..12 vectors) = b + W x. */
  private static void twelve(
      long at, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, bo + 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(SPECIES, b, bo + 6 * LENGTH);
    FloatVector a7 = FloatVector.fromArray(SPECIES, b, bo + 7 * LENGTH);
    FloatVector a8 = FloatVector.fromArray(SPECIES, b, bo + 8 * LENGTH);
    FloatVector a9 = FloatVector.fromArray(SPECIES, b, bo + 9 * LENGTH);
    FloatVector a10 = FloatVector.fromArray(SPECIES, b, bo + 10 * LENGTH);
    FloatVector a11 = FloatVector.fromArray(SPECIES, b, bo + 11 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * (12 * BYTES);
    for (int p = 0, i = xo; p < end; p += 12 * BYTES, i += step) {
      FloatVector xi = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      a2 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a2);
      a3 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a3);
      o = (o + 4L * BYTES) & START;
      a4 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
      a5 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a5);
      a6 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a6);
      a7 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a7);
      o = (o + 4L * BYTES) & START;
      a8 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a8);
      a9 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a9);
      a10 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a10);
      a11 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a11);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
    a5.intoArray(z, zo + 5 * LENGTH);
    a6.intoArray(z, zo + 6 * LENGTH);
    a7.intoArray(z, zo + 7 * LENGTH);
    a8.intoArray(z, zo + 8 * LENGTH);
    a9.intoArray(z, zo + 9 * LENGTH);
    a10.intoArray(z, zo + 10 * LENGTH);
    a11.intoArray(z, zo + 11 * LENGTH);
  }

  /* z[0..11 vectors) = b + W x. */
  private static void eleven(
      long at, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, bo + 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(SPECIES, b, bo + 6 * LENGTH);
    FloatVector a7 = FloatVector.fromArray(SPECIES, b, bo + 7 * LENGTH);
    FloatVector a8 = FloatVector.fromArray(SPECIES, b, bo + 8 * LENGTH);
    FloatVector a9 = FloatVector.fromArray(SPECIES, b, bo + 9 * LENGTH);
    FloatVector a10 = FloatVector.fromArray(SPECIES, b, bo + 10 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * (11 * BYTES);
    for (int p = 0, i = xo; p < end; p += 11 * BYTES, i += step) {
      FloatVector xi = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      a2 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a2);
      a3 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a3);
      o = (o + 4L * BYTES) & START;
      a4 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
      a5 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a5);
      a6 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a6);
      a7 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a7);
      o = (o + 4L * BYTES) & START;
      a8 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a8);
      a9 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a9);
      a10 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a10);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
    a5.intoArray(z, zo + 5 * LENGTH);
    a6.intoArray(z, zo + 6 * LENGTH);
    a7.intoArray(z, zo + 7 * LENGTH);
    a8.intoArray(z, zo + 8 * LENGTH);
    a9.intoArray(z, zo + 9 * LENGTH);
    a10.intoArray(z, zo + 10 * LENGTH);
  }

  /* z[0..10 vectors) = b + W x. */
  private static void ten(
      long at, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, bo + 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(SPECIES, b, bo + 6 * LENGTH);
    FloatVector a7 = FloatVector.fromArray(SPECIES, b, bo + 7 * LENGTH);
    FloatVector a8 = FloatVector.fromArray(SPECIES, b, bo + 8 * LENGTH);
    FloatVector a9 = FloatVector.fromArray(SPECIES, b, bo + 9 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * (10 * BYTES);
    for (int p = 0, i = xo; p < end; p += 10 * BYTES, i += step) {
      FloatVector xi = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      a2 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a2);
      a3 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a3);
      o = (o + 4L * BYTES) & START;
      a4 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
      a5 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a5);
      a6 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a6);
      a7 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a7);
      o = (o + 4L * BYTES) & START;
      a8 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a8);
      a9 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a9);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
    a5.intoArray(z, zo + 5 * LENGTH);
    a6.intoArray(z, zo + 6 * LENGTH);
    a7.intoArray(z, zo + 7 * LENGTH);
    a8.intoArray(z, zo + 8 * LENGTH);
    a9.intoArray(z, zo + 9 * LENGTH);
  }

  /* z[0..9 vectors) = b + W x. */
  private static void nine(
      long at, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, bo + 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(SPECIES, b, bo + 6 * LENGTH);
    FloatVector a7 = FloatVector.fromArray(SPECIES, b, bo + 7 * LENGTH);
    FloatVector a8 = FloatVector.fromArray(SPECIES, b, bo + 8 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * (9 * BYTES);
    for (int p = 0, i = xo; p < end; p += 9 * BYTES, i += step) {
      FloatVector xi = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      a2 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a2);
      a3 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a3);
      o = (o + 4L * BYTES) & START;
      a4 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
      a5 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a5);
      a6 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a6);
      a7 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a7);
      o = (o + 4L * BYTES) & START;
      a8 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a8);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
    a5.intoArray(z, zo + 5 * LENGTH);
    a6.intoArray(z, zo + 6 * LENGTH);
    a7.intoArray(z, zo + 7 * LENGTH);
    a8.intoArray(z, zo + 8 * LENGTH);
  }

  /* z[0..8 vectors) = b + W x. */
  private static void eight(
      long at, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, bo + 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(SPECIES, b, bo + 6 * LENGTH);
    FloatVector a7 = FloatVector.fromArray(SPECIES, b, bo + 7 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * (8 * BYTES);
    for (int p = 0, i = xo; p < end; p += 8 * BYTES, i += step) {
      FloatVector xi = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      a2 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a2);
      a3 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a3);
      o = (o + 4L * BYTES) & START;
      a4 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
      a5 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a5);
      a6 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a6);
      a7 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a7);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
    a5.intoArray(z, zo + 5 * LENGTH);
    a6.intoArray(z, zo + 6 * LENGTH);
    a7.intoArray(z, zo + 7 * LENGTH);
  }

  /* z[0..7 vectors) = b + W x. */
  private static void seven(
      long at, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, bo + 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(SPECIES, b, bo + 6 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * (7 * BYTES);
    for (int p = 0, i = xo; p < end; p += 7 * BYTES, i += step) {
      FloatVector xi = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      o = (o + 2L * BYTES) & START;
      a2 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a2);
      a3 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a3);
      o = (o + 2L * BYTES) & START;
      a4 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
      a5 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a5);
      o = (o + 2L * BYTES) & START;
      a6 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a6);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
    a5.intoArray(z, zo + 5 * LENGTH);
    a6.intoArray(z, zo + 6 * LENGTH);
  }

  /* z[0..6 vectors) = b + W x. */
  private static void six(
      long at, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, bo + 5 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * (6 * BYTES);
    for (int p = 0, i = xo; p < end; p += 6 * BYTES, i += step) {
      FloatVector xi = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      o = (o + 2L * BYTES) & START;
      a2 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a2);
      a3 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a3);
      o = (o + 2L * BYTES) & START;
      a4 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
      a5 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a5);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
    a5.intoArray(z, zo + 5 * LENGTH);
  }

  /* z[0..5 vectors) = b + W x. */
  private static void five(
      long at, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * (5 * BYTES);
    for (int p = 0, i = xo; p < end; p += 5 * BYTES, i += step) {
      FloatVector xi = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      o = (o + 2L * BYTES) & START;
      a2 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a2);
      a3 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a3);
      o = (o + 2L * BYTES) & START;
      a4 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
  }

  /* z[0..4 vectors) = b + W x. */
  private static void four(
      long at, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * (4 * BYTES);
    for (int p = 0, i = xo; p < end; p += 4 * BYTES, i += step) {
      FloatVector xi = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      o = (o + 2L * BYTES) & START;
      a2 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a2);
      a3 = xi.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a3);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
  }

  /* z[0..3 vectors) = b + W x. */
  private static void three(
      long at, int stride, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    long p = at & MASK;
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a2);
      p = (p + stride) & MASK;
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
  }

  /* z[0..2 vectors) = b + W x. */
  private static void two(
      long at, int stride, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    long p = at & MASK;
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      p = (p + stride) & MASK;
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
  }

  /* z[0..1 vector) = b + W x. */
  private static void one(
      long at, int stride, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    long p = at & MASK;
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      p = (p + stride) & MASK;
    }
    a0.intoArray(z, zo);
  }
}
