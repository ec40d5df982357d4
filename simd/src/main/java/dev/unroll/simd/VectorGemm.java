package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Matrix times many vectors, over panels of two vectors of rows. Where the second-level cache keeps
 * all weights, all panels pass by the inputs of one kernel: its sums of the next panel then stand
 * beside those of this one, and are there when it begins with them. Of larger weights a panel stays
 * in the first-level cache while a block of inputs passes, and the next block begins with the last
 * one's last panels.
 *
 * <p>Two vectors of sums for each of eight inputs fill 32 registers without spilling, for each of
 * six sixteen registers. Of large weights {@link CopiedInputs} takes twelve and eight. What is left
 * goes to {@link FewInputs}.
 */
final class VectorGemm {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  /** Bytes of weights that the second-level cache keeps. */
  static final long KEPT = 1 << 20;

  /* Inputs of the largest kernel here. */
  private static final int MOST = Lanes.MANY_REGISTERS ? 8 : 6;

  /*
   * Inputs that a panel passes before the next one. Of many columns it comes from behind the
   * second-level cache and should pass more of them; then their sums, often a power of two apart,
   * do not all stay there.
   */
  private static final int INPUT_BLOCK = 64;
  private static final int LARGE_INPUT_BLOCK = 128;

  private VectorGemm() {}

  /** z_i += W x_i for i in [0, n). */
  static void accumulate(Panels m, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    assert m.batch : "panels for a step";
    assert xs >= m.columns() : "stride " + xs + " of " + m.columns() + " columns";
    assert zs >= m.rows() : "stride " + zs + " of " + m.rows() + " rows";
    boolean kept = m.weights.byteSize() <= KEPT;
    for (int first = 0, inputs; first < n; first += inputs) {
      int left = n - first;
      int xi = xo + first * xs;
      int zi = zo + first * zs;
      if (left < MOST) {
        inputs = left;
        FewInputs.accumulate(m, kept, inputs, x, xi, xs, z, zi, zs);
      } else {
        inputs = inputs(m, kept, left);
        block(m, kept, inputs, x, xi, xs, z, zi, zs);
      }
    }
  }

  /* Inputs of the next block, where the largest kernel here has enough of them. */
  private static int inputs(Panels m, boolean kept, int left) {
    if (m.copied) {
      return CopiedInputs.inputs(left, kept);
    }
    int block = kept ? MOST : Math.clamp(m.columns() / 8, INPUT_BLOCK, LARGE_INPUT_BLOCK);
    return Math.min(block, left) / MOST * MOST;
  }

  /* z_i += W x_i for a block of inputs, all panels at a time or one. */
  private static void block(
      Panels m, boolean all, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    MemorySegment w = m.weights;
    int columns = m.columns();
    int width = m.copied ? CopiedInputs.COLUMNS : columns;
    assert !all || columns <= width : "all panels of " + columns + " columns";
    int panels = m.rows() / (2 * LENGTH);
    int step = all ? panels : 1;
    boolean backwards = !all && m.sweep.turnOfThread();
    for (int k = 0; k < columns; k += width) {
      int some = Math.min(width, columns - k);
      float[] copies = m.copied ? CopiedInputs.copy(n, some, x, xo + k, xs) : x;
      for (int j = 0; j < panels; j += step) {
        int p = Sweep.panel(backwards, j, panels);
        long at = ((long) p * columns + k) * (2L * BYTES);
        int row = zo + p * (2 * LENGTH);
        if (m.copied) {
          CopiedInputs.accumulate(w, at, step, some, n, copies, z, row, zs);
        } else {
          accumulate(w, at, step, some, n, x, xo + k, xs, z, row, zs);
        }
      }
    }
    lastVector(m, n, x, xo, xs, z, zo, zs);
  }

  /* z += W x of n inputs where they stand and some panels. */
  private static void accumulate(
      MemorySegment w,
      long from,
      int panels,
      int columns,
      int n,
      float[] x,
      int xo,
      int xs,
      float[] z,
      int zo,
      int zs) {
    for (int i = 0; i < n; i += MOST) {
      int xi = xo + i * xs;
      int zi = zo + i * zs;
      if (Lanes.MANY_REGISTERS) {
        eightByTwo(w, from, panels, columns, x, xi, xs, z, zi, zs);
      } else {
        sixByTwo(w, from, panels, columns, x, xi, xs, z, zi, zs);
      }
    }
  }

