package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Matrix times one to four vectors, over pairs of panels of two vectors of rows: one panel has too
 * few sums to keep the multiply-adds busy. Four and three inputs take 32 registers.
 *
 * <p>As in {@link VectorGemm} one call takes all panels. For one and two inputs the stride from
 * column to column is a parameter, because with a constant one C2 unrolls; for more it does not,
 * and with a constant stride it checks the range of the weights before the loop.
 */
final class FewInputs {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  private FewInputs() {}

  /** z_i += W x_i for one to seven inputs; all pairs at a time or one. */
  static void accumulate(
      Panels m, boolean all, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    MemorySegment w = m.weights;
    int columns = m.columns();
    int pairs = m.rows() / (4 * LENGTH);
    int step = all ? pairs : 1;
    boolean backwards = !all && m.sweep.turnOfThread();
    for (int j = 0; j < pairs; j += step) {
      int first = Sweep.panel(backwards, j, pairs);
      int last = first + step;
      for (int i = 0, inputs; i < n; i += inputs) {
        inputs = inputs(n - i);
        int xi = xo + i * xs;
        int zi = zo + i * zs;
        switch (inputs) {
          case 4 -> {
            if (Lanes.MANY_REGISTERS) {
              fourByFour(w, first, last, columns, x, xi, xs, z, zi, zs);
            } else {
              fourByTwo(w, 2 * first, 2 * last, columns, 4, x, xi, xs, z, zi, zs);
            }
          }
          case 3 -> threeByFour(w, first, last, columns, x, xi, xs, z, zi, zs);
          case 2 -> twoByFour(w, first, last, 2 * BYTES, columns, x, xi, xs, z, zi, zs);
          default -> oneByFour(w, first, last, 2 * BYTES, columns, x, xi, z, zi);
        }
      }
    }
    if (4 * pairs * LENGTH < m.rows()) {
      for (int i = 0; i < n; i += 4) {
        rest(m, 2 * pairs, Math.min(4, n - i), x, xo + i * xs, xs, z, zo + i * zs, zs);
      }
    }
  }

  /* Rows from a panel on that fill no pair of panels. */
  private static void rest(
      Panels m, int panel, int inputs, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    MemorySegment w = m.weights;
    int columns = m.columns();
    int row = panel * 2 * LENGTH;
    if (row + 2 * LENGTH <= m.rows()) {
      if (inputs == 1) {
        long at = (long) row * columns * Float.BYTES;
        VectorGemv.two(w, at, 2 * BYTES, columns, x, xo, z, zo + row, z, zo + row);
      } else {
        fourByTwo(w, panel, panel + 1, columns, inputs, x, xo, xs, z, zo, zs);
      }
      row += 2 * LENGTH;
    }
    if (row < m.rows()) {
      long at = (long) row * columns * Float.BYTES;
      if (inputs == 1) {
        VectorGemv.one(w, at, BYTES, columns, x, xo, z, zo + row, z, zo + row);
      } else {
        fourByOne(w, at, columns, inputs, x, xo, xs, z, zo + row, zs);
      }
    }
  }

  /* Inputs of the next kernel. */
  private static int inputs(int left) {
    if (Lanes.MANY_REGISTERS) {
      return left == 7 ? 4 : Math.min(left, left > 4 ? 3 : 4);
    }
    return Integer.highestOneBit(left);
  }

