package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Sums of outer products: dW += dZᵀ X. Rows of dZ and of X are far apart in memory, often by a
 * power of two that maps them all to one set of the cache. So a block of each is first copied, a
 * few rows at a time, into strips of some columns: a strip of X and the columns of dZ that meet in
 * a kernel stay in the first level of the cache, the blocks in the second. All strips of a block of
 * X pass over some rows of dW before the next, so that what they add to is not one line of every
 * page.
 *
 * <p>With 32 registers strips of X stand off-heap in {@link Strips}, a vector at multiples of its
 * length; on the heap each one of 64 bytes would lie across two lines of the cache.
 */
final class VectorOuter {
  /* Terms added up in registers before they are stored. */
  private static final int TERM_BLOCK = 256;

  /*
   * Rows of dW, or columns of dZ, side by side: what four kernels of 12 or 6 rows take, in whole
   * vectors.
   */
  private static final int ROWS = Lanes.MANY_REGISTERS ? 48 : 24;
  private static final int ROW_BLOCK = Math.ceilDiv(256, ROWS) * ROWS;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  /*
   * Columns of dW, or of X, side by side: all of many layers, so that X is not copied for every block
   * of rows; with sixteen registers, on the heap, fewer.
   */
  private static final int COLUMNS = 2 * LENGTH;
  private static final int COLUMN_BLOCK =
      (Lanes.MANY_REGISTERS ? Strips.FLOATS : Strips.FLOATS / 2) / TERM_BLOCK;

  /* Masks that change nothing, and tell C2 that sums of them do not overflow. */
  private static final int FIRST = 2 * Integer.highestOneBit(TERM_BLOCK * ROW_BLOCK) - 1;
  private static final int LAST = 2 * TERM_BLOCK - 1;

  /* Rows whose pages and lines stay at hand while all strips are copied. */
  private static final int COPIED = 16;

  /** Room for copies on the heap. */
  private static final class Copies {
    final float[] dz = new float[TERM_BLOCK * ROW_BLOCK];
    final float[] x = new float[Lanes.MANY_REGISTERS ? 0 : TERM_BLOCK * COLUMN_BLOCK];
  }

  /* Per thread, so that threads may share the rows of dW. */
  private static final ThreadLocal<Copies> COPIES = ThreadLocal.withInitial(Copies::new);

  private VectorOuter() {}

  /**
   * See {@link dev.unroll.fallback.AffineKernels#outerAccumulate}.
   *
   * @param twelves whether to take twelve rows at a time
   */
  static void accumulate(
      int n,
      float[] dz,
      int dzo,
      int dzs,
      int rows,
      float[] x,
      int xo,
      int xs,
      int columns,
      boolean twelves,
      float[] dw,
      int dwo,
      int dws) {
    Copies copies = COPIES.get();
    long piece = Lanes.MANY_REGISTERS ? Strips.take() : 0;
    try {
      for (int first = 0; first < n; first += TERM_BLOCK) {
        int terms = Math.min(TERM_BLOCK, n - first);
        /* Of fewer terms the same room holds more rows and columns. */
        int rowBlock = TERM_BLOCK / terms * ROW_BLOCK;
        int columnBlock = TERM_BLOCK / terms * COLUMN_BLOCK;
        int copied = -1;
        for (int row = 0; row < rows; row += rowBlock) {
          int height = Math.min(rowBlock, rows - row);
          strips(terms, height, dz, dzo + first * dzs + row, dzs, copies.dz);
          for (int k = 0; k < columns; k += columnBlock) {
            int width = Math.min(columnBlock, columns - k);
            if (k != copied) {
              lines(terms, width, x, xo + first * xs + k, xs, copies.x, piece);
              copied = k;
            }
            block(terms, height, width, twelves, copies, piece, dw, dwo + row * dws + k, dws);
          }
        }
      }
    } finally {
      if (Lanes.MANY_REGISTERS) {
        Strips.give(piece);
      }
    }
  }

