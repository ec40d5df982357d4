package dev.unroll.simd;

import dev.unroll.fallback.Kernels;

/** The vector kernels at the width of {@link Lanes}. */
public final class VectorKernels {
  private VectorKernels() {}

  /**
   * The kernels; they hold no state.
   *
   * @return the kernels
   */
  public static Kernels create() {
    VectorAffine affine = new VectorAffine(false);
    return new Kernels(
        "simd",
        Lanes.SPECIES.vectorBitSize(),
        affine,
        new VectorBfloat16(affine),
        new VectorInt8(affine),
        new VectorElements(),
        new VectorRnn(),
        new VectorLstm(),
        new VectorGru(),
        new VectorLoss(),
        new VectorOptimizer());
  }
}
