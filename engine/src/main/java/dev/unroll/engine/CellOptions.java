package dev.unroll.engine;

import java.util.List;
import java.util.Objects;

/**
 * What a cell does beyond its usual equations. The usual cells run on the fast kernels; these run
 * on plainer ones, the same for all backends.
 *
 * @param resetBefore GRU: the reset gate acts on h_{t-1} before the recurrent product (Cho et al.
 *     2014; ONNX linear_before_reset = 0)
 * @param peepholes LSTM: gates i and f see c_{t-1}, gate o sees c_t (Gers &amp; Schmidhuber 2000),
 *     with {@code weight_peephole} [3H] in the order i, f, o
 * @param coupledGate LSTM: f = 1 - i (ONNX input_forget)
 * @param layerNorm LSTM: z = LN(W_ih x) + LN(W_hh h) + b and h = o # tanh(LN(c)) (Ba et al. 2016),
 *     each LN over the whole vector, with gains {@code weight_ln_ih}, {@code weight_ln_hh} [4H] and
 *     {@code weight_ln_c}, {@code bias_ln_c} [H]
 * @param clip bound of the gates' pre-activations, 0 for none (ONNX clip)
 * @param activations in ONNX's order, RNN: f; GRU: f, g; LSTM: f, g, h. Empty for the usual ones
 */
public record CellOptions(
    boolean resetBefore,
    boolean peepholes,
    boolean coupledGate,
    boolean layerNorm,
    float clip,
    List<Activation> activations) {
  /** The usual equations. */
  public static final CellOptions STANDARD =
      new CellOptions(false, false, false, false, 0f, List.of());

  /** Checks the bound. */
  public CellOptions {
    activations = List.copyOf(activations);
    if (!(clip >= 0 && clip < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("clip must be finite and not negative, not " + clip);
    }
  }

  /** Whether the fast kernels compute it. */
  boolean isStandard() {
    /* Mostly the same object; the first comparison of records takes 10 ms. */
    return Objects.equals(this, STANDARD);
  }

  void check(CellKind cell) {
    if (resetBefore && cell != CellKind.GRU) {
      throw new IllegalArgumentException("only GRU has a reset gate, not " + cell);
    }
    if ((peepholes || coupledGate || layerNorm) && cell != CellKind.LSTM) {
      throw new IllegalArgumentException(
          "peepholes, a coupled gate and layer normalisation are LSTM's, not " + cell + "'s");
    }
    int functions = usual(cell).size();
    if (!activations.isEmpty() && activations.size() != functions) {
      throw new IllegalArgumentException(
          cell + " takes " + functions + " activations, not " + activations.size());
    }
  }

  private static List<Activation> usual(CellKind cell) {
    Activation sigmoid = Activation.of(Activation.Kind.SIGMOID);
    Activation tanh = Activation.of(Activation.Kind.TANH);
    return switch (cell) {
      case RNN_TANH -> List.of(tanh);
      case RNN_RELU -> List.of(Activation.of(Activation.Kind.RELU));
      case GRU -> List.of(sigmoid, tanh);
      case LSTM -> List.of(sigmoid, tanh, tanh);
    };
  }

  /**
   * The functions in use.
   *
   * @param cell the cell
   * @param index place in ONNX's order
   * @return the function
   */
  public Activation activation(CellKind cell, int index) {
    return (activations.isEmpty() ? usual(cell) : activations).get(index);
  }
}
