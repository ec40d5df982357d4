package dev.unroll.fallback;

/** The plain-Java kernels, on every JDK from 17. */
public final class ScalarKernels {
  private static final AffineKernels AFFINE = new ScalarAffine();
  private static final Kernels INSTANCE =
      new Kernels(
          "fallback",
          Float.SIZE,
          AFFINE,
          new ScalarReduced(WeightFormat.BF16, AFFINE),
          new ScalarReduced(WeightFormat.INT8, AFFINE),
          new ScalarElements(),
          new ScalarRnn(),
          new ScalarLstm(),
          new ScalarGru(),
          new ScalarLoss(),
          new ScalarOptimizer());

  private ScalarKernels() {}

  /**
   * The kernels; they hold no state.
   *
   * @return the same instance each time
   */
  public static Kernels instance() {
    return INSTANCE;
  }
}
