package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.all;
import static dev.unroll.simd.Lanes.load;
import static dev.unroll.simd.VectorMath.fma;

import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.PackedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Vector twin of the affine kernels. A lane is an output row: a vector of weights holds one column
 * of several rows, so a sum stays in its lane and its order does not depend on the width.
 *
 * <p>Weights stand off-heap at 64-byte boundaries, in panels of rows, each panel by column:
 * [panel][k] [row in panel]. A step reads wide panels with eight accumulators; a batch reads narrow
 * ones, which stay in the first-level cache while many inputs pass.
 */
final class VectorAffine implements AffineKernels {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;
  private static final int ALIGNMENT = 64;

  private static final int STEP_PANEL = 128;
  private static final int BATCH_PANEL = 32;

  /* Inputs whose rows stay in the second-level cache while all panels pass. */
  private static final int INPUT_BLOCK = 64;

  /* Terms of a weight gradient added up in registers before they are stored. */
  private static final int TERM_BLOCK = 256;

  /** Weights in panels, off-heap; the bias on the heap. */
  private static final class Panels extends PackedMatrix {
    final int panel;
    final MemorySegment weights;
    final float[] bias;

    Panels(int rows, int columns, int panel) {
      super(rows, columns);
      this.panel = panel;
      long size = Math.multiplyExact((long) rows * columns, (long) Float.BYTES);
      weights = Arena.ofAuto().allocate(size, ALIGNMENT);
      bias = new float[rows];
    }

    @Override
    public long bytes() {
      return weights.byteSize() + (long) Float.BYTES * bias.length;
    }

    int width(int panelStart) {
      return Math.min(panel, rows() - panelStart);
    }

    void set(int row, int column, float value) {
      int start = row - row % panel;
      long index = (long) start * columns() + (long) column * width(start) + (row - start);
      weights.setAtIndex(FLOAT, index, value);
    }
  }

  @Override
  public PackedMatrix allocate(int rows, int columns, PackedMatrix.Use use) {
    return new Panels(rows, columns, use == PackedMatrix.Use.STEP ? STEP_PANEL : BATCH_PANEL);
  }

