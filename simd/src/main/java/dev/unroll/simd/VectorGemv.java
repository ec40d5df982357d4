package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Matrix times one vector. A kernel keeps one accumulator per vector of rows and takes the columns
 * in ascending order, so a sum stays in its lane and its order does not depend on the width.
 *
 * <p>Eight vectors of rows are read through a slice each. The slices have one size and one offset,
 * so C2 keeps one range check a column instead of eight; they never reach the heap, in a method
 * that is too large to be inlined anywhere (elsewhere they do). The stride is no constant, or C2
 * would unroll and put the fused multiply-adds of one accumulator next to each other.
 *
 * <p>Everything is written out, because in methods of this size C2 inlines no helper.
 */
final class VectorGemv {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long BYTES = LENGTH * (long) Float.BYTES;

  private VectorGemv() {}

  /** z = b + W x for one input; b may be z. */
  static void affine(Panels m, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    int columns = m.columns();
    int rows = m.rows();
    MemorySegment w = m.weights;
    assert xo >= 0 && xo + columns <= x.length : "x[" + xo + "], n = " + columns;
    assert zo >= 0 && zo + rows <= z.length : "z[" + zo + "], n = " + rows;
    int r = 0;
    for (; m.vectors == 8 && r + 8 * LENGTH <= rows; r += 8 * LENGTH) {
      eight(w, (long) r * columns * Float.BYTES, 8 * BYTES, columns, x, xo, b, bo + r, z, zo + r);
    }
    if (m.vectors == 8 && r + 4 * LENGTH <= rows) {
      four(w, (long) r * columns * Float.BYTES, 4 * BYTES, columns, x, xo, b, bo + r, z, zo + r);
      r += 4 * LENGTH;
    }
    for (; r + 2 * LENGTH <= rows; r += 2 * LENGTH) {
      two(w, (long) r * columns * Float.BYTES, 2 * BYTES, columns, x, xo, b, bo + r, z, zo + r);
    }
    if (r < rows) {
      one(w, (long) r * columns * Float.BYTES, BYTES, columns, x, xo, b, bo + r, z, zo + r);
    }
  }

  /* z[0..8 vectors) = b + W x. */
  private static void eight(
      MemorySegment w,
      long at,
      long stride,
      int columns,
      float[] x,
      int xo,
      float[] b,
      int bo,
      float[] z,
      int zo) {
    long size = columns * stride - 7 * BYTES;
    MemorySegment w0 = w.asSlice(at, size);
    MemorySegment w1 = w.asSlice(at + BYTES, size);
    MemorySegment w2 = w.asSlice(at + 2 * BYTES, size);
    MemorySegment w3 = w.asSlice(at + 3 * BYTES, size);
    MemorySegment w4 = w.asSlice(at + 4 * BYTES, size);
    MemorySegment w5 = w.asSlice(at + 5 * BYTES, size);
    MemorySegment w6 = w.asSlice(at + 6 * BYTES, size);
    MemorySegment w7 = w.asSlice(at + 7 * BYTES, size);
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
      long p = k * stride;
      a0 = FloatVector.fromMemorySegment(SPECIES, w0, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, w1, p, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, w2, p, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, w3, p, ORDER).fma(xk, a3);
      a4 = FloatVector.fromMemorySegment(SPECIES, w4, p, ORDER).fma(xk, a4);
      a5 = FloatVector.fromMemorySegment(SPECIES, w5, p, ORDER).fma(xk, a5);
      a6 = FloatVector.fromMemorySegment(SPECIES, w6, p, ORDER).fma(xk, a6);
      a7 = FloatVector.fromMemorySegment(SPECIES, w7, p, ORDER).fma(xk, a7);
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

  /* z[0..4 vectors) = b + W x. */
  private static void four(
      MemorySegment w,
      long at,
      long stride,
      int columns,
      float[] x,
      int xo,
      float[] b,
      int bo,
      float[] z,
      int zo) {
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = at + k * stride;
      a0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER).fma(xk, a1);
      a2 = FloatVector.fromMemorySegment(SPECIES, w, p + 2 * BYTES, ORDER).fma(xk, a2);
      a3 = FloatVector.fromMemorySegment(SPECIES, w, p + 3 * BYTES, ORDER).fma(xk, a3);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
  }

  /* z[0..2 vectors) = b + W x. */
  private static void two(
      MemorySegment w,
      long at,
      long stride,
      int columns,
      float[] x,
      int xo,
      float[] b,
      int bo,
      float[] z,
      int zo) {
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + LENGTH);
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = at + k * stride;
      a0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER).fma(xk, a0);
      a1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER).fma(xk, a1);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
  }

  /* z[0..1 vector) = b + W x. */
  private static void one(
      MemorySegment w,
      long at,
      long stride,
      int columns,
      float[] x,
      int xo,
      float[] b,
      int bo,
      float[] z,
      int zo) {
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = at + k * stride;
      a0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER).fma(xk, a0);
    }
    a0.intoArray(z, zo);
  }
}
