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
 * {@link SlabGemv} for weights that the first-level cache keeps from step to step in one panel of
 * four to seven vectors. There the order of loads does not matter, so no offset is masked for good:
 * 16 instructions a column of six vectors instead of 20.
 */
final class KeptGemv {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  private KeptGemv() {}

  /** z = b + W x for one input, {@link Panels#kept}; b may be z. */
  static void affine(Panels m, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    int columns = z.length == 0 ? 0 : m.columns();
    try {
      switch (m.rows() / LENGTH) {
        case 7 -> seven(m.slab, columns, x, xo, b, bo, z, zo);
        case 6 -> six(m.slab, columns, x, xo, b, bo, z, zo);
        case 5 -> five(m.slab, columns, x, xo, b, bo, z, zo);
        default -> four(m.slab, columns, x, xo, b, bo, z, zo);
      }
    } finally {
      Reference.reachabilityFence(m);
    }
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
      a2 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a2);
      a3 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a3);
      a4 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4L * BYTES) & MASK, ORDER), a4);
      a5 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 5L * BYTES) & MASK, ORDER), a5);
      a6 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 6L * BYTES) & MASK, ORDER), a6);
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
      a2 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a2);
      a3 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a3);
      a4 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4L * BYTES) & MASK, ORDER), a4);
      a5 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 5L * BYTES) & MASK, ORDER), a5);
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
      a2 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a2);
      a3 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a3);
      a4 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4L * BYTES) & MASK, ORDER), a4);
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
      a2 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), a2);
      a3 =
          xi.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), a3);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
  }
}
