package dev.unroll.engine;

/** The recurrent cells, with PyTorch's gate orders. */
public enum CellKind {
  /** Elman's cell, h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh). */
  RNN_TANH("rnn", 1, false),
  /** The same with max(0, z) instead of tanh. */
  RNN_RELU("rnn", 1, false),
  /** Gated recurrent unit, gates r, z, n; see {@link dev.unroll.fallback.GruKernels}. */
  GRU("gru", 3, false),
  /** Long short-term memory, gates i, f, g, o; see {@link dev.unroll.fallback.LstmKernels}. */
  LSTM("lstm", 4, true);

  private final String family;
  private final int gates;
  private final boolean cellState;

  CellKind(String family, int gates, boolean cellState) {
    this.family = family;
    this.gates = gates;
    this.cellState = cellState;
  }

  /**
   * The name of PyTorch's module in lower case, the prefix of parameter names.
   *
   * @return rnn, gru or lstm
   */
  public String family() {
    return family;
  }

  /**
   * Rows of {@code weight_ih} in units of the hidden size.
   *
   * @return 1, 3 or 4
   */
  public int gates() {
    return gates;
  }

  /**
   * Whether the state has a second vector c.
   *
   * @return true for LSTM
   */
  public boolean hasCellState() {
    return cellState;
  }
}
