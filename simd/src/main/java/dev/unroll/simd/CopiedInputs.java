package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Matrix times twelve vectors, or eight that are left, over panels of two vectors of rows, with 32
 * registers: 24 sums, two vectors of weights and an input.
 *
 * <p>Inputs are copied before, next to each other at one distance. C2 then has one address for all
 * of them, where otherwise it has a place for each input: 47 instructions for 24 multiply-adds
 * instead of 44 for sixteen (34 here), which count where others keep half of the core busy; and
 * weights are loaded less often. But C2 takes longer to compile it, which pays for large weights
 * only.
 */
final class CopiedInputs {
  /** Inputs at most. */
  static final int MOST = 128;

  /** Columns at most. */
  static final int COLUMNS = 1024;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  /* A cache line more, or all inputs would fall into one set of the first-level cache. */
  private static final int APART = COLUMNS + 16;

  /* Masks that change nothing, and tell C2 that sums of them do not overflow. */
  private static final int FIRST = 2 * Integer.highestOneBit(MOST * APART) - 1;
  private static final int LAST = 2 * COLUMNS - 1;

  /*
   * Elements of weights, and rows, for which copies and one more kernel pay. Weights of
   * which all panels pass at once, and of so many rows, have no more columns than COLUMNS.
   */
  private static final int LEAST = 1 << 17;
  private static final int LEAST_ROWS = (int) (VectorGemm.KEPT / Float.BYTES) / COLUMNS;

  /* Per thread, so that threads may share the weights. */
  private static final ThreadLocal<float[]> COPIES = ThreadLocal.withInitial(() -> new float[0]);

  private CopiedInputs() {}

  /** Whether weights are so large. */
  static boolean pay(int rows, int columns) {
    return Lanes.MANY_REGISTERS && rows >= LEAST_ROWS && (long) rows * columns >= LEAST;
  }

  /** Copies columns of n inputs. */
  static float[] copy(int n, int columns, float[] x, int xo, int xs) {
    float[] copies = COPIES.get();
    if (copies.length < n * APART) {
      copies = new float[n * APART];
      COPIES.set(copies);
    }
    for (int i = 0; i < n; i++) {
      System.arraycopy(x, xo + i * xs, copies, i * APART, columns);
    }
    return copies;
  }

  /**
   * Inputs of the next block of at least eight that are left. If all panels pass by them, they are
   * those of one kernel, and four of sixteen are better left to {@link FewInputs} than taken as
   * eight and eight; otherwise as many as stay while a panel does.
   */
  static int inputs(int left, boolean all) {
    if (all) {
      return left < 12 ? 8 : 12;
    }
    int n = next(left);
    while (left - n >= 8 && n + next(left - n) <= MOST) {
      n += next(left - n);
    }
    return n;
  }

  /** What the next kernel takes of at least eight. */
  static int next(int left) {
    return left < 12 || left == 16 ? 8 : 12;
  }

  /** z += W x of n copied inputs and some panels. */
  static void accumulate(
      MemorySegment w,
      long from,
      int panels,
      int columns,
      int n,
      float[] copies,
      float[] z,
      int zo,
      int zs) {
    for (int i = 0, inputs; i < n; i += inputs) {
      inputs = next(n - i);
      if (inputs == 12) {
        twelveByTwo(w, from, panels, columns, copies, i, z, zo + i * zs, zs);
      } else {
        eightByTwo(w, from, panels, columns, copies, i, z, zo + i * zs, zs);
      }
    }
  }