  /* Copies dZ into strips one behind the other, some rows of all strips before the next. */
  private static void strips(int terms, int columns, float[] from, int fo, int stride, float[] to) {
    for (int t = 0; t < terms; t += COPIED) {
      int n = Math.min(COPIED, terms - t);
      for (int s = 0; s < columns; s += ROWS) {
        int width = Math.min(ROWS, columns - s);
        copy(n, width, from, fo + t * stride + s, stride, to, s * terms + t * ROWS);
      }
    }
  }

  private static void copy(
      int terms, int width, float[] from, int fo, int stride, float[] to, int to0) {
    for (int t = 0; t < terms; t++) {
      for (int j = 0; j < width; j += LENGTH) {
        FloatVector.fromArray(SPECIES, from, fo + t * stride + j).intoArray(to, to0 + t * ROWS + j);
      }
    }
  }

  /* Copies X into strips, row by row, which is faster where strips are few. */
  private static void lines(
      int terms, int columns, float[] from, int fo, int stride, float[] to, long piece) {
    int first = (int) (piece / Float.BYTES);
    for (int t = 0; t < terms; t++) {
      line(columns, from, fo + t * stride, to, first + t * COLUMNS, terms * COLUMNS);
    }
  }

  /* C2 would box vectors that are stored in a segment on the heap. */
  private static void line(int columns, float[] from, int fo, float[] to, int at, int apart) {
    int p = at;
    int k = 0;
    for (; k + COLUMNS <= columns; k += COLUMNS, p += apart) {
      FloatVector v0 = FloatVector.fromArray(SPECIES, from, fo + k);
      FloatVector v1 = FloatVector.fromArray(SPECIES, from, fo + k + LENGTH);
      if (Lanes.MANY_REGISTERS) {
        long q = p * (long) Float.BYTES;
        v0.intoMemorySegment(Strips.MEMORY, q, ORDER);
        v1.intoMemorySegment(Strips.MEMORY, q + BYTES, ORDER);
      } else {
        v0.intoArray(to, p);
        v1.intoArray(to, p + LENGTH);
      }
    }
    if (k < columns) {
      long q = p * (long) Float.BYTES;
      FloatVector.fromArray(SPECIES, from, fo + k).intoMemorySegment(Strips.MEMORY, q, ORDER);
    }
  }

  /* dW += dZᵀ X of one block. */
  private static void block(
      int terms,
      int rows,
      int columns,
      boolean twelves,
      Copies copies,
      long x,
      float[] dw,
      int dwo,
      int dws) {
    for (int r = 0; r < rows; r += ROWS) {
      int height = Math.min(ROWS, rows - r);
      strip(terms, height, columns, twelves, copies, r * terms, x, dw, dwo + r * dws, dws);
    }
  }

  /* One strip of dZ by all of X. */
  private static void strip(
      int terms,
      int height,
      int columns,
      boolean twelves,
      Copies copies,
      int dzo,
      long x,
      float[] dw,
      int dwo,
      int dws) {
    float[] dz = copies.dz;
    int strips = columns / COLUMNS;
    for (int r = 0, n = 0; r < height; r += n) {
      n = twelves ? CopiedInputs.next(height - r) : Lanes.rows(height - r);
      int wo = dwo + r * dws;
      switch (n) {
        case 12 -> twelveByTwo(terms, strips, dz, dzo + r, x, dw, wo, dws);
        case 8 -> eightByTwo(terms, strips, dz, dzo + r, x, dw, wo, dws);
        case 6 -> sixByTwo(terms, strips, dz, dzo + r, 1, copies.x, dw, wo, dws);
        default -> fourByTwo(terms, strips, dz, dzo + r, 1, copies.x, dw, wo, dws);
      }
    }
    int done = strips * COLUMNS;
    if (done < columns) {
      long last = x + (long) done * terms * Float.BYTES;
      for (int r = 0; r < height; r += 8) {
        eightByOne(terms, dz, dzo + r, last, dw, dwo + r * dws + done, dws);
      }
    }
  }

