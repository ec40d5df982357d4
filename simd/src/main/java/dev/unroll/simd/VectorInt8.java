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
 * Vector twin of the step over 8-bit weights: a word holds four columns of a row, which a shift and
 * a conversion turn into floats; {@link ReducedMatrix} tells why the bytes below may stay.
 */
final class VectorInt8 extends VectorReduced {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Integer.BYTES;

  VectorInt8(AffineKernels wide) {
    super(WeightFormat.INT8, wide);
  }

  @Override
  protected ReducedMatrix allocate(int rows, int columns) {
    return new WordPanels(WeightFormat.INT8, rows, columns);
  }

  @Override
  void panel(WordPanels m, int i, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    int columns = z.length == 0 ? 0 : m.columns();
    int r = m.starts[i];
    int width = m.starts[i + 1] - r;
    long at = m.at(i, 0);
    switch (width / LENGTH) {
      case 8 -> eight(columns, m, r, m.slab + at, width, x, xo, b, bo, z, zo);
      case 4, 3, 2 -> upToFour(columns, m, r, at, width, x, xo, b, bo, z, zo);
      default -> one(columns, m, r, at, width, x, xo, b, bo, z, zo);
    }
  }

  /* z[0..8 vectors) = b + s # (W x); columns past the last are zeros; weights in the slab, see SlabGemv. */
  private static void eight(
      int columns,
      WordPanels m,
      int row,
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
    float[] s = m.scale();
    FloatVector a0 = FloatVector.zero(SPECIES);
    FloatVector a1 = FloatVector.zero(SPECIES);
    FloatVector a2 = FloatVector.zero(SPECIES);
    FloatVector a3 = FloatVector.zero(SPECIES);
    FloatVector a4 = FloatVector.zero(SPECIES);
    FloatVector a5 = FloatVector.zero(SPECIES);
    FloatVector a6 = FloatVector.zero(SPECIES);
    FloatVector a7 = FloatVector.zero(SPECIES);
    for (int k = 0; k < columns; k += 4) {
      FloatVector x0 = FloatVector.broadcast(SPECIES, x[xo + k]);
      FloatVector x1 = FloatVector.broadcast(SPECIES, k + 1 < columns ? x[xo + k + 1] : 0f);
      FloatVector x2 = FloatVector.broadcast(SPECIES, k + 2 < columns ? x[xo + k + 2] : 0f);
      FloatVector x3 = FloatVector.broadcast(SPECIES, k + 3 < columns ? x[xo + k + 3] : 0f);
      long p = (at + (long) (k / 4) * width * Integer.BYTES) & Slab.MASK;
      IntVector w0 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p, ORDER);
      IntVector w1 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 1L * BYTES, ORDER);
      IntVector w2 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 2L * BYTES, ORDER);
      IntVector w3 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 3L * BYTES, ORDER);
      IntVector w4 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 4L * BYTES, ORDER);
      IntVector w5 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 5L * BYTES, ORDER);
      IntVector w6 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 6L * BYTES, ORDER);
      IntVector w7 = IntVector.fromMemorySegment(Lanes.INTS, Slab.MEMORY, p + 7L * BYTES, ORDER);
      a0 = ((FloatVector) w0.convert(VectorOperators.I2F, 0)).fma(x0, a0);
      a1 = ((FloatVector) w1.convert(VectorOperators.I2F, 0)).fma(x0, a1);
      a2 = ((FloatVector) w2.convert(VectorOperators.I2F, 0)).fma(x0, a2);
      a3 = ((FloatVector) w3.convert(VectorOperators.I2F, 0)).fma(x0, a3);
      a4 = ((FloatVector) w4.convert(VectorOperators.I2F, 0)).fma(x0, a4);
      a5 = ((FloatVector) w5.convert(VectorOperators.I2F, 0)).fma(x0, a5);
      a6 = ((FloatVector) w6.convert(VectorOperators.I2F, 0)).fma(x0, a6);
      a7 = ((FloatVector) w7.convert(VectorOperators.I2F, 0)).fma(x0, a7);
      a0 =
          ((FloatVector) w0.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a0);
      a1 =
          ((FloatVector) w1.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a1);
      a2 =
          ((FloatVector) w2.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a2);
      a3 =
          ((FloatVector) w3.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a3);
      a4 =
          ((FloatVector) w4.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a4);
      a5 =
          ((FloatVector) w5.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a5);
      a6 =
          ((FloatVector) w6.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a6);
      a7 =
          ((FloatVector) w7.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a7);
      a0 =
          ((FloatVector) w0.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a0);
      a1 =
          ((FloatVector) w1.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a1);
      a2 =
          ((FloatVector) w2.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a2);
      a3 =
          ((FloatVector) w3.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a3);
      a4 =
          ((FloatVector) w4.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a4);
      a5 =
          ((FloatVector) w5.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a5);
      a6 =
          ((FloatVector) w6.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a6);
      a7 =
          ((FloatVector) w7.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a7);
      a0 =
          ((FloatVector) w0.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a0);
      a1 =
          ((FloatVector) w1.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a1);
      a2 =
          ((FloatVector) w2.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a2);
      a3 =
          ((FloatVector) w3.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a3);
      a4 =
          ((FloatVector) w4.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a4);
      a5 =
          ((FloatVector) w5.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a5);
      a6 =
          ((FloatVector) w6.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a6);
      a7 =
          ((FloatVector) w7.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a7);
    }
    a0.fma(FloatVector.fromArray(SPECIES, s, row), FloatVector.fromArray(SPECIES, b, bo))
        .intoArray(z, zo);
    a1.fma(
            FloatVector.fromArray(SPECIES, s, row + 1 * LENGTH),
            FloatVector.fromArray(SPECIES, b, bo + 1 * LENGTH))
        .intoArray(z, zo + 1 * LENGTH);
    a2.fma(
            FloatVector.fromArray(SPECIES, s, row + 2 * LENGTH),
            FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH))
        .intoArray(z, zo + 2 * LENGTH);
    a3.fma(
            FloatVector.fromArray(SPECIES, s, row + 3 * LENGTH),
            FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH))
        .intoArray(z, zo + 3 * LENGTH);
    a4.fma(
            FloatVector.fromArray(SPECIES, s, row + 4 * LENGTH),
            FloatVector.fromArray(SPECIES, b, bo + 4 * LENGTH))
        .intoArray(z, zo + 4 * LENGTH);
    a5.fma(
            FloatVector.fromArray(SPECIES, s, row + 5 * LENGTH),
            FloatVector.fromArray(SPECIES, b, bo + 5 * LENGTH))
        .intoArray(z, zo + 5 * LENGTH);
    a6.fma(
            FloatVector.fromArray(SPECIES, s, row + 6 * LENGTH),
            FloatVector.fromArray(SPECIES, b, bo + 6 * LENGTH))
        .intoArray(z, zo + 6 * LENGTH);
    a7.fma(
            FloatVector.fromArray(SPECIES, s, row + 7 * LENGTH),
            FloatVector.fromArray(SPECIES, b, bo + 7 * LENGTH))
        .intoArray(z, zo + 7 * LENGTH);
  }

  /*
   * z[0..2, 3 or 4 vectors) = b + s # (W x); columns past the last are zeros. Sums past the last
   * are of whatever stands there, and go nowhere.
   */
  private static void upToFour(
      int columns,
      WordPanels m,
      int row,
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
    MemorySegment w = m.words;
    float[] s = m.scale();
    FloatVector a0 = FloatVector.zero(SPECIES);
    FloatVector a1 = FloatVector.zero(SPECIES);
    FloatVector a2 = FloatVector.zero(SPECIES);
    FloatVector a3 = FloatVector.zero(SPECIES);
    for (int k = 0; k < columns; k += 4) {
      FloatVector x0 = FloatVector.broadcast(SPECIES, x[xo + k]);
      FloatVector x1 = FloatVector.broadcast(SPECIES, k + 1 < columns ? x[xo + k + 1] : 0f);
      FloatVector x2 = FloatVector.broadcast(SPECIES, k + 2 < columns ? x[xo + k + 2] : 0f);
      FloatVector x3 = FloatVector.broadcast(SPECIES, k + 3 < columns ? x[xo + k + 3] : 0f);
      long p = at + (long) (k / 4) * width * Integer.BYTES;
      IntVector w0 = IntVector.fromMemorySegment(Lanes.INTS, w, p, ORDER);
      IntVector w1 = IntVector.fromMemorySegment(Lanes.INTS, w, p + 1L * BYTES, ORDER);
      IntVector w2 = IntVector.fromMemorySegment(Lanes.INTS, w, p + 2L * BYTES, ORDER);
      IntVector w3 = IntVector.fromMemorySegment(Lanes.INTS, w, p + 3L * BYTES, ORDER);
      a0 = ((FloatVector) w0.convert(VectorOperators.I2F, 0)).fma(x0, a0);
      a1 = ((FloatVector) w1.convert(VectorOperators.I2F, 0)).fma(x0, a1);
      a2 = ((FloatVector) w2.convert(VectorOperators.I2F, 0)).fma(x0, a2);
      a3 = ((FloatVector) w3.convert(VectorOperators.I2F, 0)).fma(x0, a3);
      a0 =
          ((FloatVector) w0.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a0);
      a1 =
          ((FloatVector) w1.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a1);
      a2 =
          ((FloatVector) w2.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a2);
      a3 =
          ((FloatVector) w3.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a3);
      a0 =
          ((FloatVector) w0.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a0);
      a1 =
          ((FloatVector) w1.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a1);
      a2 =
          ((FloatVector) w2.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a2);
      a3 =
          ((FloatVector) w3.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a3);
      a0 =
          ((FloatVector) w0.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a0);
      a1 =
          ((FloatVector) w1.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a1);
      a2 =
          ((FloatVector) w2.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a2);
      a3 =
          ((FloatVector) w3.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a3);
    }
    a0.fma(FloatVector.fromArray(SPECIES, s, row), FloatVector.fromArray(SPECIES, b, bo))
        .intoArray(z, zo);
    a1.fma(
            FloatVector.fromArray(SPECIES, s, row + LENGTH),
            FloatVector.fromArray(SPECIES, b, bo + LENGTH))
        .intoArray(z, zo + LENGTH);
    if (width > 2 * LENGTH) {
      a2.fma(
              FloatVector.fromArray(SPECIES, s, row + 2 * LENGTH),
              FloatVector.fromArray(SPECIES, b, bo + 2 * LENGTH))
          .intoArray(z, zo + 2 * LENGTH);
    }
    if (width > 3 * LENGTH) {
      a3.fma(
              FloatVector.fromArray(SPECIES, s, row + 3 * LENGTH),
              FloatVector.fromArray(SPECIES, b, bo + 3 * LENGTH))
          .intoArray(z, zo + 3 * LENGTH);
    }
  }

  /* z[0..1 vector) = b + s # (W x); columns past the last are zeros. */
  private static void one(
      int columns,
      WordPanels m,
      int row,
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
    MemorySegment w = m.words;
    float[] s = m.scale();
    FloatVector a0 = FloatVector.zero(SPECIES);
    for (int k = 0; k < columns; k += 4) {
      FloatVector x0 = FloatVector.broadcast(SPECIES, x[xo + k]);
      FloatVector x1 = FloatVector.broadcast(SPECIES, k + 1 < columns ? x[xo + k + 1] : 0f);
      FloatVector x2 = FloatVector.broadcast(SPECIES, k + 2 < columns ? x[xo + k + 2] : 0f);
      FloatVector x3 = FloatVector.broadcast(SPECIES, k + 3 < columns ? x[xo + k + 3] : 0f);
      long p = at + (long) (k / 4) * width * Integer.BYTES;
      IntVector w0 = IntVector.fromMemorySegment(Lanes.INTS, w, p, ORDER);
      a0 = ((FloatVector) w0.convert(VectorOperators.I2F, 0)).fma(x0, a0);
      a0 =
          ((FloatVector) w0.lanewise(VectorOperators.LSHL, 8).convert(VectorOperators.I2F, 0))
              .fma(x1, a0);
      a0 =
          ((FloatVector) w0.lanewise(VectorOperators.LSHL, 16).convert(VectorOperators.I2F, 0))
              .fma(x2, a0);
      a0 =
          ((FloatVector) w0.lanewise(VectorOperators.LSHL, 24).convert(VectorOperators.I2F, 0))
              .fma(x3, a0);
    }
    a0.fma(FloatVector.fromArray(SPECIES, s, row), FloatVector.fromArray(SPECIES, b, bo))
        .intoArray(z, zo);
  }
}