  /* z += W x: 12 inputs, the first of them given, x 2 vectors of rows, panel by panel. */
  private static void twelveByTwo(
      MemorySegment w,
      long from,
      int panels,
      int columns,
      float[] x,
      int input,
      float[] z,
      int zo,
      int zs) {
    int first = (input * APART) & FIRST;
    int last = columns & LAST;
    int o1 = zo + zs;
    int o2 = o1 + zs;
    int o3 = o2 + zs;
    int o4 = o3 + zs;
    int o5 = o4 + zs;
    int o6 = o5 + zs;
    int o7 = o6 + zs;
    int o8 = o7 + zs;
    int o9 = o8 + zs;
    int o10 = o9 + zs;
    int o11 = o10 + zs;
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
      int z8 = o8 + row;
      int z9 = o9 + row;
      int z10 = o10 + row;
      int z11 = o11 + row;
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
      FloatVector a80 = FloatVector.fromArray(SPECIES, z, z8);
      FloatVector a81 = FloatVector.fromArray(SPECIES, z, z8 + LENGTH);
      FloatVector a90 = FloatVector.fromArray(SPECIES, z, z9);
      FloatVector a91 = FloatVector.fromArray(SPECIES, z, z9 + LENGTH);
      FloatVector a100 = FloatVector.fromArray(SPECIES, z, z10);
      FloatVector a101 = FloatVector.fromArray(SPECIES, z, z10 + LENGTH);
      FloatVector a110 = FloatVector.fromArray(SPECIES, z, z11);
      FloatVector a111 = FloatVector.fromArray(SPECIES, z, z11 + LENGTH);
      for (int k = 0; k < last; k++) {
        int q = first + k;
        long p = at + (long) k * (2L * BYTES);
        FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER);
        FloatVector b0 = FloatVector.broadcast(SPECIES, x[q]);
        a00 = w0.fma(b0, a00);
        a01 = w1.fma(b0, a01);
        FloatVector b1 = FloatVector.broadcast(SPECIES, x[q + APART]);
        a10 = w0.fma(b1, a10);
        a11 = w1.fma(b1, a11);
        FloatVector b2 = FloatVector.broadcast(SPECIES, x[q + 2 * APART]);
        a20 = w0.fma(b2, a20);
        a21 = w1.fma(b2, a21);
        FloatVector b3 = FloatVector.broadcast(SPECIES, x[q + 3 * APART]);
        a30 = w0.fma(b3, a30);
        a31 = w1.fma(b3, a31);
        FloatVector b4 = FloatVector.broadcast(SPECIES, x[q + 4 * APART]);
        a40 = w0.fma(b4, a40);
        a41 = w1.fma(b4, a41);
        FloatVector b5 = FloatVector.broadcast(SPECIES, x[q + 5 * APART]);
        a50 = w0.fma(b5, a50);
        a51 = w1.fma(b5, a51);
        FloatVector b6 = FloatVector.broadcast(SPECIES, x[q + 6 * APART]);
        a60 = w0.fma(b6, a60);
        a61 = w1.fma(b6, a61);
        FloatVector b7 = FloatVector.broadcast(SPECIES, x[q + 7 * APART]);
        a70 = w0.fma(b7, a70);
        a71 = w1.fma(b7, a71);
        FloatVector b8 = FloatVector.broadcast(SPECIES, x[q + 8 * APART]);
        a80 = w0.fma(b8, a80);
        a81 = w1.fma(b8, a81);
        FloatVector b9 = FloatVector.broadcast(SPECIES, x[q + 9 * APART]);
        a90 = w0.fma(b9, a90);
        a91 = w1.fma(b9, a91);
        FloatVector b10 = FloatVector.broadcast(SPECIES, x[q + 10 * APART]);
        a100 = w0.fma(b10, a100);
        a101 = w1.fma(b10, a101);
        FloatVector b11 = FloatVector.broadcast(SPECIES, x[q + 11 * APART]);
        a110 = w0.fma(b11, a110);
        a111 = w1.fma(b11, a111);
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
      a80.intoArray(z, z8);
      a81.intoArray(z, z8 + LENGTH);
      a90.intoArray(z, z9);
      a91.intoArray(z, z9 + LENGTH);
      a100.intoArray(z, z10);
      a101.intoArray(z, z10 + LENGTH);
      a110.intoArray(z, z11);
      a111.intoArray(z, z11 + LENGTH);
    }
  }

  /* The same of 8 inputs. */
  private static void eightByTwo(
      MemorySegment w,
      long from,
      int panels,
      int columns,
      float[] x,
      int input,
      float[] z,
      int zo,
      int zs) {
    int first = (input * APART) & FIRST;
    int last = columns & LAST;
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
      for (int k = 0; k < last; k++) {
        int q = first + k;
        long p = at + (long) k * (2L * BYTES);
        FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, p, ORDER);
        FloatVector w1 = FloatVector.fromMemorySegment(SPECIES, w, p + BYTES, ORDER);
        FloatVector b0 = FloatVector.broadcast(SPECIES, x[q]);
        a00 = w0.fma(b0, a00);
        a01 = w1.fma(b0, a01);
        FloatVector b1 = FloatVector.broadcast(SPECIES, x[q + APART]);
        a10 = w0.fma(b1, a10);
        a11 = w1.fma(b1, a11);
        FloatVector b2 = FloatVector.broadcast(SPECIES, x[q + 2 * APART]);
        a20 = w0.fma(b2, a20);
        a21 = w1.fma(b2, a21);
        FloatVector b3 = FloatVector.broadcast(SPECIES, x[q + 3 * APART]);
        a30 = w0.fma(b3, a30);
        a31 = w1.fma(b3, a31);
        FloatVector b4 = FloatVector.broadcast(SPECIES, x[q + 4 * APART]);
        a40 = w0.fma(b4, a40);
        a41 = w1.fma(b4, a41);
        FloatVector b5 = FloatVector.broadcast(SPECIES, x[q + 5 * APART]);
        a50 = w0.fma(b5, a50);
        a51 = w1.fma(b5, a51);
        FloatVector b6 = FloatVector.broadcast(SPECIES, x[q + 6 * APART]);
        a60 = w0.fma(b6, a60);
        a61 = w1.fma(b6, a61);
        FloatVector b7 = FloatVector.broadcast(SPECIES, x[q + 7 * APART]);
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
}
