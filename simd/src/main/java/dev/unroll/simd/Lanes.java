package dev.unroll.simd;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The lane width of these kernels: a constant of the class, since C2 compiles vector code well only
 * for a constant species. A {@link WidthLoader} defines the classes anew for another width.
 */
final class Lanes {
  /** Sixteen floats at most: the padding unit of every row. */
  static final int MAX_BITS = 512;

  static final VectorSpecies<Float> SPECIES =
      VectorSpecies.of(float.class, VectorShape.forBitSize(bits()));
  static final VectorSpecies<Integer> INTS = SPECIES.withLanes(int.class);
  static final int LENGTH = SPECIES.length();
  static final FloatVector ZERO = FloatVector.zero(SPECIES);
  static final IntVector NO_BITS = IntVector.zero(INTS);

  private Lanes() {}

  private static int bits() {
    return Lanes.class.getClassLoader() instanceof WidthLoader loader
        ? loader.bits()
        : Math.min(FloatVector.SPECIES_PREFERRED.vectorBitSize(), MAX_BITS);
  }
}
