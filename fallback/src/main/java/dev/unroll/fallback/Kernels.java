package dev.unroll.fallback;

/**
 * One implementation of every kernel, grouped by subject.
 *
 * <p>Conventions shared by all kernels:
 *
 * <ul>
 *   <li>Matrices are row-major {@code float[]} with an offset and a row stride. A row holds the
 *       features of one sequence element; its length is padded to a multiple of {@link #LANES} and
 *       the padding holds zeros, so that no kernel needs a tail; only single steps may leave
 *       anything in the padding of a state, see {@link LstmKernels#stepStride}.
 *   <li>Every sum runs over its index in ascending order, one chain of fused multiply-adds per
 *       result. The lane width, the number of rows in a call and the number of threads never change
 *       the order, hence never the bits.
 *   <li>Kernels check nothing but by {@code assert}; the public classes of the engine check shapes
 *       once. No kernel allocates.
 *   <li>The kernels of a step that have to be compiled first also take idle calls, which do nothing
 *       but be counted by the virtual machine: products with an empty array for the result, {@link
 *       StepAtOnce#idle}, {@code forward} with a stride of 0, others with 0 elements. The scalar
 *       twin takes none.
 *   <li>State and gradient kernels replace magnitudes below {@link FloatMath#FLUSH} by zero,
 *       because arithmetic on denormals is up to a hundred times slower.
 * </ul>
 *
 * @param name the implementation's short name, {@code fallback} or {@code simd}
 * @param laneBits the vector width in bits; 32 for the scalar twin
 * @param affine matrix products over packed weights
 * @param bfloat16 the same over weights of {@link WeightFormat#BF16}, for inference
 * @param int8 the same over weights of {@link WeightFormat#INT8}, for inference
 * @param elements element-wise operations
 * @param rnn the pointwise part of the simple recurrent cell
 * @param lstm the pointwise part of the LSTM cell
 * @param gru the pointwise part of the GRU cell
 * @param loss losses and their gradients
 * @param optimizer parameter updates
 */
public record Kernels(
    String name,
    int laneBits,
    AffineKernels affine,
    AffineKernels bfloat16,
    AffineKernels int8,
    ElementKernels elements,
    RnnKernels rnn,
    LstmKernels lstm,
    GruKernels gru,
    LossKernels loss,
    OptimizerKernels optimizer) {

  /**
   * Row lengths are padded to a multiple of this many floats: one 512-bit vector, one cache line.
   */
  public static final int LANES = 16;

  /** Bytes of weights that every first-level cache keeps from one step to the next. */
  public static final int CACHED = 1 << 15;

  /**
   * Rounds up to a multiple of {@link #LANES}.
   *
   * @param n a count of floats, not negative
   * @return the padded count
   * @throws ArithmeticException if the padded count exceeds an {@code int}
   */
  public static int pad(int n) {
    return Math.addExact(n, LANES - 1) & -LANES;
  }

  /**
   * The same kernels with another {@link #affine}.
   *
   * @param format how to store weights
   * @return kernels whose {@code affine} keeps weights in that format
   */
  public Kernels with(WeightFormat format) {
    AffineKernels chosen =
        switch (format) {
          case F32 -> affine;
          case BF16 -> bfloat16;
          case INT8 -> int8;
        };
    return withAffine(chosen);
  }

  /**
   * The same kernels with {@link AffineKernels#withLargest} of {@link #affine}.
   *
   * @param rows rows of the largest matrix
   * @param columns its columns
   * @return kernels with the same results
   */
  public Kernels withLargest(int rows, int columns) {
    return withAffine(affine.withLargest(rows, columns));
  }

  private Kernels withAffine(AffineKernels chosen) {
    return new Kernels(
        name, laneBits, chosen, bfloat16, int8, elements, rnn, lstm, gru, loss, optimizer);
  }
}
