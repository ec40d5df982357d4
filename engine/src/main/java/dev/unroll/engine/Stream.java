package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import org.jspecify.annotations.Nullable;

/**
 * One caller's state, advanced a step at a time. A step allocates nothing and gives the same bits
 * as the same step inside a whole sequence.
 *
 * <p>A stream reads the network's parameters when it is made. Many streams may share one network; a
 * stream belongs to one thread.
 */
public final class Stream {
  private final NetworkSpec spec;
  private final Kernels kernels;
  private final Network network;
  private final LayerWeights[] weights;
  private final State[] states;
  private final Cell[] cells;
  private final int embeddingOffset;
  private final float[] input;
  private final @Nullable PackedMatrix head;
  private final float[] output;
  private final long bytes;

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
      throw new UnsupportedOperationException(
          "a bidirectional network cannot stream: its reverse direction starts at the last step;"
              + " run whole sequences with Unrolled");
    }
    this.network = network;
    kernels = backend.kernels();
    Memory memory = Memory.allocating();
    int count = spec.layers().size();
    weights = new LayerWeights[count];
    states = new State[count];
    cells = new Cell[count];
    PackedMatrix.Use step = PackedMatrix.Use.STEP;
    for (int l = 0; l < count; l++) {
      weights[l] = new LayerWeights(kernels, spec, network.layout(), l, 0, false, step, memory);
      weights[l].pack(network.values());
      states[l] = new State(weights[l], 1, 1, memory);
      cells[l] = Cell.create(kernels, weights[l], states[l], 1, false, memory);
    }
    embeddingOffset =
        spec.input() == NetworkSpec.Input.EMBEDDING
            ? network.layout().get("embedding.weight").offset()
            : 0;
    input = memory.floats(1, Kernels.pad(spec.layerInputSize(0)));
    int width = spec.recurrentOutputSize();
    int padded = Kernels.pad(spec.networkOutputSize());
    head = spec.outputSize() > 0 ? memory.matrix(kernels.affine(), padded, width, step) : null;
    output = memory.floats(head == null ? 0 : 1, padded);
    if (head != null) {
      Parameter w = network.layout().get("linear.weight");
      int bias = network.layout().get("linear.bias").offset();
      float[] values = network.values();
      kernels.affine().pack(head, 0, 0, spec.outputSize(), width, values, w.offset(), width);
      kernels.affine().packBias(head, 0, spec.outputSize(), values, bias);
    }
    bytes = memory.bytes();
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
      throw new IllegalArgumentException("this network takes class ids: call step(int, float[])");
    }
    if (x.length != spec.inputSize()) {
      throw new IllegalArgumentException(
          "x must have " + spec.inputSize() + " elements, not " + x.length);
    }
    checkOutput(y);
    cells[0].step(x);
    advance(y);
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
      throw new IllegalArgumentException(
          "this network takes feature vectors: call step(float[], float[])");
    }
    if (id < 0 || id >= spec.inputSize()) {
      throw new IllegalArgumentException(
          "class " + id + " is not from 0 to " + (spec.inputSize() - 1));
    }
    checkOutput(y);
    LayerWeights first = weights[0];
    float[] gates = cells[0].inputGates();
    if (first.isOneHot()) {
      System.arraycopy(first.table, id * first.gateRows, gates, 0, first.gateRows);
      cells[0].forward(0, 0, 0);
    } else {
      int size = spec.embeddingSize();
      System.arraycopy(network.values(), embeddingOffset + id * size, input, 0, size);
      cells[0].step(input);
    }
    advance(y);
  }

  private void checkOutput(float[] y) {
    if (y.length != spec.networkOutputSize()) {
      throw new IllegalArgumentException(
          "y must have " + spec.networkOutputSize() + " elements, not " + y.length);
    }
  }

  /* The layers above the first, and the head. */
  private void advance(float[] y) {
    float[] h = states[0].h;
    for (int l = 1; l < cells.length; l++) {
      cells[l].step(h);
      h = states[l].h;
    }
    if (head != null) {
      kernels.affine().affine(head, h, 0, output, 0);
      h = output;
    }
    System.arraycopy(h, 0, y, 0, y.length);
  }

  /** Sets the state to zero. */
  public void reset() {
    for (State state : states) {
      state.clear(0);
    }
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
    for (int l = 0; l < states.length; l++) {
      states[l].get(0, h, ho, c, co);
      ho += weights[l].layer.outputSize();
      co += weights[l].layer.cell().hasCellState() ? weights[l].layer.hidden() : 0;
    }
  }

  /**
   * Copies the state in: the next step continues exactly where {@link #saveState} was called.
   *
   * @param h hidden states. Not modified.
   * @param c cell states. Not modified.
   * @throws IllegalArgumentException if a length does not fit
   */
  public void restoreState(float[] h, float[] c) {
    checkState(h, c);
    int ho = 0;
    int co = 0;
    for (int l = 0; l < states.length; l++) {
      states[l].set(0, h, ho, c, co);
      ho += weights[l].layer.outputSize();
      co += weights[l].layer.cell().hasCellState() ? weights[l].layer.hidden() : 0;
    }
  }

  private void checkState(float[] h, float[] c) {
    if (h.length != spec.hiddenStateSize() || c.length != spec.cellStateSize()) {
      throw new IllegalArgumentException(
          "the state has "
              + spec.hiddenStateSize()
              + " hidden and "
              + spec.cellStateSize()
              + " cell elements, not "
              + h.length
              + " and "
              + c.length);
    }
  }

  /**
   * The memory of packed weights and state.
   *
   * @return bytes
   */
  public long bytes() {
    return bytes;
  }
}
