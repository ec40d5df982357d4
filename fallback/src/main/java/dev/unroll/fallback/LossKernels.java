package dev.unroll.fallback;

/** Losses over a batch of rows, with their gradients. */
public interface LossKernels {
  /** Rows that share a logarithm: each factor is below 2^31, so their product is finite. */
  int FACTORS = 32;

  /**
   * Softmax cross-entropy: for each row i, loss_i = log(sum over j of exp(y_ij - max_i)) + max_i -
   * y_i,target and, if wanted, dy_ij = scale (softmax(y_i)_j - [j = target]).
   *
   * <p>The sum over classes runs in sixteen chains by class modulo 16, reduced as {@link
   * FloatMath#reduce} says; {@link StrictMath#log} takes the product of these sums over {@link
   * #FACTORS} rows, the sum of their logarithms.
   *
   * @param n number of rows
   * @param classes number of classes
   * @param y logits [n, pad(classes)]; holds dy afterwards, with zeros as padding. Modified.
   * @param yo first index
   * @param ys stride
   * @param target class of each row, in [0, classes); a negative one leaves the row out of the loss
   * @param to first index
   * @param scale factor of the gradient, 1 / number of counted rows for the mean loss
   * @return the sum of loss_i
   */
  double softmaxCrossEntropy(
      int n, int classes, float[] y, int yo, int ys, int[] target, int to, float scale);

  /**
   * Squared error: the sum over all elements of (y - t)², and d = scale (y - t).
   *
   * @param n number of elements, a multiple of {@link Kernels#LANES}
   * @param y outputs; holds d afterwards. Modified.
   * @param yo first index
   * @param t targets. Not modified.
   * @param to first index
   * @param scale factor of the gradient, 2 / number of elements for the mean loss
   * @return the sum, added up as in {@link ElementKernels#sumOfSquares}
   */
  double squaredError(int n, float[] y, int yo, float[] t, int to, float scale);
}