  /*
   * 12 rows x 2 vectors of columns of dW for each strip of X, all terms. Of few terms the
   * instructions around the loop take long, so one call takes all strips.
   */
  private static void twelveByTwo(
      int terms, int strips, float[] d, int od, long x, float[] dw, int dwo, int ws) {
    int first = od & FIRST;
    int last = terms & LAST;
    for (int s = 0; s < strips; s++) {
      long at = x + (long) s * terms * (2L * BYTES);
      int w0 = dwo + s * COLUMNS;
      int w1 = w0 + ws;
      int w2 = w1 + ws;
      int w3 = w2 + ws;
      int w4 = w3 + ws;
      int w5 = w4 + ws;
      int w6 = w5 + ws;
      int w7 = w6 + ws;
      int w8 = w7 + ws;
      int w9 = w8 + ws;
      int w10 = w9 + ws;
      int w11 = w10 + ws;
      FloatVector a00 = FloatVector.fromArray(SPECIES, dw, w0);
      FloatVector a01 = FloatVector.fromArray(SPECIES, dw, w0 + LENGTH);
      FloatVector a10 = FloatVector.fromArray(SPECIES, dw, w1);
      FloatVector a11 = FloatVector.fromArray(SPECIES, dw, w1 + LENGTH);
      FloatVector a20 = FloatVector.fromArray(SPECIES, dw, w2);
      FloatVector a21 = FloatVector.fromArray(SPECIES, dw, w2 + LENGTH);
      FloatVector a30 = FloatVector.fromArray(SPECIES, dw, w3);
      FloatVector a31 = FloatVector.fromArray(SPECIES, dw, w3 + LENGTH);
      FloatVector a40 = FloatVector.fromArray(SPECIES, dw, w4);
      FloatVector a41 = FloatVector.fromArray(SPECIES, dw, w4 + LENGTH);
      FloatVector a50 = FloatVector.fromArray(SPECIES, dw, w5);
      FloatVector a51 = FloatVector.fromArray(SPECIES, dw, w5 + LENGTH);
      FloatVector a60 = FloatVector.fromArray(SPECIES, dw, w6);
      FloatVector a61 = FloatVector.fromArray(SPECIES, dw, w6 + LENGTH);
      FloatVector a70 = FloatVector.fromArray(SPECIES, dw, w7);
      FloatVector a71 = FloatVector.fromArray(SPECIES, dw, w7 + LENGTH);
      FloatVector a80 = FloatVector.fromArray(SPECIES, dw, w8);
      FloatVector a81 = FloatVector.fromArray(SPECIES, dw, w8 + LENGTH);
      FloatVector a90 = FloatVector.fromArray(SPECIES, dw, w9);
      FloatVector a91 = FloatVector.fromArray(SPECIES, dw, w9 + LENGTH);
      FloatVector a100 = FloatVector.fromArray(SPECIES, dw, w10);
      FloatVector a101 = FloatVector.fromArray(SPECIES, dw, w10 + LENGTH);
      FloatVector a110 = FloatVector.fromArray(SPECIES, dw, w11);
      FloatVector a111 = FloatVector.fromArray(SPECIES, dw, w11 + LENGTH);
      for (int t = 0; t < last; t++) {
        int p = first + t * ROWS;
        long k = (at + t * (2L * BYTES)) & Strips.MASK;
        FloatVector x0 = FloatVector.fromMemorySegment(SPECIES, Strips.MEMORY, k, ORDER);
        FloatVector x1 = FloatVector.fromMemorySegment(SPECIES, Strips.MEMORY, k + BYTES, ORDER);
        FloatVector d0 = FloatVector.broadcast(SPECIES, d[p]);
        a00 = d0.fma(x0, a00);
        a01 = d0.fma(x1, a01);
        FloatVector d1 = FloatVector.broadcast(SPECIES, d[p + 1]);
        a10 = d1.fma(x0, a10);
        a11 = d1.fma(x1, a11);
        FloatVector d2 = FloatVector.broadcast(SPECIES, d[p + 2]);
        a20 = d2.fma(x0, a20);
        a21 = d2.fma(x1, a21);
        FloatVector d3 = FloatVector.broadcast(SPECIES, d[p + 3]);
        a30 = d3.fma(x0, a30);
        a31 = d3.fma(x1, a31);
        FloatVector d4 = FloatVector.broadcast(SPECIES, d[p + 4]);
        a40 = d4.fma(x0, a40);
        a41 = d4.fma(x1, a41);
        FloatVector d5 = FloatVector.broadcast(SPECIES, d[p + 5]);
        a50 = d5.fma(x0, a50);
        a51 = d5.fma(x1, a51);
        FloatVector d6 = FloatVector.broadcast(SPECIES, d[p + 6]);
        a60 = d6.fma(x0, a60);
        a61 = d6.fma(x1, a61);
        FloatVector d7 = FloatVector.broadcast(SPECIES, d[p + 7]);
        a70 = d7.fma(x0, a70);
        a71 = d7.fma(x1, a71);
        FloatVector d8 = FloatVector.broadcast(SPECIES, d[p + 8]);
        a80 = d8.fma(x0, a80);
        a81 = d8.fma(x1, a81);
        FloatVector d9 = FloatVector.broadcast(SPECIES, d[p + 9]);
        a90 = d9.fma(x0, a90);
        a91 = d9.fma(x1, a91);
        FloatVector d10 = FloatVector.broadcast(SPECIES, d[p + 10]);
        a100 = d10.fma(x0, a100);
        a101 = d10.fma(x1, a101);
        FloatVector d11 = FloatVector.broadcast(SPECIES, d[p + 11]);
        a110 = d11.fma(x0, a110);
        a111 = d11.fma(x1, a111);
      }
      a00.intoArray(dw, w0);
      a01.intoArray(dw, w0 + LENGTH);
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
      a80.intoArray(dw, w8);
      a81.intoArray(dw, w8 + LENGTH);
      a90.intoArray(dw, w9);
      a91.intoArray(dw, w9 + LENGTH);
      a100.intoArray(dw, w10);
      a101.intoArray(dw, w10 + LENGTH);
      a110.intoArray(dw, w11);
      a111.intoArray(dw, w11 + LENGTH);
    }
  }

