package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Transposes tiles of as many rows and columns as a vector has lanes: for each bit of the numbers
 * of rows and lanes, rows that differ in it exchange the lanes that differ in it the other way
 * round.
 */
@SuppressWarnings({"unchecked", "rawtypes"}) // arrays of generic types
final class Transposition {
  private static final int BITS = Integer.numberOfTrailingZeros(LENGTH);

  /* For each bit: lanes moved up by its value, down by it, and those that have it. */
  private static final VectorShuffle<Float>[] UP = new VectorShuffle[BITS];
  private static final VectorShuffle<Float>[] DOWN = new VectorShuffle[BITS];
  private static final VectorMask<Float>[] SET = new VectorMask[BITS];

  static {
    for (int bit = 0; bit < BITS; bit++) {
      int distance = 1 << bit;
      UP[bit] = VectorShuffle.fromOp(SPECIES, lane -> (lane - distance) & (LENGTH - 1));
      DOWN[bit] = VectorShuffle.fromOp(SPECIES, lane -> (lane + distance) & (LENGTH - 1));
      long set = 0;
      for (int lane = 0; lane < LENGTH; lane++) {
        set |= (lane & distance) == 0 ? 0 : 1L << lane;
      }
      SET[bit] = VectorMask.fromLong(SPECIES, set);
    }
  }

  private Transposition() {}

  /**
   * to[o + j ts + i] = from[at + i fs + j] for i and j below the number of lanes.
   *
   * @param tile room for a tile, one row behind the other. Modified.
   */
  static void transpose(float[] from, int at, int fs, float[] tile, float[] to, int o, int ts) {
    exchange(0, from, at, fs, tile, 0, LENGTH);
    for (int bit = 1; bit < BITS - 1; bit++) {
      exchange(bit, tile, 0, LENGTH, tile, 0, LENGTH);
    }
    exchange(BITS - 1, tile, 0, LENGTH, to, o, ts);
  }

  private static void exchange(int bit, float[] from, int fo, int fs, float[] to, int too, int ts) {
    VectorShuffle<Float> up = UP[bit];
    VectorShuffle<Float> down = DOWN[bit];
    VectorMask<Float> set = SET[bit];
    int distance = 1 << bit;
    for (int pair = 0; pair < LENGTH / 2; pair++) {
      int i = pair + (pair & -distance);
      FloatVector a = FloatVector.fromArray(SPECIES, from, fo + i * fs);
      FloatVector b = FloatVector.fromArray(SPECIES, from, fo + (i + distance) * fs);
      a.blend(b.rearrange(up), set).intoArray(to, too + i * ts);
      a.rearrange(down).blend(b, set).intoArray(to, too + (i + distance) * ts);
    }
  }
}
