package dev.unroll.engine;

/**
 * Noise in training, off at inference. What dropout leaves is scaled by 1 / (1 - p).
 *
 * <p>Masks come from one generator, in this order for each forward pass: for each layer the mask of
 * its inputs, then for each direction the mask of its recurrent state, that of its recurrent
 * weights, and zoneout's of h and c for the largest number of steps, padding included; each in
 * row-major order, an element dropped if a double drawn is below p.
 *
 * @param dropout probability of dropping an output of a layer on the way to the next, drawn for
 *     every step (Srivastava et al. 2014; PyTorch's {@code dropout})
 * @param lockedInput probability of dropping an input of a layer in all steps of a sequence
 *     (variational dropout, Gal &amp; Ghahramani 2016); one-hot input is spared
 * @param lockedState the same for h_{t-1} on the way into the recurrent product
 * @param weightDrop probability of dropping an element of {@code weight_hh} in a whole pass
 *     (DropConnect on recurrent weights, Merity et al. 2018)
 * @param zoneoutHidden probability that a unit of h keeps its value in a step (Krueger et al.
 *     2017); at inference the mean of both
 * @param zoneoutCell the same for c
 */
public record Regularization(
    float dropout,
    float lockedInput,
    float lockedState,
    float weightDrop,
    float zoneoutHidden,
    float zoneoutCell) {
  /** No noise. */
  public static final Regularization NONE = new Regularization(0, 0, 0, 0, 0, 0);

  /** Checks the probabilities. */
  public Regularization {
    require("dropout", dropout);
    require("locked input dropout", lockedInput);
    require("locked state dropout", lockedState);
    require("weight drop", weightDrop);
    require("zoneout", zoneoutHidden);
    require("zoneout of cells", zoneoutCell);
  }

  private static void require(String what, float p) {
    if (!(p >= 0 && p < 1)) {
      throw new IllegalArgumentException(what + " must be in [0, 1), not " + p);
    }
  }

  /** Fills a mask with 0 and 1 / (1 - p). */
  static void draw(Rng rng, float p, int n, float[] mask, int offset) {
    float keep = 1f / (1f - p);
    for (int i = 0; i < n; i++) {
      mask[offset + i] = rng.nextDouble() < p ? 0f : keep;
    }
  }
}
