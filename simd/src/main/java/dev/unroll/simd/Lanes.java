package dev.unroll.simd;

import dev.unroll.fallback.Kernels;
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

  /**
   * Whether there are 32 registers: processors with 512-bit lanes have them, for narrower vectors
   * too; others may not, but then 512-bit lanes are no registers at all, and kernels for sixteen
   * are not made for them.
   */
  static final boolean MANY_REGISTERS =
      Math.max(LENGTH, FloatVector.SPECIES_PREFERRED.length()) == Kernels.LANES;

  /**
   * Turns of an empty loop in an idle call, see {@link Kernels}: the virtual machine counts them
   * like calls. C2 removes the loop. It is written out in every kernel, since a helper's turns
   * would count for the helper.
   */
  static final int IDLE_TURNS = 64;

  private Lanes() {}

  /**
   * How many of at least four rows a product takes next, two vectors of sums each: as many as there
   * are registers for.
   *
   * @return 8, 6 or 4
   */
  static int rows(int left) {
    if (MANY_REGISTERS) {
      return left < 8 ? 4 : 8;
    }
    /* Eight are twice four rather than six and two. */
    return left < 6 || left == 8 || left == 9 ? 4 : 6;
  }

  private static int bits() {
    return Lanes.class.getClassLoader() instanceof WidthLoader loader
        ? loader.bits()
        : Math.min(FloatVector.SPECIES_PREFERRED.vectorBitSize(), MAX_BITS);
  }
}
