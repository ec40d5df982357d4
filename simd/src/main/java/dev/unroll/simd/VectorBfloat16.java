package dev.unroll.simd;

import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.ReducedMatrix;
import dev.unroll.fallback.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Vector twin of the step over bfloat16 weights: a word holds two columns of a row. A shift turns
 * the first into a float, and the second is one; {@link ReducedMatrix} tells why the lower half of
 * it may stay.
 *
 * <p>The vector classes are called without helpers of ours: C2 inlines no helper once a method
 * holds so many vector operations.
 */
final class VectorBfloat16 extends VectorReduced {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Integer.BYTES;

  VectorBfloat16(AffineKernels wide) {
    super(WeightFormat.BF16, wide);
  }

  @Override
  protected ReducedMatrix allocate(int rows, int columns) {
    return new WordPanels(WeightFormat.BF16, rows, columns);
  }

  @Override
  void panel(WordPanels m, int i, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    int columns = z.length == 0 ? 0 : m.columns();
    int width = m.starts[i + 1] - m.starts[i];
    long at = m.at(i, 0);
    switch (width / LENGTH) {
      case 8 -> eight(columns, m.slab + at, width, x, xo, b, bo, z, zo);
      case 6 -> six(columns, m.slab + at, width, x, xo, b, bo, z, zo);
      case 4, 3, 2 -> upToFour(columns, m.words, at, width, x, xo, b, bo, z, zo);
      default -> one(columns, m.words, at, width, x, xo, b, bo, z, zo);
    }
    if (m.columns() % 2 > 0) {
      lastColumn(m, i, x, xo + m.columns() - 1, z, zo);
    }
  }

