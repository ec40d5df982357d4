package dev.unroll.engine;

/** How the learning rate changes with the number of updates: a factor of the base rate. */
public sealed interface Schedule {

  /**
   * The factor for the coming update.
   *
   * @param update number of updates so far
   * @return at least 0
   */
  double factor(long update);

  /** Always 1. */
  record Constant() implements Schedule {
    @Override
    public double factor(long update) {
      return 1;
    }
  }

  /**
   * Multiplied by gamma every so many updates: gamma^floor(update / every).
   *
   * @param every updates between changes
   * @param gamma the factor
   */
  record Step(long every, double gamma) implements Schedule {
    /** Checks the numbers. */
    public Step {
      requirePositive("every", every);
      requireFactor("gamma", gamma);
    }

    @Override
    public double factor(long update) {
      return OptimizerState.power(gamma, update / every);
    }
  }

  /**
   * Half a cosine from 1 down to a floor (Loshchilov &amp; Hutter 2017, without restarts): floor +
   * (1 - floor) (1 + cos(pi update / updates)) / 2, and the floor afterwards.
   *
   * @param updates length of the descent
   * @param floor the last factor
   */
  record Cosine(long updates, double floor) implements Schedule {
    /** Checks the numbers. */
    public Cosine {
      requirePositive("updates", updates);
      requireFactor("floor", floor);
    }

    @Override
    public double factor(long update) {
      double part = Math.min(1.0, (double) update / updates);
      return floor + (1 - floor) * (1 + cosine(part)) / 2;
    }

    /* cos(pi x) for x in [0, 1] by its series: StrictMath.cos allocates, Math.cos has other bits elsewhere. */
    private static double cosine(double x) {
      double half = Math.min(x, 1 - x);
      double square = Math.PI * half * (Math.PI * half);
      double term = 1;
      double sum = 1;
      for (int k = 2; k <= 24; k += 2) {
        term *= -square / ((k - 1) * k);
        sum += term;
      }
      return x > 0.5 ? -sum : sum;
    }
  }

  /**
   * A linear rise to 1, then another schedule from its own beginning.
   *
   * @param updates length of the rise: factors 1/updates, 2/updates, …, 1
   * @param then what follows
   */
  record WarmUpThen(long updates, Schedule then) implements Schedule {
    /** Checks the length. */
    public WarmUpThen {
      requirePositive("updates", updates);
    }

    @Override
    public double factor(long update) {
      return update < updates ? (update + 1.0) / updates : then.factor(update - updates);
    }
  }

  /**
   * Multiplied by a factor whenever a loss has not got smaller for a while. It learns of the loss
   * by {@link #observe}, for example after each validation.
   */
  final class Plateau implements Schedule {
    private final double gamma;
    private final int patience;
    private double best = Double.POSITIVE_INFINITY;
    private int bad;
    private double factor = 1;

    /**
     * A schedule at 1.
     *
     * @param gamma the factor
     * @param patience observations without improvement that are still borne
     */
    public Plateau(double gamma, int patience) {
      requireFactor("gamma", gamma);
      if (patience < 0) {
        throw new IllegalArgumentException("patience must not be negative, not " + patience);
      }
      this.gamma = gamma;
      this.patience = patience;
    }

    /**
     * Takes note of a loss; it improves if it is 1e-4 of the best one smaller, as in PyTorch.
     *
     * @param loss the loss
     */
    public void observe(double loss) {
      if (loss < best * (1 - 1e-4)) {
        best = loss;
        bad = 0;
        return;
      }
      bad++;
      if (bad > patience) {
        factor *= gamma;
        bad = 0;
      }
    }

    @Override
    public double factor(long update) {
      return factor;
    }

    /**
     * All that it has learnt, as text.
     *
     * @return to be given to {@link #restore}
     */
    public String state() {
      return best + " " + bad + " " + factor;
    }

    /**
     * Takes a state over.
     *
     * @param state of {@link #state}
     * @throws IllegalArgumentException if it is none
     */
    public void restore(String state) {
      String[] parts = state.split(" ", -1);
      if (parts.length != 3) {
        throw new IllegalArgumentException("no state of a plateau schedule: '" + state + "'");
      }
      best = Double.parseDouble(parts[0]);
      bad = Integer.parseInt(parts[1]);
      factor = Double.parseDouble(parts[2]);
    }
  }

  private static void requirePositive(String what, long value) {
    if (value < 1) {
      throw new IllegalArgumentException(what + " must be at least 1, not " + value);
    }
  }

  private static void requireFactor(String what, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(what + " must be from 0 to 1, not " + value);
    }
  }
}