  @Override
  public void pack(
      PackedMatrix to,
      int row,
      int column,
      int rows,
      int columns,
      float[] from,
      int offset,
      int stride) {
    Panels m = (Panels) to;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        m.set(row + i, column + j, from[offset + i * stride + j]);
      }
    }
  }

  @Override
  public void packTransposed(
      PackedMatrix to,
      int row,
      int column,
      int rows,
      int columns,
      float[] from,
      int offset,
      int stride) {
    Panels m = (Panels) to;
    for (int j = 0; j < columns; j++) {
      for (int i = 0; i < rows; i++) {
        m.set(row + i, column + j, from[offset + j * stride + i]);
      }
    }
  }

  @Override
  public void packBias(PackedMatrix to, int row, int rows, float[] from, int offset) {
    System.arraycopy(from, offset, ((Panels) to).bias, row, rows);
  }

  @Override
  public void affine(PackedMatrix w, float[] x, int xo, float[] z, int zo) {
    Panels m = (Panels) w;
    accumulate(m, x, xo, m.bias, 0, z, zo);
  }

  @Override
  public void affineStep(
      PackedMatrix w, float[] x, int xo, PackedMatrix u, float[] h, int ho, float[] z, int zo) {
    Panels m = (Panels) w;
    Panels r = (Panels) u;
    accumulate(m, x, xo, m.bias, 0, z, zo);
    accumulate(r, h, ho, z, zo, z, zo);
  }

  @Override
  public void affineBatch(
      PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    Panels m = (Panels) w;
    for (int i = 0; i < n; i++) {
      System.arraycopy(m.bias, 0, z, zo + i * zs, m.rows());
    }
    affineBatchAccumulate(w, n, x, xo, xs, z, zo, zs);
  }

  @Override
  public void affineBatchAccumulate(
      PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    Panels m = (Panels) w;
    for (int first = 0; first < n; first += INPUT_BLOCK) {
      int end = Math.min(first + INPUT_BLOCK, n);
      int i = first + (end - first) / 8 * 8;
      blocksOfEight(m, i - first, x, xo + first * xs, xs, z, zo + first * zs, zs);
      if (i + 4 <= end) {
        blockOfFour(m, x, xo + i * xs, xs, z, zo + i * zs, zs);
        i += 4;
      }
      for (; i < end; i++) {
        int zi = zo + i * zs;
        accumulate(m, x, xo + i * xs, z, zi, z, zi);
      }
    }
  }

  /* z = b + W x for one input; b may be z. The checks keep it too large to be inlined into a cell: see the notes in perf. */
  private static void accumulate(
      Panels m, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    int columns = m.columns();
    MemorySegment w = m.weights;
    assert xo >= 0 && xo + columns <= x.length
        : "x[" + xo + "], n = " + columns + " of " + x.length;
    assert zo >= 0 && zo + m.rows() <= z.length
        : "z[" + zo + "], n = " + m.rows() + " of " + z.length;
    assert m.panel % LENGTH == 0 : "panels of " + m.panel + " rows for vectors of " + LENGTH;
    for (int start = 0; start < m.rows(); start += m.panel) {
      int width = m.width(start);
      int stride = width * Float.BYTES;
      long at = (long) start * columns * Float.BYTES;
      int r = 0;
      for (; r + 8 * LENGTH <= width; r += 8 * LENGTH) {
        stepOfEight(
            w,
            at + (long) r * Float.BYTES,
            stride,
            columns,
            x,
            xo,
            b,
            bo + start + r,
            z,
            zo + start + r);
      }
      if (r + 4 * LENGTH <= width) {
        stepOfFour(
            w,
            at + (long) r * Float.BYTES,
            stride,
            columns,
            x,
            xo,
            b,
            bo + start + r,
            z,
            zo + start + r);
        r += 4 * LENGTH;
      }
      if (r + 2 * LENGTH <= width) {
        stepOfTwo(
            w,
            at + (long) r * Float.BYTES,
            stride,
            columns,
            x,
            xo,
            b,
            bo + start + r,
            z,
            zo + start + r);
        r += 2 * LENGTH;
      }
      if (r < width) {
        stepOfOne(
            w,
            at + (long) r * Float.BYTES,
            stride,
            columns,
            x,
            xo,
            b,
            bo + start + r,
            z,
            zo + start + r);
      }
    }
  }

  private static FloatVector weights(MemorySegment w, long at) {
    return FloatVector.fromMemorySegment(Lanes.SPECIES, w, at, ORDER);
  }

  /* z[0..8 vectors) = b + W x, 8 accumulators. */
  private static void stepOfEight(
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
    FloatVector a0 = load(b, bo);
    FloatVector a1 = load(b, bo + 1 * LENGTH);
    FloatVector a2 = load(b, bo + 2 * LENGTH);
    FloatVector a3 = load(b, bo + 3 * LENGTH);
    FloatVector a4 = load(b, bo + 4 * LENGTH);
    FloatVector a5 = load(b, bo + 5 * LENGTH);
    FloatVector a6 = load(b, bo + 6 * LENGTH);
    FloatVector a7 = load(b, bo + 7 * LENGTH);
    for (int k = 0; k < columns; k++) {
      FloatVector xk = all(x[xo + k]);
      long p = at + (long) k * stride;
      a0 = fma(weights(w, p), xk, a0);
      a1 = fma(weights(w, p + 1L * BYTES), xk, a1);
      a2 = fma(weights(w, p + 2L * BYTES), xk, a2);
      a3 = fma(weights(w, p + 3L * BYTES), xk, a3);
      a4 = fma(weights(w, p + 4L * BYTES), xk, a4);
      a5 = fma(weights(w, p + 5L * BYTES), xk, a5);
      a6 = fma(weights(w, p + 6L * BYTES), xk, a6);
      a7 = fma(weights(w, p + 7L * BYTES), xk, a7);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + 1 * LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
    a5.intoArray(z, zo + 5 * LENGTH);
    a6.intoArray(z, zo + 6 * LENGTH);
    a7.intoArray(z, zo + 7 * LENGTH);
  }

  /* z[0..4 vectors) = b + W x, 4 accumulators. */
  private static void stepOfFour(
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
    FloatVector a0 = load(b, bo);
    FloatVector a1 = load(b, bo + 1 * LENGTH);
    FloatVector a2 = load(b, bo + 2 * LENGTH);
    FloatVector a3 = load(b, bo + 3 * LENGTH);
    for (int k = 0; k < columns; k++) {
      FloatVector xk = all(x[xo + k]);
      long p = at + (long) k * stride;
      a0 = fma(weights(w, p), xk, a0);
      a1 = fma(weights(w, p + 1L * BYTES), xk, a1);
      a2 = fma(weights(w, p + 2L * BYTES), xk, a2);
      a3 = fma(weights(w, p + 3L * BYTES), xk, a3);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + 1 * LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
  }

  /* z[0..2 vectors) = b + W x, 2 accumulators. */
  private static void stepOfTwo(
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
    FloatVector a0 = load(b, bo);
    FloatVector a1 = load(b, bo + 1 * LENGTH);
    for (int k = 0; k < columns; k++) {
      FloatVector xk = all(x[xo + k]);
      long p = at + (long) k * stride;
      a0 = fma(weights(w, p), xk, a0);
      a1 = fma(weights(w, p + 1L * BYTES), xk, a1);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + 1 * LENGTH);
  }

  /* z[0..1 vectors) = b + W x, 1 accumulators. */
  private static void stepOfOne(
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
    FloatVector a0 = load(b, bo);
    for (int k = 0; k < columns; k++) {
      FloatVector xk = all(x[xo + k]);
      long p = at + (long) k * stride;
      a0 = fma(weights(w, p), xk, a0);
    }
    a0.intoArray(z, zo);
  }

  /* z += W x for n inputs, a multiple of eight. */
  private static void blocksOfEight(
      Panels m, int n, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    int columns = m.columns();
    MemorySegment w = m.weights;
    assert n % 8 == 0 : "n = " + n;
    assert xs >= columns : "stride " + xs + " of " + columns + " columns";
    assert m.panel % LENGTH == 0 : "panels of " + m.panel + " rows for vectors of " + LENGTH;
    for (int start = 0; start < m.rows(); start += m.panel) {
      int width = m.width(start);
      int stride = width * Float.BYTES;
      long at = (long) start * columns * Float.BYTES;
      int r = 0;
      for (; r + 2 * LENGTH <= width; r += 2 * LENGTH) {
        long from = at + (long) r * Float.BYTES;
        for (int i = 0; i < n; i += 8) {
          eightByTwo(w, from, stride, columns, x, xo + i * xs, xs, z, zo + i * zs + start + r, zs);
        }
      }
      if (r < width) {
        long from = at + (long) r * Float.BYTES;
        for (int i = 0; i < n; i += 8) {
          eightByOne(w, from, stride, columns, x, xo + i * xs, xs, z, zo + i * zs + start + r, zs);
        }
      }
    }
  }

  /* z += W x for four inputs. */
  private static void blockOfFour(Panels m, float[] x, int xo, int xs, float[] z, int zo, int zs) {
    int columns = m.columns();
    assert xo >= 0 && xo + columns <= x.length
        : "x[" + xo + "], n = " + columns + " of " + x.length;
    assert zo >= 0 && zo + m.rows() <= z.length
        : "z[" + zo + "], n = " + m.rows() + " of " + z.length;
    assert m.panel % LENGTH == 0 : "panels of " + m.panel + " rows for vectors of " + LENGTH;
    assert xs >= columns : "stride " + xs + " of " + columns + " columns";
    assert zs >= m.rows() : "stride " + zs + " of " + m.rows() + " rows";
    for (int start = 0; start < m.rows(); start += m.panel) {
      int width = m.width(start);
      int stride = width * Float.BYTES;
      long at = (long) start * columns * Float.BYTES;
      int r = 0;
      for (; r + 2 * LENGTH <= width; r += 2 * LENGTH) {
        long from = at + (long) r * Float.BYTES;
        fourByTwo(m.weights, from, stride, columns, x, xo, xs, z, zo + start + r, zs);
      }
      if (r < width) {
        long from = at + (long) r * Float.BYTES;
        fourByOne(m.weights, from, stride, columns, x, xo, xs, z, zo + start + r, zs);
      }
    }
  }

  /* 8 inputs x 2 vectors of rows. */
  private static void eightByTwo(
      MemorySegment w,
      long at,
      int stride,
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
    int z1 = zo + zs;
    int z2 = z1 + zs;
    int z3 = z2 + zs;
    int z4 = z3 + zs;
    int z5 = z4 + zs;
    int z6 = z5 + zs;
    int z7 = z6 + zs;
    FloatVector a00 = load(z, zo);
    FloatVector a01 = load(z, zo + LENGTH);
    FloatVector a10 = load(z, z1);
    FloatVector a11 = load(z, z1 + LENGTH);
    FloatVector a20 = load(z, z2);
    FloatVector a21 = load(z, z2 + LENGTH);
    FloatVector a30 = load(z, z3);
    FloatVector a31 = load(z, z3 + LENGTH);
    FloatVector a40 = load(z, z4);
    FloatVector a41 = load(z, z4 + LENGTH);
    FloatVector a50 = load(z, z5);
    FloatVector a51 = load(z, z5 + LENGTH);
    FloatVector a60 = load(z, z6);
    FloatVector a61 = load(z, z6 + LENGTH);
    FloatVector a70 = load(z, z7);
    FloatVector a71 = load(z, z7 + LENGTH);
    for (int k = 0; k < columns; k++) {
      long p = at + (long) k * stride;
      FloatVector w0 = weights(w, p);
      FloatVector w1 = weights(w, p + BYTES);
      FloatVector b0 = all(x[xo + k]);
      a00 = fma(w0, b0, a00);
      a01 = fma(w1, b0, a01);
      FloatVector b1 = all(x[x1 + k]);
      a10 = fma(w0, b1, a10);
      a11 = fma(w1, b1, a11);
      FloatVector b2 = all(x[x2 + k]);
      a20 = fma(w0, b2, a20);
      a21 = fma(w1, b2, a21);
      FloatVector b3 = all(x[x3 + k]);
      a30 = fma(w0, b3, a30);
      a31 = fma(w1, b3, a31);
      FloatVector b4 = all(x[x4 + k]);
      a40 = fma(w0, b4, a40);
      a41 = fma(w1, b4, a41);
      FloatVector b5 = all(x[x5 + k]);
      a50 = fma(w0, b5, a50);
      a51 = fma(w1, b5, a51);
      FloatVector b6 = all(x[x6 + k]);
      a60 = fma(w0, b6, a60);
      a61 = fma(w1, b6, a61);
      FloatVector b7 = all(x[x7 + k]);
      a70 = fma(w0, b7, a70);
      a71 = fma(w1, b7, a71);
    }
    a00.intoArray(z, zo);
    a01.intoArray(z, zo + LENGTH);
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

  /* 8 inputs x 1 vector of rows. */
  private static void eightByOne(
      MemorySegment w,
      long at,
      int stride,
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
    int z1 = zo + zs;
    int z2 = z1 + zs;
    int z3 = z2 + zs;
    int z4 = z3 + zs;
    int z5 = z4 + zs;
    int z6 = z5 + zs;
    int z7 = z6 + zs;
    FloatVector a00 = load(z, zo);
    FloatVector a10 = load(z, z1);
    FloatVector a20 = load(z, z2);
    FloatVector a30 = load(z, z3);
    FloatVector a40 = load(z, z4);
    FloatVector a50 = load(z, z5);
    FloatVector a60 = load(z, z6);
    FloatVector a70 = load(z, z7);
    for (int k = 0; k < columns; k++) {
      long p = at + (long) k * stride;
      FloatVector w0 = weights(w, p);
      FloatVector b0 = all(x[xo + k]);
      a00 = fma(w0, b0, a00);
      FloatVector b1 = all(x[x1 + k]);
      a10 = fma(w0, b1, a10);
      FloatVector b2 = all(x[x2 + k]);
      a20 = fma(w0, b2, a20);
      FloatVector b3 = all(x[x3 + k]);
      a30 = fma(w0, b3, a30);
      FloatVector b4 = all(x[x4 + k]);
      a40 = fma(w0, b4, a40);
      FloatVector b5 = all(x[x5 + k]);
      a50 = fma(w0, b5, a50);
      FloatVector b6 = all(x[x6 + k]);
      a60 = fma(w0, b6, a60);
      FloatVector b7 = all(x[x7 + k]);
      a70 = fma(w0, b7, a70);
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

  /* 4 inputs x 2 vectors of rows. */
  private static void fourByTwo(
      MemorySegment w,
      long at,
      int stride,
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
    int z1 = zo + zs;
    int z2 = z1 + zs;
    int z3 = z2 + zs;
    FloatVector a00 = load(z, zo);
    FloatVector a01 = load(z, zo + LENGTH);
    FloatVector a10 = load(z, z1);
    FloatVector a11 = load(z, z1 + LENGTH);
    FloatVector a20 = load(z, z2);
    FloatVector a21 = load(z, z2 + LENGTH);
    FloatVector a30 = load(z, z3);
    FloatVector a31 = load(z, z3 + LENGTH);
    for (int k = 0; k < columns; k++) {
      long p = at + (long) k * stride;
      FloatVector w0 = weights(w, p);
      FloatVector w1 = weights(w, p + BYTES);
      FloatVector b0 = all(x[xo + k]);
      a00 = fma(w0, b0, a00);
      a01 = fma(w1, b0, a01);
      FloatVector b1 = all(x[x1 + k]);
      a10 = fma(w0, b1, a10);
      a11 = fma(w1, b1, a11);
      FloatVector b2 = all(x[x2 + k]);
      a20 = fma(w0, b2, a20);
      a21 = fma(w1, b2, a21);
      FloatVector b3 = all(x[x3 + k]);
      a30 = fma(w0, b3, a30);
      a31 = fma(w1, b3, a31);
    }
    a00.intoArray(z, zo);
    a01.intoArray(z, zo + LENGTH);
    a10.intoArray(z, z1);
    a11.intoArray(z, z1 + LENGTH);
    a20.intoArray(z, z2);
    a21.intoArray(z, z2 + LENGTH);
    a30.intoArray(z, z3);
    a31.intoArray(z, z3 + LENGTH);
  }

  /* 4 inputs x 1 vector of rows. */
  private static void fourByOne(
      MemorySegment w,
      long at,
      int stride,
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
    int z1 = zo + zs;
    int z2 = z1 + zs;
    int z3 = z2 + zs;
    FloatVector a00 = load(z, zo);
    FloatVector a10 = load(z, z1);
    FloatVector a20 = load(z, z2);
    FloatVector a30 = load(z, z3);
    for (int k = 0; k < columns; k++) {
      long p = at + (long) k * stride;
      FloatVector w0 = weights(w, p);
      FloatVector b0 = all(x[xo + k]);
      a00 = fma(w0, b0, a00);
      FloatVector b1 = all(x[x1 + k]);
      a10 = fma(w0, b1, a10);
      FloatVector b2 = all(x[x2 + k]);
      a20 = fma(w0, b2, a20);
      FloatVector b3 = all(x[x3 + k]);
      a30 = fma(w0, b3, a30);
    }
    a00.intoArray(z, zo);
    a10.intoArray(z, z1);
    a20.intoArray(z, z2);
    a30.intoArray(z, z3);
  }

  @Override
  public void outerAccumulate(
      int n,
      float[] dz,
      int dzo,
      int dzs,
      int rows,
      float[] x,
      int xo,
      int xs,
      int columns,
      float[] dw,
      int dwo,
      int dws) {
    for (int first = 0; first < n; first += TERM_BLOCK) {
      int terms = Math.min(TERM_BLOCK, n - first);
      int d = dzo + first * dzs;
      int at = xo + first * xs;
      int k = 0;
      for (; k + 2 * LENGTH <= columns; k += 2 * LENGTH) {
        for (int r = 0; r < rows; r += 8) {
          outerEightByTwo(terms, dz, d + r, dzs, x, at + k, xs, dw, dwo + r * dws + k, dws);
        }
      }
      if (k < columns) {
        for (int r = 0; r < rows; r += 8) {
          outerEightByOne(terms, dz, d + r, dzs, x, at + k, xs, dw, dwo + r * dws + k, dws);
        }
      }
    }
  }

  /* 8 rows x 2 vectors of columns of dW, all n terms. */
  private static void outerEightByTwo(
      int n,
      float[] dz,
      int dzo,
      int dzs,
      float[] x,
      int xo,
      int xs,
      float[] dw,
      int dwo,
      int dws) {
    int w1 = dwo + dws;
    int w2 = w1 + dws;
    int w3 = w2 + dws;
    int w4 = w3 + dws;
    int w5 = w4 + dws;
    int w6 = w5 + dws;
    int w7 = w6 + dws;
    FloatVector a00 = load(dw, dwo);
    FloatVector a01 = load(dw, dwo + LENGTH);
    FloatVector a10 = load(dw, w1);
    FloatVector a11 = load(dw, w1 + LENGTH);
    FloatVector a20 = load(dw, w2);
    FloatVector a21 = load(dw, w2 + LENGTH);
    FloatVector a30 = load(dw, w3);
    FloatVector a31 = load(dw, w3 + LENGTH);
    FloatVector a40 = load(dw, w4);
    FloatVector a41 = load(dw, w4 + LENGTH);
    FloatVector a50 = load(dw, w5);
    FloatVector a51 = load(dw, w5 + LENGTH);
    FloatVector a60 = load(dw, w6);
    FloatVector a61 = load(dw, w6 + LENGTH);
    FloatVector a70 = load(dw, w7);
    FloatVector a71 = load(dw, w7 + LENGTH);
    for (int t = 0; t < n; t++) {
      int d = dzo + t * dzs;
      FloatVector x0 = load(x, xo + t * xs);
      FloatVector x1 = load(x, xo + t * xs + LENGTH);
      FloatVector d0 = all(dz[d]);
      a00 = fma(d0, x0, a00);
      a01 = fma(d0, x1, a01);
      FloatVector d1 = all(dz[d + 1]);
      a10 = fma(d1, x0, a10);
      a11 = fma(d1, x1, a11);
      FloatVector d2 = all(dz[d + 2]);
      a20 = fma(d2, x0, a20);
      a21 = fma(d2, x1, a21);
      FloatVector d3 = all(dz[d + 3]);
      a30 = fma(d3, x0, a30);
      a31 = fma(d3, x1, a31);
      FloatVector d4 = all(dz[d + 4]);
      a40 = fma(d4, x0, a40);
      a41 = fma(d4, x1, a41);
      FloatVector d5 = all(dz[d + 5]);
      a50 = fma(d5, x0, a50);
      a51 = fma(d5, x1, a51);
      FloatVector d6 = all(dz[d + 6]);
      a60 = fma(d6, x0, a60);
      a61 = fma(d6, x1, a61);
      FloatVector d7 = all(dz[d + 7]);
      a70 = fma(d7, x0, a70);
      a71 = fma(d7, x1, a71);
    }
    a00.intoArray(dw, dwo);
    a01.intoArray(dw, dwo + LENGTH);
    a10.intoArray(dw, w1);
    a11.intoArray(dw, w1 + LENGTH);
    a20.intoArray(dw, w2);
    a21.intoArray(dw, w2 + LENGTH);
    a30.intoArray(dw, w3);
    a31.intoArray(dw, w3 + LENGTH);
    a40.intoArray(dw, w4);
    a41.intoArray(dw, w4 + LENGTH);
    a50.intoArray(dw, w5);
    a51.intoArray(dw, w5 + LENGTH);
    a60.intoArray(dw, w6);
    a61.intoArray(dw, w6 + LENGTH);
    a70.intoArray(dw, w7);
    a71.intoArray(dw, w7 + LENGTH);
  }

  /* 8 rows x 1 vector of columns of dW, all n terms. */
  private static void outerEightByOne(
      int n,
      float[] dz,
      int dzo,
      int dzs,
      float[] x,
      int xo,
      int xs,
      float[] dw,
      int dwo,
      int dws) {
    int w1 = dwo + dws;
    int w2 = w1 + dws;
    int w3 = w2 + dws;
    int w4 = w3 + dws;
    int w5 = w4 + dws;
    int w6 = w5 + dws;
    int w7 = w6 + dws;
    FloatVector a00 = load(dw, dwo);
    FloatVector a10 = load(dw, w1);
    FloatVector a20 = load(dw, w2);
    FloatVector a30 = load(dw, w3);
    FloatVector a40 = load(dw, w4);
    FloatVector a50 = load(dw, w5);
    FloatVector a60 = load(dw, w6);
    FloatVector a70 = load(dw, w7);
    for (int t = 0; t < n; t++) {
      int d = dzo + t * dzs;
      FloatVector x0 = load(x, xo + t * xs);
      FloatVector d0 = all(dz[d]);
      a00 = fma(d0, x0, a00);
      FloatVector d1 = all(dz[d + 1]);
      a10 = fma(d1, x0, a10);
      FloatVector d2 = all(dz[d + 2]);
      a20 = fma(d2, x0, a20);
      FloatVector d3 = all(dz[d + 3]);
      a30 = fma(d3, x0, a30);
      FloatVector d4 = all(dz[d + 4]);
      a40 = fma(d4, x0, a40);
      FloatVector d5 = all(dz[d + 5]);
      a50 = fma(d5, x0, a50);
      FloatVector d6 = all(dz[d + 6]);
      a60 = fma(d6, x0, a60);
      FloatVector d7 = all(dz[d + 7]);
      a70 = fma(d7, x0, a70);
    }
    a00.intoArray(dw, dwo);
    a10.intoArray(dw, w1);
    a20.intoArray(dw, w2);
    a30.intoArray(dw, w3);
    a40.intoArray(dw, w4);
    a50.intoArray(dw, w5);
    a60.intoArray(dw, w6);
    a70.intoArray(dw, w7);
  }
}