  /* z += W x: 4 inputs x 4 vectors of rows. */
  private static void fourByFour(
      MemorySegment w,
      int first,
      int last,
      int columns,
      float[] x,
      int xo,
      int xs,
      float[] z,
      int zo,
      int zs) {
    int x1 = xo + xs;
    int x2 = x1 + xs;
    int x3 = x2 + xs;
    int o1 = zo + zs;
    int o2 = o1 + zs;
    int o3 = o2 + zs;
    long beside = columns * (2L * BYTES);
    int p0 = zo + 2 * LENGTH;
    int p1 = o1 + 2 * LENGTH;
    int p2 = o2 + 2 * LENGTH;
    int p3 = o3 + 2 * LENGTH;
    for (int r = first; r < last; r++) {
      long at = (long) r * columns * (4L * BYTES);
      int row = r * (4 * LENGTH);
      int z0 = zo + row;
      int z1 = o1 + row;
      int z2 = o2 + row;
      int z3 = o3 + row;
      int q0 = p0 + row;
      int q1 = p1 + row;
      int q2 = p2 + row;
      int q3 = p3 + row;
      FloatVector a00 = FloatVector.fromArray(SPECIES, z, z0);
      FloatVector a01 = FloatVector.fromArray(SPECIES, z, z0 + LENGTH);
      FloatVector a02 = FloatVector.fromArray(SPECIES, z, q0);
      FloatVector a03 = FloatVector.fromArray(SPECIES, z, q0 + LENGTH);
      FloatVector a10 = FloatVector.fromArray(SPECIES, z, z1);
      FloatVector a11 = FloatVector.fromArray(SPECIES, z, z1 + LENGTH);
      FloatVector a12 = FloatVector.fromArray(SPECIES, z, q1);
      FloatVector a13 = FloatVector.fromArray(SPECIES, z, q1 + LENGTH);
      FloatVector a20 = FloatVector.fromArray(SPECIES, z, z2);
      FloatVector a21 = FloatVector.fromArray(SPECIES, z, z2 + LENGTH);
      FloatVector a22 = FloatVector.fromArray(SPECIES, z, q2);
      FloatVector a23 = FloatVector.fromArray(SPECIES, z, q2 + LENGTH);
      FloatVector a30 = FloatVector.fromArray(SPECIES, z, z3);
      FloatVector a31 = FloatVector.fromArray(SPECIES, z, z3 + LENGTH);
      FloatVector a32 = FloatVector.fromArray(SPECIES, z, q3);
      FloatVector a33 = FloatVector.fromArray(SPECIES, z, q3 + LENGTH);
      for (int k = 0; k < columns; k++) {
        long p = at + (long) k * (2L * BYTES);
        long q = p + beside;
        FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER);
        FloatVector w2 = FloatVector.fromMemorySegment(SPECIES, w, q, ORDER);
        FloatVector w3 = FloatVector.fromMemorySegment(SPECIES, w, q + BYTES, ORDER);
        FloatVector b0 = FloatVector.broadcast(SPECIES, x[xo + k]);
        a00 = w0.fma(b0, a00);
        a01 = w1.fma(b0, a01);
        a02 = w2.fma(b0, a02);
        a03 = w3.fma(b0, a03);
        FloatVector b1 = FloatVector.broadcast(SPECIES, x[x1 + k]);
        a10 = w0.fma(b1, a10);
        a11 = w1.fma(b1, a11);
        a12 = w2.fma(b1, a12);
        a13 = w3.fma(b1, a13);
        FloatVector b2 = FloatVector.broadcast(SPECIES, x[x2 + k]);
        a20 = w0.fma(b2, a20);
        a21 = w1.fma(b2, a21);
        a22 = w2.fma(b2, a22);
        a23 = w3.fma(b2, a23);
        FloatVector b3 = FloatVector.broadcast(SPECIES, x[x3 + k]);
        a30 = w0.fma(b3, a30);
        a31 = w1.fma(b3, a31);
        a32 = w2.fma(b3, a32);
        a33 = w3.fma(b3, a33);
      }
      a00.intoArray(z, z0);
      a01.intoArray(z, z0 + LENGTH);
      a02.intoArray(z, q0);
      a03.intoArray(z, q0 + LENGTH);
      a10.intoArray(z, z1);
      a11.intoArray(z, z1 + LENGTH);
      a12.intoArray(z, q1);
      a13.intoArray(z, q1 + LENGTH);
      a20.intoArray(z, z2);
      a21.intoArray(z, z2 + LENGTH);
      a22.intoArray(z, q2);
      a23.intoArray(z, q2 + LENGTH);
      a30.intoArray(z, z3);
      a31.intoArray(z, z3 + LENGTH);
      a32.intoArray(z, q3);
      a33.intoArray(z, q3 + LENGTH);
    }
  }

  /* z += W x: 3 inputs x 4 vectors of rows. */
  private static void threeByFour(
      MemorySegment w,
      int first,
      int last,
      int columns,
      float[] x,
      int xo,
      int xs,
      float[] z,
      int zo,
      int zs) {
    int x1 = xo + xs;
    int x2 = x1 + xs;
    int o1 = zo + zs;
    int o2 = o1 + zs;
    long beside = columns * (2L * BYTES);
    int p0 = zo + 2 * LENGTH;
    int p1 = o1 + 2 * LENGTH;
    int p2 = o2 + 2 * LENGTH;
    for (int r = first; r < last; r++) {
      long at = (long) r * columns * (4L * BYTES);
      int row = r * (4 * LENGTH);
      int z0 = zo + row;
      int z1 = o1 + row;
      int z2 = o2 + row;
      int q0 = p0 + row;
      int q1 = p1 + row;
      int q2 = p2 + row;
      FloatVector a00 = FloatVector.fromArray(SPECIES, z, z0);
      FloatVector a01 = FloatVector.fromArray(SPECIES, z, z0 + LENGTH);
      FloatVector a02 = FloatVector.fromArray(SPECIES, z, q0);
      FloatVector a03 = FloatVector.fromArray(SPECIES, z, q0 + LENGTH);
      FloatVector a10 = FloatVector.fromArray(SPECIES, z, z1);
      FloatVector a11 = FloatVector.fromArray(SPECIES, z, z1 + LENGTH);
      FloatVector a12 = FloatVector.fromArray(SPECIES, z, q1);
      FloatVector a13 = FloatVector.fromArray(SPECIES, z, q1 + LENGTH);
      FloatVector a20 = FloatVector.fromArray(SPECIES, z, z2);
      FloatVector a21 = FloatVector.fromArray(SPECIES, z, z2 + LENGTH);
      FloatVector a22 = FloatVector.fromArray(SPECIES, z, q2);
      FloatVector a23 = FloatVector.fromArray(SPECIES, z, q2 + LENGTH);
      for (int k = 0; k < columns; k++) {
        long p = at + (long) k * (2L * BYTES);
        long q = p + beside;
        FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER);
        FloatVector w2 = FloatVector.fromMemorySegment(SPECIES, w, q, ORDER);
        FloatVector w3 = FloatVector.fromMemorySegment(SPECIES, w, q + BYTES, ORDER);
        FloatVector b0 = FloatVector.broadcast(SPECIES, x[xo + k]);
        a00 = w0.fma(b0, a00);
        a01 = w1.fma(b0, a01);
        a02 = w2.fma(b0, a02);
        a03 = w3.fma(b0, a03);
        FloatVector b1 = FloatVector.broadcast(SPECIES, x[x1 + k]);
        a10 = w0.fma(b1, a10);
        a11 = w1.fma(b1, a11);
        a12 = w2.fma(b1, a12);
        a13 = w3.fma(b1, a13);
        FloatVector b2 = FloatVector.broadcast(SPECIES, x[x2 + k]);
        a20 = w0.fma(b2, a20);
        a21 = w1.fma(b2, a21);
        a22 = w2.fma(b2, a22);
        a23 = w3.fma(b2, a23);
      }
      a00.intoArray(z, z0);
      a01.intoArray(z, z0 + LENGTH);
      a02.intoArray(z, q0);
      a03.intoArray(z, q0 + LENGTH);
      a10.intoArray(z, z1);
      a11.intoArray(z, z1 + LENGTH);
      a12.intoArray(z, q1);
      a13.intoArray(z, q1 + LENGTH);
      a20.intoArray(z, z2);
      a21.intoArray(z, z2 + LENGTH);
      a22.intoArray(z, q2);
      a23.intoArray(z, q2 + LENGTH);
    }
  }

  /* z += W x: 2 inputs x 4 vectors of rows. */
  private static void twoByFour(
      MemorySegment w,
      int first,
      int last,
      int stride,
      int columns,
      float[] x,
      int xo,
      int xs,
      float[] z,
      int zo,
      int zs) {
    int x1 = xo + xs;
    int o1 = zo + zs;
    long beside = columns * (2L * BYTES);
    int p0 = zo + 2 * LENGTH;
    int p1 = o1 + 2 * LENGTH;
    for (int r = first; r < last; r++) {
      long at = (long) r * columns * (4L * BYTES);
      int row = r * (4 * LENGTH);
      int z0 = zo + row;
      int z1 = o1 + row;
      int q0 = p0 + row;
      int q1 = p1 + row;
      FloatVector a00 = FloatVector.fromArray(SPECIES, z, z0);
      FloatVector a01 = FloatVector.fromArray(SPECIES, z, z0 + LENGTH);
      FloatVector a02 = FloatVector.fromArray(SPECIES, z, q0);
      FloatVector a03 = FloatVector.fromArray(SPECIES, z, q0 + LENGTH);
      FloatVector a10 = FloatVector.fromArray(SPECIES, z, z1);
      FloatVector a11 = FloatVector.fromArray(SPECIES, z, z1 + LENGTH);
      FloatVector a12 = FloatVector.fromArray(SPECIES, z, q1);
      FloatVector a13 = FloatVector.fromArray(SPECIES, z, q1 + LENGTH);
      for (int k = 0; k < columns; k++) {
        long p = at + (long) k * stride;
        long q = p + beside;
        FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER);
        FloatVector w2 = FloatVector.fromMemorySegment(SPECIES, w, q, ORDER);
        FloatVector w3 = FloatVector.fromMemorySegment(SPECIES, w, q + BYTES, ORDER);
        FloatVector b0 = FloatVector.broadcast(SPECIES, x[xo + k]);
        a00 = w0.fma(b0, a00);
        a01 = w1.fma(b0, a01);
        a02 = w2.fma(b0, a02);
        a03 = w3.fma(b0, a03);
        FloatVector b1 = FloatVector.broadcast(SPECIES, x[x1 + k]);
        a10 = w0.fma(b1, a10);
        a11 = w1.fma(b1, a11);
        a12 = w2.fma(b1, a12);
        a13 = w3.fma(b1, a13);
      }
      a00.intoArray(z, z0);
      a01.intoArray(z, z0 + LENGTH);
      a02.intoArray(z, q0);
      a03.intoArray(z, q0 + LENGTH);
      a10.intoArray(z, z1);
      a11.intoArray(z, z1 + LENGTH);
      a12.intoArray(z, q1);
      a13.intoArray(z, q1 + LENGTH);
    }
  }

  /* z += W x: 1 input x 4 vectors of rows. */
  private static void oneByFour(
      MemorySegment w,
      int first,
      int last,
      int stride,
      int columns,
      float[] x,
      int xo,
      float[] z,
      int zo) {
    long beside = columns * (2L * BYTES);
    int p0 = zo + 2 * LENGTH;
    for (int r = first; r < last; r++) {
      long at = (long) r * columns * (4L * BYTES);
      int row = r * (4 * LENGTH);
      int z0 = zo + row;
      int q0 = p0 + row;
      FloatVector a00 = FloatVector.fromArray(SPECIES, z, z0);
      FloatVector a01 = FloatVector.fromArray(SPECIES, z, z0 + LENGTH);
      FloatVector a02 = FloatVector.fromArray(SPECIES, z, q0);
      FloatVector a03 = FloatVector.fromArray(SPECIES, z, q0 + LENGTH);
      for (int k = 0; k < columns; k++) {
        long p = at + (long) k * stride;
        long q = p + beside;
        FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER);
        FloatVector w2 = FloatVector.fromMemorySegment(SPECIES, w, q, ORDER);
        FloatVector w3 = FloatVector.fromMemorySegment(SPECIES, w, q + BYTES, ORDER);
        FloatVector b0 = FloatVector.broadcast(SPECIES, x[xo + k]);
        a00 = w0.fma(b0, a00);
        a01 = w1.fma(b0, a01);
        a02 = w2.fma(b0, a02);
        a03 = w3.fma(b0, a03);
      }
      a00.intoArray(z, z0);
      a01.intoArray(z, z0 + LENGTH);
      a02.intoArray(z, q0);
      a03.intoArray(z, q0 + LENGTH);
    }
  }

  /* z += W x: 4 inputs x 2 vectors of rows; those that are lacking are the last one again. */
  private static void fourByTwo(
      MemorySegment w,
      int first,
      int last,
      int columns,
      int inputs,
      float[] x,
      int xo,
      int xs,
      float[] z,
      int zo,
      int zs) {
    int i1 = Math.min(1, inputs - 1);
    int i2 = Math.min(2, inputs - 1);
    int i3 = inputs - 1;
    int x1 = xo + i1 * xs;
    int x2 = xo + i2 * xs;
    int x3 = xo + i3 * xs;
    int o1 = zo + i1 * zs;
    int o2 = zo + i2 * zs;
    int o3 = zo + i3 * zs;
    for (int r = first; r < last; r++) {
      long at = (long) r * columns * (2L * BYTES);
      int row = r * (2 * LENGTH);
      int z0 = zo + row;
      int z1 = o1 + row;
      int z2 = o2 + row;
      int z3 = o3 + row;
      FloatVector a00 = FloatVector.fromArray(SPECIES, z, z0);
      FloatVector a01 = FloatVector.fromArray(SPECIES, z, z0 + LENGTH);
      FloatVector a10 = FloatVector.fromArray(SPECIES, z, z1);
      FloatVector a11 = FloatVector.fromArray(SPECIES, z, z1 + LENGTH);
      FloatVector a20 = FloatVector.fromArray(SPECIES, z, z2);
      FloatVector a21 = FloatVector.fromArray(SPECIES, z, z2 + LENGTH);
      FloatVector a30 = FloatVector.fromArray(SPECIES, z, z3);
      FloatVector a31 = FloatVector.fromArray(SPECIES, z, z3 + LENGTH);
      for (int k = 0; k < columns; k++) {
        long p = at + (long) k * (2L * BYTES);
        FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER);
        FloatVector b0 = FloatVector.broadcast(SPECIES, x[xo + k]);
        a00 = w0.fma(b0, a00);
        a01 = w1.fma(b0, a01);
        FloatVector b1 = FloatVector.broadcast(SPECIES, x[x1 + k]);
        a10 = w0.fma(b1, a10);
        a11 = w1.fma(b1, a11);
        FloatVector b2 = FloatVector.broadcast(SPECIES, x[x2 + k]);
        a20 = w0.fma(b2, a20);
        a21 = w1.fma(b2, a21);
        FloatVector b3 = FloatVector.broadcast(SPECIES, x[x3 + k]);
        a30 = w0.fma(b3, a30);
        a31 = w1.fma(b3, a31);
      }
      a00.intoArray(z, z0);
      a01.intoArray(z, z0 + LENGTH);
      a10.intoArray(z, z1);
      a11.intoArray(z, z1 + LENGTH);
      a20.intoArray(z, z2);
      a21.intoArray(z, z2 + LENGTH);
      a30.intoArray(z, z3);
      a31.intoArray(z, z3 + LENGTH);
    }
  }

  /** z_i += W x_i of two to four inputs and a vector of rows. */
  static void fourByOne(
      MemorySegment w,
      long at,
      int columns,
      int inputs,
      float[] x,
      int xo,
      int xs,
      float[] z,
      int zo,
      int zs) {
    int i1 = Math.min(1, inputs - 1);
    int i2 = Math.min(2, inputs - 1);
    int i3 = inputs - 1;
    int x1 = xo + i1 * xs;
    int x2 = xo + i2 * xs;
    int x3 = xo + i3 * xs;
    int z1 = zo + i1 * zs;
    int z2 = zo + i2 * zs;
    int z3 = zo + i3 * zs;
    FloatVector a00 = FloatVector.fromArray(SPECIES, z, zo);
    FloatVector a10 = FloatVector.fromArray(SPECIES, z, z1);
    FloatVector a20 = FloatVector.fromArray(SPECIES, z, z2);
    FloatVector a30 = FloatVector.fromArray(SPECIES, z, z3);
    for (int k = 0; k < columns; k++) {
      long p = at + (long) k * BYTES;
      FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER);
      FloatVector b0 = FloatVector.broadcast(SPECIES, x[xo + k]);
      a00 = w0.fma(b0, a00);
      FloatVector b1 = FloatVector.broadcast(SPECIES, x[x1 + k]);
      a10 = w0.fma(b1, a10);
      FloatVector b2 = FloatVector.broadcast(SPECIES, x[x2 + k]);
      a20 = w0.fma(b2, a20);
      FloatVector b3 = FloatVector.broadcast(SPECIES, x[x3 + k]);
      a30 = w0.fma(b3, a30);
    }
    a00.intoArray(z, zo);
    a10.intoArray(z, z1);
    a20.intoArray(z, z2);
    a30.intoArray(z, z3);
  }
}