  /* The same for the last vector of rows, where it has no panel of its own. */
  private static void lastVector(
      Panels m, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    int row = m.rows() / (2 * LENGTH) * (2 * LENGTH);
    if (row == m.rows()) {
      return;
    }
    long at = (long) row * m.columns() * Float.BYTES;
    int i = 0;
    for (; i + 8 <= n; i += 8) {
      int zi = zo + row + i * zs;
      eightByOne(m.weights, at, m.columns(), x, xo + i * xs, xs, z, zi, zs);
    }
    if (i < n) {
      int zi = zo + row + i * zs;
      FewInputs.fourByOne(m.weights, at, m.columns(), n - i, x, xo + i * xs, xs, z, zi, zs);
    }
  }

  /*
   * z += W x: 8 inputs x 2 vectors of rows, panel by panel. The range checks stand before the
   * panels, as C2 moves those of z out of the loop if each index is its place in the first panel
   * and a multiple of r.
   */
  private static void eightByTwo(
      MemorySegment w,
      long from,
      int panels,
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
    int x4 = x3 + xs;
    int x5 = x4 + xs;
    int x6 = x5 + xs;
    int x7 = x6 + xs;
    int o1 = zo + zs;
    int o2 = o1 + zs;
    int o3 = o2 + zs;
    int o4 = o3 + zs;
    int o5 = o4 + zs;
    int o6 = o5 + zs;
    int o7 = o6 + zs;
    for (int r = 0; r < panels; r++) {
      long at = from + (long) r * columns * (2L * BYTES);
      int row = r * (2 * LENGTH);
      int z0 = zo + row;
      int z1 = o1 + row;
      int z2 = o2 + row;
      int z3 = o3 + row;
      int z4 = o4 + row;
      int z5 = o5 + row;
      int z6 = o6 + row;
      int z7 = o7 + row;
      FloatVector a00 = FloatVector.fromArray(SPECIES, z, z0);
      FloatVector a01 = FloatVector.fromArray(SPECIES, z, z0 + LENGTH);
      FloatVector a10 = FloatVector.fromArray(SPECIES, z, z1);
      FloatVector a11 = FloatVector.fromArray(SPECIES, z, z1 + LENGTH);
      FloatVector a20 = FloatVector.fromArray(SPECIES, z, z2);
      FloatVector a21 = FloatVector.fromArray(SPECIES, z, z2 + LENGTH);
      FloatVector a30 = FloatVector.fromArray(SPECIES, z, z3);
      FloatVector a31 = FloatVector.fromArray(SPECIES, z, z3 + LENGTH);
      FloatVector a40 = FloatVector.fromArray(SPECIES, z, z4);
      FloatVector a41 = FloatVector.fromArray(SPECIES, z, z4 + LENGTH);
      FloatVector a50 = FloatVector.fromArray(SPECIES, z, z5);
      FloatVector a51 = FloatVector.fromArray(SPECIES, z, z5 + LENGTH);
      FloatVector a60 = FloatVector.fromArray(SPECIES, z, z6);
      FloatVector a61 = FloatVector.fromArray(SPECIES, z, z6 + LENGTH);
      FloatVector a70 = FloatVector.fromArray(SPECIES, z, z7);
      FloatVector a71 = FloatVector.fromArray(SPECIES, z, z7 + LENGTH);
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
        FloatVector b4 = FloatVector.broadcast(SPECIES, x[x4 + k]);
        a40 = w0.fma(b4, a40);
        a41 = w1.fma(b4, a41);
        FloatVector b5 = FloatVector.broadcast(SPECIES, x[x5 + k]);
        a50 = w0.fma(b5, a50);
        a51 = w1.fma(b5, a51);
        FloatVector b6 = FloatVector.broadcast(SPECIES, x[x6 + k]);
        a60 = w0.fma(b6, a60);
        a61 = w1.fma(b6, a61);
        FloatVector b7 = FloatVector.broadcast(SPECIES, x[x7 + k]);
        a70 = w0.fma(b7, a70);
        a71 = w1.fma(b7, a71);
      }
      a00.intoArray(z, z0);
      a01.intoArray(z, z0 + LENGTH);
      a10.intoArray(z, z1);
      a11.intoArray(z, z1 + LENGTH);
      a20.intoArray(z, z2);
      a21.intoArray(z, z2 + LENGTH);
      a30.intoArray(z, z3);
      a31.intoArray(z, z3 + LENGTH);
      a40.intoArray(z, z4);
      a41.intoArray(z, z4 + LENGTH);
      a50.intoArray(z, z5);
      a51.intoArray(z, z5 + LENGTH);
      a60.intoArray(z, z6);
      a61.intoArray(z, z6 + LENGTH);
      a70.intoArray(z, z7);
      a71.intoArray(z, z7 + LENGTH);
    }
  }

  /* z += W x: 6 inputs x 2 vectors of rows, panel by panel. */
  private static void sixByTwo(
      MemorySegment w,
      long from,
      int panels,
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
    int x4 = x3 + xs;
    int x5 = x4 + xs;
    int o1 = zo + zs;
    int o2 = o1 + zs;
    int o3 = o2 + zs;
    int o4 = o3 + zs;
    int o5 = o4 + zs;
    for (int r = 0; r < panels; r++) {
      long at = from + (long) r * columns * (2L * BYTES);
      int row = r * (2 * LENGTH);
      int z0 = zo + row;
      int z1 = o1 + row;
      int z2 = o2 + row;
      int z3 = o3 + row;
      int z4 = o4 + row;
      int z5 = o5 + row;
      FloatVector a00 = FloatVector.fromArray(SPECIES, z, z0);
      FloatVector a01 = FloatVector.fromArray(SPECIES, z, z0 + LENGTH);
      FloatVector a10 = FloatVector.fromArray(SPECIES, z, z1);
      FloatVector a11 = FloatVector.fromArray(SPECIES, z, z1 + LENGTH);
      FloatVector a20 = FloatVector.fromArray(SPECIES, z, z2);
      FloatVector a21 = FloatVector.fromArray(SPECIES, z, z2 + LENGTH);
      FloatVector a30 = FloatVector.fromArray(SPECIES, z, z3);
      FloatVector a31 = FloatVector.fromArray(SPECIES, z, z3 + LENGTH);
      FloatVector a40 = FloatVector.fromArray(SPECIES, z, z4);
      FloatVector a41 = FloatVector.fromArray(SPECIES, z, z4 + LENGTH);
      FloatVector a50 = FloatVector.fromArray(SPECIES, z, z5);
      FloatVector a51 = FloatVector.fromArray(SPECIES, z, z5 + LENGTH);
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
        FloatVector b4 = FloatVector.broadcast(SPECIES, x[x4 + k]);
        a40 = w0.fma(b4, a40);
        a41 = w1.fma(b4, a41);
        FloatVector b5 = FloatVector.broadcast(SPECIES, x[x5 + k]);
        a50 = w0.fma(b5, a50);
        a51 = w1.fma(b5, a51);
      }
      a00.intoArray(z, z0);
      a01.intoArray(z, z0 + LENGTH);
      a10.intoArray(z, z1);
      a11.intoArray(z, z1 + LENGTH);
      a20.intoArray(z, z2);
      a21.intoArray(z, z2 + LENGTH);
      a30.intoArray(z, z3);
      a31.intoArray(z, z3 + LENGTH);
      a40.intoArray(z, z4);
      a41.intoArray(z, z4 + LENGTH);
      a50.intoArray(z, z5);
      a51.intoArray(z, z5 + LENGTH);
    }
  }

  /* z += W x: 8 inputs x 1 vector of rows. */
  private static void eightByOne(
      MemorySegment w, long at, int columns, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    int x1 = xo + xs;
    int x2 = x1 + xs;
    int x3 = x2 + xs;
    int x4 = x3 + xs;
    int x5 = x4 + xs;
    int x6 = x5 + xs;
    int x7 = x6 + xs;
    int z1 = zo + zs;
    int z2 = z1 + zs;
    int z3 = z2 + zs;
    int z4 = z3 + zs;
    int z5 = z4 + zs;
    int z6 = z5 + zs;
    int z7 = z6 + zs;
    FloatVector a00 = FloatVector.fromArray(SPECIES, z, zo);
    FloatVector a10 = FloatVector.fromArray(SPECIES, z, z1);
    FloatVector a20 = FloatVector.fromArray(SPECIES, z, z2);
    FloatVector a30 = FloatVector.fromArray(SPECIES, z, z3);
    FloatVector a40 = FloatVector.fromArray(SPECIES, z, z4);
    FloatVector a50 = FloatVector.fromArray(SPECIES, z, z5);
    FloatVector a60 = FloatVector.fromArray(SPECIES, z, z6);
    FloatVector a70 = FloatVector.fromArray(SPECIES, z, z7);
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
      FloatVector b4 = FloatVector.broadcast(SPECIES, x[x4 + k]);
      a40 = w0.fma(b4, a40);
      FloatVector b5 = FloatVector.broadcast(SPECIES, x[x5 + k]);
      a50 = w0.fma(b5, a50);
      FloatVector b6 = FloatVector.broadcast(SPECIES, x[x6 + k]);
      a60 = w0.fma(b6, a60);
      FloatVector b7 = FloatVector.broadcast(SPECIES, x[x7 + k]);
      a70 = w0.fma(b7, a70);
    }
    a00.intoArray(z, zo);
    a10.intoArray(z, z1);
    a20.intoArray(z, z2);
    a30.intoArray(z, z3);
    a40.intoArray(z, z4);
    a50.intoArray(z, z5);
    a60.intoArray(z, z6);
    a70.intoArray(z, z7);
  }
}
