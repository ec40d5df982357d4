package dev.unroll.simd;

import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Matrix times one vector. A kernel keeps one accumulator per vector of rows and takes the columns
 * in ascending order, so a sum stays in its lane and its order does not depend on the width.
 *
 * <p>Weights of a step are looked for in the {@link Slab}, where {@link SlabGemv} needs no range
 * checks. Here they stand in a segment of their own: the stride is a constant and C2 moves the
 * checks before the loop. It must be kept from unrolling, which would put the fused multiply-adds
 * of one accumulator next to each other, each waiting for the one before. Multiplications by a one
 * that C2 does not know make the loop too large for that.
 *
 * <p>Everything is written out, because in methods of this size C2 inlines no helper. Calls with no
 * columns are idle.
 */
final class VectorGemv {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  private VectorGemv() {}

  /** z = b + W x for one input; b may be z. */
  static void affine(Panels m, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    boolean idle = z.length == 0;
    assert idle || (xo >= 0 && xo + m.columns() <= x.length);
    assert idle || (zo >= 0 && zo + m.rows() <= z.length);
    if (m.slab >= 0) {
      SlabGemv.affine(m, x, xo, b, bo, z, zo);
    } else {
      ofSegment(m, x, xo, b, bo, z, zo);
    }
  }

  private static void ofSegment(Panels m, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    int columns = z.length == 0 ? 0 : m.columns();
    int[] starts = m.starts;
    MemorySegment w = m.weights;
    int panels = starts.length - 1;
    boolean backwards = m.sweep.turn();
    for (int j = 0; j < panels; j++) {
      int i = Sweep.panel(backwards, j, panels);
      int r = starts[i];
      long at = (long) r * columns * Float.BYTES;
      switch ((starts[i + 1] - r) / LENGTH) {
        case 4 -> fourOfMany(w, at, Slab.step, columns, x, xo, b, bo + r, z, zo + r);
        case 2 -> two(w, at, 2 * BYTES, columns, x, xo, b, bo + r, z, zo + r);
        default -> one(w, at, BYTES, columns, x, xo, b, bo + r, z, zo + r);
      }
    }
  }

  /* z[0..4 vectors) = b + W x, many columns. */
  private static void fourOfMany(
      MemorySegment w,
      long at,
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
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + (int) (k * one * one * one)]);
      long p = at + (long) k * (4L * BYTES);
      a0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, w, p + 2L * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, w, p + 3L * BYTES, ORDER).fma(xk, a3);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
  }

  /** z[0..2 vectors) = b + W x. */
  static void two(
      MemorySegment w,
      long at,
      int stride,
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
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = at + (long) k * stride;
      a0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER).fma(xk, a1);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
  }

  /** z[0..1 vector) = b + W x. */
  static void one(
      MemorySegment w,
      long at,
      int stride,
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
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = at + (long) k * stride;
      a0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER).fma(xk, a0);
    }
    a0.intoArray(z, zo);
  }
}