  /* 8 rows x 2 vectors of columns of dW for each strip of X, all terms. */
  private static void eightByTwo(
      int terms, int strips, float[] d, int od, long x, float[] dw, int dwo, int ws) {
    int first = od & FIRST;
    int last = terms & LAST;
    for (int s = 0; s < strips; s++) {
      long at = x + (long) s * terms * (2L * BYTES);
      int w0 = dwo + s * COLUMNS;
      int w1 = w0 + ws;
      int w2 = w1 + ws;
      int w3 = w2 + ws;
      int w4 = w3 + ws;
      int w5 = w4 + ws;
      int w6 = w5 + ws;
      int w7 = w6 + ws;
      FloatVector a00 = FloatVector.fromArray(SPECIES, dw, w0);
      FloatVector a01 = FloatVector.fromArray(SPECIES, dw, w0 + LENGTH);
      FloatVector a10 = FloatVector.fromArray(SPECIES, dw, w1);
      FloatVector a11 = FloatVector.fromArray(SPECIES, dw, w1 + LENGTH);
      FloatVector a20 = FloatVector.fromArray(SPECIES, dw, w2);
      FloatVector a21 = FloatVector.fromArray(SPECIES, dw, w2 + LENGTH);
      FloatVector a30 = FloatVector.fromArray(SPECIES, dw, w3);
      FloatVector a31 = FloatVector.fromArray(SPECIES, dw, w3 + LENGTH);
      FloatVector a40 = FloatVector.fromArray(SPECIES, dw, w4);
      FloatVector a41 = FloatVector.fromArray(SPECIES, dw, w4 + LENGTH);
      FloatVector a50 = FloatVector.fromArray(SPECIES, dw, w5);
      FloatVector a51 = FloatVector.fromArray(SPECIES, dw, w5 + LENGTH);
      FloatVector a60 = FloatVector.fromArray(SPECIES, dw, w6);
      FloatVector a61 = FloatVector.fromArray(SPECIES, dw, w6 + LENGTH);
      FloatVector a70 = FloatVector.fromArray(SPECIES, dw, w7);
      FloatVector a71 = FloatVector.fromArray(SPECIES, dw, w7 + LENGTH);
      for (int t = 0; t < last; t++) {
        int p = first + t * ROWS;
        long k = (at + t * (2L * BYTES)) & Strips.MASK;
        FloatVector x0 = FloatVector.fromMemorySegment(SPECIES, Strips.MEMORY, k, ORDER);
        FloatVector x1 = FloatVector.fromMemorySegment(SPECIES, Strips.MEMORY, k + BYTES, ORDER);
        FloatVector d0 = FloatVector.broadcast(SPECIES, d[p]);
        a00 = d0.fma(x0, a00);
        a01 = d0.fma(x1, a01);
        FloatVector d1 = FloatVector.broadcast(SPECIES, d[p + 1]);
        a10 = d1.fma(x0, a10);
        a11 = d1.fma(x1, a11);
        FloatVector d2 = FloatVector.broadcast(SPECIES, d[p + 2]);
        a20 = d2.fma(x0, a20);
        a21 = d2.fma(x1, a21);
        FloatVector d3 = FloatVector.broadcast(SPECIES, d[p + 3]);
        a30 = d3.fma(x0, a30);
        a31 = d3.fma(x1, a31);
        FloatVector d4 = FloatVector.broadcast(SPECIES, d[p + 4]);
        a40 = d4.fma(x0, a40);
        a41 = d4.fma(x1, a41);
        FloatVector d5 = FloatVector.broadcast(SPECIES, d[p + 5]);
        a50 = d5.fma(x0, a50);
        a51 = d5.fma(x1, a51);
        FloatVector d6 = FloatVector.broadcast(SPECIES, d[p + 6]);
        a60 = d6.fma(x0, a60);
        a61 = d6.fma(x1, a61);
        FloatVector d7 = FloatVector.broadcast(SPECIES, d[p + 7]);
        a70 = d7.fma(x0, a70);
        a71 = d7.fma(x1, a71);
      }
      a00.intoArray(dw, w0);
      a01.intoArray(dw, w0 + LENGTH);
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
  }

  /*
   * 6 rows x 2 vectors of columns of dW for each strip of X, all terms. The step from row to row in d is one, but C2
   * must not know: it would load several factors ahead and spill a sum.
   */
  private static void sixByTwo(
      int terms, int strips, float[] d, int od, int step, float[] x, float[] dw, int dwo, int ws) {
    for (int s = 0; s < strips; s++) {
      int xo = s * terms * COLUMNS;
      int wo = dwo + s * COLUMNS;
      int w1 = wo + ws;
      int w2 = w1 + ws;
      int w3 = w2 + ws;
      int w4 = w3 + ws;
      int w5 = w4 + ws;
      int p1 = od + step;
      int p2 = p1 + step;
      int p3 = p2 + step;
      int p4 = p3 + step;
      int p5 = p4 + step;
      FloatVector a00 = FloatVector.fromArray(SPECIES, dw, wo);
      FloatVector a01 = FloatVector.fromArray(SPECIES, dw, wo + LENGTH);
      FloatVector a10 = FloatVector.fromArray(SPECIES, dw, w1);
      FloatVector a11 = FloatVector.fromArray(SPECIES, dw, w1 + LENGTH);
      FloatVector a20 = FloatVector.fromArray(SPECIES, dw, w2);
      FloatVector a21 = FloatVector.fromArray(SPECIES, dw, w2 + LENGTH);
      FloatVector a30 = FloatVector.fromArray(SPECIES, dw, w3);
      FloatVector a31 = FloatVector.fromArray(SPECIES, dw, w3 + LENGTH);
      FloatVector a40 = FloatVector.fromArray(SPECIES, dw, w4);
      FloatVector a41 = FloatVector.fromArray(SPECIES, dw, w4 + LENGTH);
      FloatVector a50 = FloatVector.fromArray(SPECIES, dw, w5);
      FloatVector a51 = FloatVector.fromArray(SPECIES, dw, w5 + LENGTH);
      for (int t = 0; t < terms; t++) {
        int p = t * ROWS;
        FloatVector x0 = FloatVector.fromArray(SPECIES, x, xo + t * COLUMNS);
        FloatVector x1 = FloatVector.fromArray(SPECIES, x, xo + t * COLUMNS + LENGTH);
        FloatVector d0 = FloatVector.broadcast(SPECIES, d[od + p]);
        a00 = d0.fma(x0, a00);
        a01 = d0.fma(x1, a01);
        FloatVector d1 = FloatVector.broadcast(SPECIES, d[p1 + p]);
        a10 = d1.fma(x0, a10);
        a11 = d1.fma(x1, a11);
        FloatVector d2 = FloatVector.broadcast(SPECIES, d[p2 + p]);
        a20 = d2.fma(x0, a20);
        a21 = d2.fma(x1, a21);
        FloatVector d3 = FloatVector.broadcast(SPECIES, d[p3 + p]);
        a30 = d3.fma(x0, a30);
        a31 = d3.fma(x1, a31);
        FloatVector d4 = FloatVector.broadcast(SPECIES, d[p4 + p]);
        a40 = d4.fma(x0, a40);
        a41 = d4.fma(x1, a41);
        FloatVector d5 = FloatVector.broadcast(SPECIES, d[p5 + p]);
        a50 = d5.fma(x0, a50);
        a51 = d5.fma(x1, a51);
      }
      a00.intoArray(dw, wo);
      a01.intoArray(dw, wo + LENGTH);
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
    }
  }

  /* 4 rows x 2 vectors of columns of dW for each strip of X, all terms; the step as above. */
  private static void fourByTwo(
      int terms, int strips, float[] d, int od, int step, float[] x, float[] dw, int dwo, int ws) {
    for (int s = 0; s < strips; s++) {
      int xo = s * terms * COLUMNS;
      int wo = dwo + s * COLUMNS;
      int w1 = wo + ws;
      int w2 = w1 + ws;
      int w3 = w2 + ws;
      int p1 = od + step;
      int p2 = p1 + step;
      int p3 = p2 + step;
      FloatVector a00 = FloatVector.fromArray(SPECIES, dw, wo);
      FloatVector a01 = FloatVector.fromArray(SPECIES, dw, wo + LENGTH);
      FloatVector a10 = FloatVector.fromArray(SPECIES, dw, w1);
      FloatVector a11 = FloatVector.fromArray(SPECIES, dw, w1 + LENGTH);
      FloatVector a20 = FloatVector.fromArray(SPECIES, dw, w2);
      FloatVector a21 = FloatVector.fromArray(SPECIES, dw, w2 + LENGTH);
      FloatVector a30 = FloatVector.fromArray(SPECIES, dw, w3);
      FloatVector a31 = FloatVector.fromArray(SPECIES, dw, w3 + LENGTH);
      for (int t = 0; t < terms; t++) {
        int p = t * ROWS;
        FloatVector x0 = FloatVector.fromArray(SPECIES, x, xo + t * COLUMNS);
        FloatVector x1 = FloatVector.fromArray(SPECIES, x, xo + t * COLUMNS + LENGTH);
        FloatVector d0 = FloatVector.broadcast(SPECIES, d[od + p]);
        a00 = d0.fma(x0, a00);
        a01 = d0.fma(x1, a01);
        FloatVector d1 = FloatVector.broadcast(SPECIES, d[p1 + p]);
        a10 = d1.fma(x0, a10);
        a11 = d1.fma(x1, a11);
        FloatVector d2 = FloatVector.broadcast(SPECIES, d[p2 + p]);
        a20 = d2.fma(x0, a20);
        a21 = d2.fma(x1, a21);
        FloatVector d3 = FloatVector.broadcast(SPECIES, d[p3 + p]);
        a30 = d3.fma(x0, a30);
        a31 = d3.fma(x1, a31);
      }
      a00.intoArray(dw, wo);
      a01.intoArray(dw, wo + LENGTH);
      a10.intoArray(dw, w1);
      a11.intoArray(dw, w1 + LENGTH);
      a20.intoArray(dw, w2);
      a21.intoArray(dw, w2 + LENGTH);
      a30.intoArray(dw, w3);
      a31.intoArray(dw, w3 + LENGTH);
    }
  }

  /* 8 rows x 1 vector of columns of dW, all terms. */
  private static void eightByOne(
      int terms, float[] d, int od, long at, float[] dw, int wo, int ws) {
    int w1 = wo + ws;
    int w2 = w1 + ws;
    int w3 = w2 + ws;
    int w4 = w3 + ws;
    int w5 = w4 + ws;
    int w6 = w5 + ws;
    int w7 = w6 + ws;
    FloatVector a00 = FloatVector.fromArray(SPECIES, dw, wo);
    FloatVector a10 = FloatVector.fromArray(SPECIES, dw, w1);
    FloatVector a20 = FloatVector.fromArray(SPECIES, dw, w2);
    FloatVector a30 = FloatVector.fromArray(SPECIES, dw, w3);
    FloatVector a40 = FloatVector.fromArray(SPECIES, dw, w4);
    FloatVector a50 = FloatVector.fromArray(SPECIES, dw, w5);
    FloatVector a60 = FloatVector.fromArray(SPECIES, dw, w6);
    FloatVector a70 = FloatVector.fromArray(SPECIES, dw, w7);
    int first = od & FIRST;
    int last = terms & LAST;
    for (int t = 0; t < last; t++) {
      int p = first + t * ROWS;
      long k = (at + t * (2L * BYTES)) & Strips.MASK;
      FloatVector x0 = FloatVector.fromMemorySegment(SPECIES, Strips.MEMORY, k, ORDER);
      FloatVector d0 = FloatVector.broadcast(SPECIES, d[p]);
      a00 = d0.fma(x0, a00);
      FloatVector d1 = FloatVector.broadcast(SPECIES, d[p + 1]);
      a10 = d1.fma(x0, a10);
      FloatVector d2 = FloatVector.broadcast(SPECIES, d[p + 2]);
      a20 = d2.fma(x0, a20);
      FloatVector d3 = FloatVector.broadcast(SPECIES, d[p + 3]);
      a30 = d3.fma(x0, a30);
      FloatVector d4 = FloatVector.broadcast(SPECIES, d[p + 4]);
      a40 = d4.fma(x0, a40);
      FloatVector d5 = FloatVector.broadcast(SPECIES, d[p + 5]);
      a50 = d5.fma(x0, a50);
      FloatVector d6 = FloatVector.broadcast(SPECIES, d[p + 6]);
      a60 = d6.fma(x0, a60);
      FloatVector d7 = FloatVector.broadcast(SPECIES, d[p + 7]);
      a70 = d7.fma(x0, a70);
    }
    a00.intoArray(dw, wo);
    a10.intoArray(dw, w1);
    a20.intoArray(dw, w2);
    a30.intoArray(dw, w3);
    a40.intoArray(dw, w4);
    a50.intoArray(dw, w5);
    a60.intoArray(dw, w6);
    a70.intoArray(dw, w7);
  }
}
