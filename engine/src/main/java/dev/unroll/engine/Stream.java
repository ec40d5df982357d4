package dev.unroll.engine;

import org.jspecify.annotations.Nullable;

/**
 * One caller's state, advanced a step at a time. A step allocates nothing and gives the same bits
 * as the same step inside a whole sequence.
 *
 * <p>On vector kernels a stream starts with the scalar ones and changes over once a warm-up in the
 * background has had the vector kernels compiled; {@link Backend#warmUp} waits for that.
 *
 * <p>A stream reads the network's parameters when it is made. Many streams may share one network; a
 * stream belongs to one thread.
 */
public final class Stream {
  private final NetworkSpec spec;
  private final int inputSize;
  private final int outputSize;
  private StreamLayers layers;

  /* Until the vector kernels are compiled. */
  private @Nullable WarmUp<StreamLayers> warmUp;

  /**
   * A stream on the preferred backend, with zero state.
   *
   * @param network the network
   * @throws UnsupportedOperationException if it is bidirectional
   */
  public Stream(Network network) {
    this(network, Backend.preferred());
  }

  /**
   * A stream with zero state.
   *
   * @param network the network
   * @param backend the kernels
   * @throws UnsupportedOperationException if it is bidirectional
   */
  public Stream(Network network, Backend backend) {
    spec = network.spec();
    if (spec.bidirectional()) {
      throw StreamErrors.bidirectional();
    }
    inputSize = spec.inputSize();
    outputSize = spec.networkOutputSize();
    boolean ready = WarmUp.isOver(new StreamPlan(network, backend));
    layers = new StreamLayers(network, ready ? backend.kernels() : backend.starter());
    layers.rehearse();
    warmUp = ready ? null : WarmUp.begin(new StreamPlan(network.copy(), backend));
  }

  /* Both sets of kernels give the same bits, so nobody notices but by the speed. */
  private void handOver(WarmUp<StreamLayers> task) {
    if (task.isDone()) {
      StreamLayers vector = task.made();
      if (vector != null) {
        vector.copyState(layers);
        layers = vector;
      }
      warmUp = null;
    }
  }

  /**
   * Advances by one vector: y_t = network(x_t, state), state = next state.
   *
   * @param x features [I]. Not modified.
   * @param y outputs [O]: of the head, or the last layer's h. Modified.
   * @throws IllegalArgumentException if a length does not fit or the network takes class ids
   */
  public void step(float[] x, float[] y) {
    if (spec.input() != NetworkSpec.Input.FEATURES) {
      throw StreamErrors.takesClasses();
    }
    if (x.length != inputSize) {
      throw StreamErrors.inputLength(inputSize, x.length);
    }
    checkOutput(y);
    if (warmUp != null) {
      handOver(warmUp);
    }
    layers.step(x, y);
  }

  /**
   * Advances by one class id.
   *
   * @param id the class, in [0, inputSize)
   * @param y outputs [O]. Modified.
   * @throws IllegalArgumentException if the id or the length does not fit or the network takes
   *     features
   */
  public void step(int id, float[] y) {
    if (spec.input() == NetworkSpec.Input.FEATURES) {
      throw StreamErrors.takesFeatures();
    }
    if (id < 0 || id >= spec.inputSize()) {
      throw StreamErrors.noClass(id, spec.inputSize());
    }
    checkOutput(y);
    if (warmUp != null) {
      handOver(warmUp);
    }
    layers.step(id, y);
  }

  private void checkOutput(float[] y) {
    if (y.length != outputSize) {
      throw StreamErrors.outputLength(outputSize, y.length);
    }
  }

  /** Sets the state to zero. */
  public void reset() {
    layers.clearState();
  }

  /**
   * Copies the state out.
   *
   * @param h hidden states of all layers, {@link NetworkSpec#hiddenStateSize()}. Modified.
   * @param c cell states of the LSTM layers, {@link NetworkSpec#cellStateSize()}. Modified.
   * @throws IllegalArgumentException if a length does not fit
   */
  public void saveState(float[] h, float[] c) {
    checkState(h, c);
    int ho = 0;
    int co = 0;
    for (State state : layers.states) {
      state.get(0, h, ho, c, co);
      ho += state.layer.outputSize();
      co += state.layer.cell().hasCellState() ? state.layer.hidden() : 0;
    }
  }

  /**
   * Copies the state in: the next step continues exactly where {@link #saveState} was called. In a
   * state from elsewhere, magnitudes below {@link dev.unroll.fallback.FloatMath#FLUSH} become 0, as
   * after a step.
   *
   * @param h hidden states. Not modified.
   * @param c cell states. Not modified.
   * @throws IllegalArgumentException if a length does not fit
   */
  public void restoreState(float[] h, float[] c) {
    checkState(h, c);
    int ho = 0;
    int co = 0;
    for (State state : layers.states) {
      state.set(0, h, ho, c, co);
      ho += state.layer.outputSize();
      co += state.layer.cell().hasCellState() ? state.layer.hidden() : 0;
    }
  }

  private void checkState(float[] h, float[] c) {
    if (h.length != spec.hiddenStateSize() || c.length != spec.cellStateSize()) {
      throw StreamErrors.stateLength(spec, h.length, c.length);
    }
  }

  /**
   * The memory of packed weights and state. Until the vector kernels take over, about as much again
   * is in use for them.
   *
   * @return bytes
   */
  public long bytes() {
    return layers.bytes;
  }
}
