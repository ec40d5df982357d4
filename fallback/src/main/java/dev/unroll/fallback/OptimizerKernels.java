package dev.unroll.fallback;

/** Parameter updates, with PyTorch's formulas, over ranges padded to {@link Kernels#LANES}. */
public interface OptimizerKernels {

  /**
   * Stochastic gradient descent: g' = g + decay w; w -= lr g'.
   *
   * @param from first index
   * @param to index past the last
   * @param w parameters. Modified.
   * @param g gradients. Not modified.
   * @param lr learning rate
   * @param decay weight decay (L2)
   */
  void sgd(int from, int to, float[] w, float[] g, float lr, float decay);

  /**
   * SGD with momentum: g' = g + decay w; v = momentum v + g'; w -= lr v, or with Nesterov's form w
   * -= lr (g' + momentum v).
   *
   * @param from first index
   * @param to index past the last
   * @param w parameters. Modified.
   * @param g gradients. Not modified.
   * @param v velocity. Modified.
   * @param lr learning rate
   * @param momentum momentum
   * @param nesterov whether to look ahead
   * @param decay weight decay (L2)
   */
  void momentum(
      int from,
      int to,
      float[] w,
      float[] g,
      float[] v,
      float lr,
      float momentum,
      boolean nesterov,
      float decay);

  /**
   * Adam (Kingma &amp; Ba 2015) and AdamW (Loshchilov &amp; Hutter 2019):
   *
   * <pre>
   *   w = keep w                    (AdamW: keep = 1 - lr decay; Adam: 1)
   *   g' = g + decay w              (AdamW: decay = 0)
   *   m = beta1 m + (1-beta1) g'    v = beta2 v + (1-beta2) g'²
   *   w -= stepSize m / (sqrt(v) / rootCorrection2 + eps)
   * </pre>
   *
   * @param from first index
   * @param to index past the last
   * @param w parameters. Modified.
   * @param g gradients. Not modified.
   * @param m first moment. Modified.
   * @param v second moment. Modified.
   * @param step the coefficients of this step
   */
  void adam(int from, int to, float[] w, float[] g, float[] m, float[] v, AdamStep step);

  /**
   * RMSprop (Tieleman &amp; Hinton 2012): g' = g + decay w; v = alpha v + (1-alpha) g'²; w -= lr g'
   * / (sqrt(v) + eps).
   *
   * @param from first index
   * @param to index past the last
   * @param w parameters. Modified.
   * @param g gradients. Not modified.
   * @param v mean square. Modified.
   * @param lr learning rate
   * @param alpha smoothing
   * @param eps floor of the divisor
   * @param decay weight decay (L2)
   */
  void rmsProp(
      int from,
      int to,
      float[] w,
      float[] g,
      float[] v,
      float lr,
      float alpha,
      float eps,
      float decay);

  /** The coefficients of one Adam step; mutable so that a training step allocates nothing. */
  final class AdamStep {
    /** Decay of the first moment. */
    public float beta1;

    /** Decay of the second moment. */
    public float beta2;

    /** lr / (1 - beta1^t). */
    public float stepSize;

    /** sqrt(1 - beta2^t). */
    public float rootCorrection2;

    /** Floor of the divisor. */
    public float eps;

    /** Weight decay added to the gradient. */
    public float decay;

    /** Factor of decoupled weight decay. */
    public float keep;

    /** Creates a step with all coefficients 0. */
    public AdamStep() {}
  }
}