  /* z[0..8 vectors) = b + W x without the last of an odd number of columns; weights in the slab, see SlabGemv. */
  private static void eight(
      int columns, long at, int width, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + 1 * LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, bo + 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(SPECIES, b, bo + 6 * LENGTH);
    FloatVector a7 = FloatVector.fromArray(SPECIES, b, bo + 7 * LENGTH);
    for (int j = 0; j < columns / 2; j++) {
      FloatVector x0 = FloatVector.broadcast(SPECIES, x[xo + 2 * j]);
      FloatVector x1 = FloatVector.broadcast(SPECIES, x[xo + 2 * j + 1]);
      long p = (at + (long) j * width * Integer.BYTES) & Slab.MASK;
      IntVector w0 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p, ORDER);
      a0 = w0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a0);
      a0 = w0.reinterpretAsFloats().fma(x1, a0);
      IntVector w1 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 1L * BYTES, ORDER);
      a1 = w1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a1);
      a1 = w1.reinterpretAsFloats().fma(x1, a1);
      IntVector w2 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 2L * BYTES, ORDER);
      a2 = w2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a2);
      a2 = w2.reinterpretAsFloats().fma(x1, a2);
      IntVector w3 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 3L * BYTES, ORDER);
      a3 = w3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a3);
      a3 = w3.reinterpretAsFloats().fma(x1, a3);
      p = (p + 4L * BYTES) & Slab.MASK;
      IntVector w4 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p, ORDER);
      a4 = w4.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a4);
      a4 = w4.reinterpretAsFloats().fma(x1, a4);
      IntVector w5 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 1L * BYTES, ORDER);
      a5 = w5.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a5);
      a5 = w5.reinterpretAsFloats().fma(x1, a5);
      IntVector w6 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 2L * BYTES, ORDER);
      a6 = w6.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a6);
      a6 = w6.reinterpretAsFloats().fma(x1, a6);
      IntVector w7 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 3L * BYTES, ORDER);
      a7 = w7.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a7);
      a7 = w7.reinterpretAsFloats().fma(x1, a7);
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

  /* z[0..6 vectors) = b + W x without the last of an odd number of columns; weights in the slab, see SlabGemv. */
  private static void six(
      int columns, long at, int width, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    if (columns == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, bo);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, bo + 1 * LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, bo + 5 * LENGTH);
    for (int j = 0; j < columns / 2; j++) {
      FloatVector x0 = FloatVector.broadcast(SPECIES, x[xo + 2 * j]);
      FloatVector x1 = FloatVector.broadcast(SPECIES, x[xo + 2 * j + 1]);
      long p = (at + (long) j * width * Integer.BYTES) & Slab.MASK;
      IntVector w0 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p, ORDER);
      a0 = w0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a0);
      a0 = w0.reinterpretAsFloats().fma(x1, a0);
      IntVector w1 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 1L * BYTES, ORDER);
      a1 = w1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a1);
      a1 = w1.reinterpretAsFloats().fma(x1, a1);
      IntVector w2 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 2L * BYTES, ORDER);
      a2 = w2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a2);
      a2 = w2.reinterpretAsFloats().fma(x1, a2);
      IntVector w3 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 3L * BYTES, ORDER);
      a3 = w3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a3);
      a3 = w3.reinterpretAsFloats().fma(x1, a3);
      p = (p + 4L * BYTES) & Slab.MASK;
      IntVector w4 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p, ORDER);
      a4 = w4.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a4);
      a4 = w4.reinterpretAsFloats().fma(x1, a4);
      IntVector w5 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 1L * BYTES, ORDER);
      a5 = w5.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a5);
      a5 = w5.reinterpretAsFloats().fma(x1, a5);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + 1 * LENGTH);
    a2.intoArray(z, zo + 2 * LENGTH);
    a3.intoArray(z, zo + 3 * LENGTH);
    a4.intoArray(z, zo + 4 * LENGTH);
    a5.intoArray(z, zo + 5 * LENGTH);
  }

  /*
   * z[0..2, 3 or 4 vectors) = b + W x without the last of an odd number of columns. Sums past the
   * last are of whatever stands there, and go nowhere.
   */
  private static void upToFour(
      int columns,
      MemorySegment w,
      long at,
      int width,
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
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, bo + Math.min(2 * LENGTH, width - LENGTH));
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, bo + width - LENGTH);
    for (int j = 0; j < columns / 2; j++) {
      FloatVector x0 = FloatVector.broadcast(SPECIES, x[xo + 2 * j]);
      FloatVector x1 = FloatVector.broadcast(SPECIES, x[xo + 2 * j + 1]);
      long p = at + (long) j * width * Integer.BYTES;
      IntVector w0 = IntVector.fromMemorySegment(Lanes.INTS, w, p, ORDER);
      a0 = w0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a0);
      a0 = w0.reinterpretAsFloats().fma(x1, a0);
      IntVector w1 = IntVector.fromMemorySegment(Lanes.INTS, w, p + 1L * BYTES, ORDER);
      a1 = w1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a1);
      a1 = w1.reinterpretAsFloats().fma(x1, a1);
      IntVector w2 = IntVector.fromMemorySegment(Lanes.INTS, w, p + 2L * BYTES, ORDER);
      a2 = w2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a2);
      a2 = w2.reinterpretAsFloats().fma(x1, a2);
      IntVector w3 = IntVector.fromMemorySegment(Lanes.INTS, w, p + 3L * BYTES, ORDER);
      a3 = w3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a3);
      a3 = w3.reinterpretAsFloats().fma(x1, a3);
    }
    a0.intoArray(z, zo);
    a1.intoArray(z, zo + LENGTH);
    if (width > 2 * LENGTH) {
      a2.intoArray(z, zo + 2 * LENGTH);
    }
    if (width > 3 * LENGTH) {
      a3.intoArray(z, zo + 3 * LENGTH);
    }
  }

  /* z[0..1 vector) = b + W x without the last of an odd number of columns. */
  private static void one(
      int columns,
      MemorySegment w,
      long at,
      int width,
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
    for (int k = 0; k + 2 <= columns; k += 2) {
      FloatVector x0 = FloatVector.broadcast(SPECIES, x[xo + k]);
      FloatVector x1 = FloatVector.broadcast(SPECIES, x[xo + k + 1]);
      long p = at + (long) (k / 2) * width * Integer.BYTES;
      IntVector w0 = IntVector.fromMemorySegment(Lanes.INTS, w, p, ORDER);
      a0 = w0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, a0);
      a0 = w0.reinterpretAsFloats().fma(x1, a0);
    }
    a0.intoArray(z, zo);
  }

  /* z += W x of the last column. */
  private static void lastColumn(WordPanels m, int i, float[] x, int xo, float[] z, int zo) {
    if (z.length == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector xk = FloatVector.broadcast(SPECIES, x[xo]);
    long at = m.at(i, m.words() - 1);
    int rows = m.starts[i + 1] - m.starts[i];
    for (int r = 0; r < rows; r += LENGTH) {
      long p = at + (long) r * Integer.BYTES;
      IntVector w = IntVector.fromMemorySegment(Lanes.INTS, m.words, p, ORDER);
      FloatVector weight = w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      weight.fma(xk, FloatVector.fromArray(SPECIES, z, zo + r)).intoArray(z, zo + r);
    }
  }
}
