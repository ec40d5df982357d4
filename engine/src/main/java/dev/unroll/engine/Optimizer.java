package dev.unroll.engine;

/** An update rule with its coefficients, named and defaulted as in PyTorch. */
public sealed interface Optimizer permits Optimizer.Sgd, Optimizer.Adam, Optimizer.RmsProp {

  /**
   * Floats of memory per parameter.
   *
   * @return 0, 1 or 2
   */
  int slots();

  /**
   * Stochastic gradient descent.
   *
   * @param momentum momentum, 0 for none
   * @param nesterov whether momentum looks ahead
   * @param weightDecay L2 coefficient
   */
  record Sgd(float momentum, boolean nesterov, float weightDecay) implements Optimizer {
    /** Checks the coefficients. */
    public Sgd {
      requireRange("momentum", momentum);
      requireNotNegative("weight decay", weightDecay);
      if (nesterov && momentum == 0) {
        throw new IllegalArgumentException("Nesterov's form needs a momentum");
      }
    }

    @Override
    public int slots() {
      return momentum > 0 ? 1 : 0;
    }
  }

  /**
   * Adam (Kingma &amp; Ba 2015), or AdamW (Loshchilov &amp; Hutter 2019) with decoupled decay.
   *
   * @param beta1 decay of the first moment
   * @param beta2 decay of the second moment
   * @param eps floor of the divisor
   * @param weightDecay coefficient of weight decay
   * @param decoupled whether the decay acts on the weights (AdamW) and not on the gradient
   */
  record Adam(float beta1, float beta2, float eps, float weightDecay, boolean decoupled)
      implements Optimizer {
    /** Checks the coefficients. */
    public Adam {
      requireRange("beta1", beta1);
      requireRange("beta2", beta2);
      requireNotNegative("eps", eps);
      requireNotNegative("weight decay", weightDecay);
    }

    /**
     * Adam with PyTorch's defaults.
     *
     * @return beta1 0.9, beta2 0.999, eps 1e-8, no decay
     */
    public static Adam defaults() {
      return new Adam(0.9f, 0.999f, 1e-8f, 0f, false);
    }

    @Override
    public int slots() {
      return 2;
    }
  }

  /**
   * RMSprop (Tieleman &amp; Hinton 2012).
   *
   * @param alpha smoothing
   * @param eps floor of the divisor
   * @param weightDecay L2 coefficient
   */
  record RmsProp(float alpha, float eps, float weightDecay) implements Optimizer {
    /** Checks the coefficients. */
    public RmsProp {
      requireRange("alpha", alpha);
      requireNotNegative("eps", eps);
      requireNotNegative("weight decay", weightDecay);
    }

    @Override
    public int slots() {
      return 1;
    }
  }

  private static void requireRange(String what, float value) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException(what + " must be in [0, 1), not " + value);
    }
  }

  private static void requireNotNegative(String what, float value) {
    if (!(value >= 0 && value < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(what + " must be finite and not negative, not " + value);
    }
  }
}
