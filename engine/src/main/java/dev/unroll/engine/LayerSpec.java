package dev.unroll.engine;

/**
 * One recurrent layer.
 *
 * @param cell the cell
 * @param hidden hidden size H, at least 1
 * @param projection size of the projected state (LSTM only, {@code weight_hr}), less than H; 0 for
 *     none
 * @param bias whether {@code bias_ih} and {@code bias_hh} exist
 * @param options what differs from the cell's usual equations
 */
public record LayerSpec(
    CellKind cell, int hidden, int projection, boolean bias, CellOptions options) {

  /** Checks the sizes. */
  public LayerSpec {
    if (hidden < 1) {
      throw new IllegalArgumentException("hidden size must be at least 1, not " + hidden);
    }
    if (projection < 0 || (projection >= hidden && projection != 0)) {
      throw new IllegalArgumentException(
          "projection must be 0 or less than the hidden size " + hidden + ", not " + projection);
    }
    if (projection > 0 && cell != CellKind.LSTM) {
      throw new IllegalArgumentException("only LSTM has a projection, not " + cell);
    }
    options.check(cell);
  }

  /**
   * A layer with the usual equations.
   *
   * @param cell the cell
   * @param hidden hidden size
   * @param projection size of the projected state, 0 for none
   * @param bias whether there are biases
   */
  public LayerSpec(CellKind cell, int hidden, int projection, boolean bias) {
    this(cell, hidden, projection, bias, CellOptions.STANDARD);
  }

  /**
   * The same with other equations.
   *
   * @param other what differs from the cell's usual equations
   * @return the layer
   */
  public LayerSpec with(CellOptions other) {
    return new LayerSpec(cell, hidden, projection, bias, other);
  }

  /**
   * A layer with bias and without projection.
   *
   * @param cell the cell
   * @param hidden hidden size
   * @return the layer
   */
  public static LayerSpec of(CellKind cell, int hidden) {
    return new LayerSpec(cell, hidden, 0, true);
  }

  /**
   * Size of h_t.
   *
   * @return the projection if there is one, else the hidden size
   */
  public int outputSize() {
    return projection > 0 ? projection : hidden;
  }
}
