package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.StepAtOnce;
import org.jspecify.annotations.Nullable;

/**
 * The recurrence of one cell over a batch, with the values that BPTT needs.
 *
 * <p>A cell writes state into slots of its {@link State}. Before the first step the gates hold W_ih
 * x + b for every step; a forward step adds the recurrent part and advances the state from one slot
 * to another. A backward step turns the gates of a step into their gradients.
 */
sealed interface Cell permits RnnCell, GruCell, ResetBeforeGruCell, LstmCell {

  /** W_ih x + b [time * batch, gateRows]; after the backward pass the gradient of it. */
  float[] inputGates();

  /** After the backward pass the gradient of W_hh h + b_hh, of the same shape. */
  float[] recurrentGates();

  /** After the backward pass what the biases' gradients are summed from. */
  default float[] biasGates() {
    return inputGates();
  }

  /** r # h_{t-1} of all steps, where the candidate's recurrent product takes it. */
  default float[] resetHidden() {
    return NOTHING;
  }

  /** Stands for an array that a cell does without. */
  float[] NOTHING = {};

  /** Computes a stream's step from its input: W_ih x + b and {@link #forward} in place. */
  void step(float[] x, int xo);

  /** What {@link #step} does in one call, if so. */
  default @Nullable StepAtOnce atOnce() {
    return null;
  }

  /**
   * Calls the kernels of {@link #step} on what is there, from places that no step comes by: when
   * kernels of another class come by a few times, C2 drops the code around the call, and with it
   * that of all steps.
   *
   * @param x the input, or {@link #NOTHING} for calls that are idle, see {@link Kernels}
   */
  void callKernels(float[] x, int xo);

  /** The same for a step at once. */
  static void callKernels(StepAtOnce step, float[] x, int xo) {
    if (x.length == 0) {
      step.idle();
    } else {
      step.step(x, xo, NOTHING);
    }
  }

  /**
   * Computes step t: state from slot {@code previous} to slot {@code next}, which may be the same.
   *
   * @param first first row of the batch to compute
   * @param n number of rows
   */
  void forward(int t, int previous, int next, int first, int n);

  /**
   * BPTT through step t.
   *
   * @param dh gradient of the step's h [batch, paddedOutput]; holds that of the previous h
   *     afterwards
   * @param dc the same for c; unused by cells without it
   * @param first first row of the batch to compute
   * @param n number of rows
   */
  void backward(int t, int previous, int next, float[] dh, float[] dc, int first, int n);

  /** Whether threads may compute different rows at the same time. */
  default boolean hasIndependentRows() {
    return true;
  }

  /** Norm of the whole gradient of c_t, given those of h_t and of what follows; 0 without c. */
  default double cellGradientNorm(int t, float[] dh, float[] dc) {
    return 0;
  }

  /** Shows the activations of step t to an observer, before {@link #backward} overwrites them. */
  void observe(int t, int next, GradientFlow flow, int layer, int direction);

  /** Adds the gradients of parameters other than W_ih, W_hh and the biases. */
  default void addGradients(int rows, float[] gradients) {}

  static Cell create(
      Kernels kernels,
      LayerWeights weights,
      State state,
      int time,
      boolean training,
      Memory memory) {
    return switch (weights.layer.cell()) {
      case RNN_TANH, RNN_RELU -> new RnnCell(kernels, weights, state, time, memory);
      case GRU ->
          weights.layer.options().resetBefore()
              ? new ResetBeforeGruCell(kernels, weights, state, time, training, memory)
              : new GruCell(kernels, weights, state, time, memory);
      case LSTM -> new LstmCell(kernels, weights, state, time, training, memory);
    };
  }
}
