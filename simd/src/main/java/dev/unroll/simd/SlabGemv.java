package dev.unroll.simd;

import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;
import static dev.unroll.simd.Slab.MASK;
import static dev.unroll.simd.Slab.MEMORY;

import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Matrix times one vector, weights in the {@link Slab}: {@link VectorGemv} without range checks.
 *
 * <p>The mask changes no offset; it tells C2 that every load stays inside. Masking again after four
 * vectors keeps the loads in the order of their addresses: C2 puts loads that wait for nothing in
 * any order, and from the second-level cache eight of them out of order take 40 per cent longer.
 * The stride is a parameter, because with a constant one C2 unrolls; kernels of up to four vectors
 * carry the offset from column to column to keep it from that, those of five to seven multiply by a
 * one that C2 does not know, as in {@link VectorGemv}, and that of four for many columns adds it to
 * the index. Calls with no columns are idle.
 */
final class SlabGemv {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  /*
   * Columns from which on four vectors take the kernel for many. With sixteen registers always: C2
   * may unroll the other one, which then spills.
   */
  private static final int MANY = Lanes.MANY_REGISTERS ? 64 : 0;

  private SlabGemv() {}

  /** z = b + W x for one input; b may be z. */
  static void affine(Panels m, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
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
    int stride = height * Float.BYTES;
    long at = m.slab + (long) r * columns * Float.BYTES;
    int bi = bo + r;
    int zi = zo + r;
    switch (height / LENGTH) {
      case 12 -> twelve(at, stride, columns, x, xo, b, bi, z, zi);
      case 11 -> eleven(at, stride, columns, x, xo, b, bi, z, zi);
      case 10 -> ten(at, stride, columns, x, xo, b, bi, z, zi);
      case 9 -> nine(at, stride, columns, x, xo, b, bi, z, zi);
      case 8 -> eight(at, stride, columns, x, xo, b, bi, z, zi);
      case 7 -> seven(at, stride, VectorGemv.one, columns, x, xo, b, bi, z, zi);
      case 6 -> six(at, stride, VectorGemv.one, columns, x, xo, b, bi, z, zi);
      case 5 -> five(at, stride, VectorGemv.one, columns, x, xo, b, bi, z, zi);
      case 4 -> {
        if (columns < MANY) {
          four(at, stride, columns, x, xo, b, bi, z, zi);
        } else {
          fourOfMany(at, VectorGemv.one, columns, x, xo, b, bi, z, zi);
        }
      }
      case 3 -> three(at, stride, columns, x, xo, b, bi, z, zi);
      case 2 -> two(at, stride, columns, x, xo, b, bi, z, zi);
      default -> one(at, stride, columns, x, xo, b, bi, z, zi);
    }
  }

  /* z[0..12 vectors) = b + W x. */
  private static void twelve(
      long at, int stride, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
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
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = (at + (long) k * stride) & MASK;
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a3);
      p = (p + 4L * BYTES) & MASK;
      a4 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a4);
      a5 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a5);
      a6 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a6);
      a7 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a7);
      p = (p + 4L * BYTES) & MASK;
      a8 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a8);
      a9 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a9);
      a10 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a10);
      a11 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a11);
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
      long at, int stride, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
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
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = (at + (long) k * stride) & MASK;
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a3);
      p = (p + 4L * BYTES) & MASK;
      a4 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a4);
      a5 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a5);
      a6 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a6);
      a7 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a7);
      p = (p + 4L * BYTES) & MASK;
      a8 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a8);
      a9 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a9);
      a10 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a10);
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
      long at, int stride, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
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
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = (at + (long) k * stride) & MASK;
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a3);
      p = (p + 4L * BYTES) & MASK;
      a4 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a4);
      a5 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a5);
      a6 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a6);
      a7 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a7);
      p = (p + 4L * BYTES) & MASK;
      a8 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a8);
      a9 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a9);
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
      long at, int stride, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
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
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = (at + (long) k * stride) & MASK;
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a3);
      p = (p + 4L * BYTES) & MASK;
      a4 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a4);
      a5 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a5);
      a6 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a6);
      a7 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a7);
      a8 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 4L * BYTES, ORDER).fma(xk, a8);
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
      long at, int stride, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
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
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = (at + (long) k * stride) & MASK;
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a3);
      p = (p + 4L * BYTES) & MASK;
      a4 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a4);
      a5 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a5);
      a6 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a6);
      a7 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a7);
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
      long at,
      int stride,
      long one,
      int columns,
      float[] x,
      int xo,
      float[] b,
      int bo,
      float[] z,
      int zo) {
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
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + (int) (k * one)]);
      long p = (at + (long) k * stride) & MASK;
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a3);
      p = (p + 4L * BYTES) & MASK;
      a4 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a4);
      a5 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a5);
      a6 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a6);
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
      long at,
      int stride,
      long one,
      int columns,
      float[] x,
      int xo,
      float[] b,
      int bo,
      float[] z,
      int zo) {
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
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + (int) (k * one * one)]);
      long p = (at + (long) k * stride) & MASK;
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a3);
      p = (p + 4L * BYTES) & MASK;
      a4 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a4);
      a5 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a5);
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
      long at,
      int stride,
      long one,
      int columns,
      float[] x,
      int xo,
      float[] b,
      int bo,
      float[] z,
      int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + (int) (k * one * one)]);
      long p = (at + (long) k * stride) & MASK;
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a3);
      a4 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 4L * BYTES, ORDER).fma(xk, a4);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
  }

  /* z[0..4 vectors) = b + W x. */
  private static void four(
      long at, int stride, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    long p = at & MASK;
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      a0 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER).fma(xk, a3);
      p = (p + stride) & MASK;
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
  }

  /* z[0..4 vectors) = b + W x, many columns. */
  private static void fourOfMany(
      long at, long one, int columns, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    int step = (int) one;
    for (int k = 0, i = xo; k < columns; k++, i += step) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[i]);
      long p = (at + (long) k * (4L * BYTES)) & MASK;
      a0 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER), a0);
      a1 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER), a1);
      a2 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER), a2);
      a3 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER), a3);
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
