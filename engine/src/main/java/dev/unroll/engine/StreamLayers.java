package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.StepAtOnce;
import dev.unroll.fallback.WeightFormat;
import org.jspecify.annotations.Nullable;

/** The layers of a stream on one set of kernels: packed weights, state, scratch. */
final class StreamLayers {
  final LayerWeights[] weights;
  final State[] states;
  final long bytes;
  private final NetworkSpec spec;
  private final Kernels kernels;
  private final Cell[] cells;

  /* Embedding vectors by class id, or empty. */
  private final float[] embedding;
  private final float[] input;

  /* Output of the layer below and the network's input, where layers see both. */
  private final float[] joined;

  /* Of each layer, or empty. */
  private final Zoneout[] zoneouts;

  /* Outputs of the layers with residual connections. */
  private final float[][] sums;
  private final @Nullable PackedMatrix head;
  private final float[] output;

  /* All layers, if each takes its step at once and gets the h below; else empty. */
  private final StepAtOnce[] stack;

  /** Packs the network's parameters. */
  StreamLayers(Network network, Kernels kernels) {
    this(network, kernels, Memory.allocating(), null);
  }

  /** The same weights with a state of its own. */
  StreamLayers(Network network, Kernels kernels, StreamLayers shared) {
    this(network, kernels, Memory.allocating(), shared);
  }

  private StreamLayers(
      Network network, Kernels given, Memory memory, @Nullable StreamLayers shared) {
    spec = network.spec();
    kernels = given.with(network.weightFormat());
    float[] parameters = network.values();
    int count = spec.layers().size();
    weights = new LayerWeights[count];
    states = new State[count];
    cells = new Cell[count];
    PackedMatrix.Use step = PackedMatrix.Use.STEP;
    /* Reduced weights have a scale for each row of each matrix. */
    boolean join = network.weightFormat() == WeightFormat.F32;
    LayerWeights.Packing packing = new LayerWeights.Packing(step, step, join, true, false);
    for (int l = 0; l < count; l++) {
      if (shared != null) {
        weights[l] = shared.weights[l];
      } else {
        weights[l] =
            new LayerWeights(kernels, spec, network.layout(), l, 0, false, packing, memory);
        weights[l].pack(parameters);
      }
      states[l] = new State(weights[l], 1, 1, false, memory);
      cells[l] = Cell.create(kernels, weights[l], states[l], 1, false, memory);
    }
    embedding = shared != null ? shared.embedding : copyEmbedding(network, memory);
    int widest = 0;
    for (int l = 1; l < count; l++) {
      widest = Math.max(widest, Kernels.pad(spec.layerInputSize(l)));
    }
    joined = memory.floats(spec.topology().inputSkip() ? 1 : 0, widest);
    Regularization noise = spec.regularization();
    zoneouts = new Zoneout[Zoneout.isUsed(noise) ? count : 0];
    for (int l = 0; l < zoneouts.length; l++) {
      zoneouts[l] = new Zoneout(states[l], noise, 1, memory);
    }
    sums = new float[spec.topology().residual() ? count : 0][];
    for (int l = 0; l < sums.length; l++) {
      sums[l] = memory.floats(1, states[l].paddedOutput);
    }
    clearState();
    input = memory.floats(1, Kernels.pad(spec.layerInputSize(0)));
    head = shared != null ? shared.head : packHead(network, memory);
    output = memory.floats(head == null ? 0 : 1, Kernels.pad(spec.networkOutputSize()));
    boolean plain = joined.length == 0 && sums.length == 0 && zoneouts.length == 0;
    stack = plain ? stack(cells) : new StepAtOnce[0];
    bytes = memory.bytes();
  }

  private static StepAtOnce[] stack(Cell[] cells) {
    StepAtOnce[] all = new StepAtOnce[cells.length];
    for (int l = 0; l < cells.length; l++) {
      StepAtOnce step = cells[l].atOnce();
      if (step == null) {
        return new StepAtOnce[0];
      }
      all[l] = step;
    }
    return all;
  }

  private @Nullable PackedMatrix packHead(Network network, Memory memory) {
    if (spec.outputSize() == 0) {
      return null;
    }
    int width = spec.recurrentOutputSize();
    int padded = Kernels.pad(spec.outputSize());
    PackedMatrix packed = memory.matrix(kernels.affine(), padded, width, PackedMatrix.Use.STEP);
    float[] parameters = network.values();
    int w = network.layout().headWeight().offset();
    int bias = network.layout().headBias().offset();
    kernels.affine().pack(packed, 0, 0, spec.outputSize(), width, parameters, w, width);
    kernels.affine().packBias(packed, 0, spec.outputSize(), parameters, bias);
    return packed;
  }

  private static float[] copyEmbedding(Network network, Memory memory) {
    if (network.spec().input() != NetworkSpec.Input.EMBEDDING) {
      return Cell.NOTHING;
    }
    Parameter p = network.layout().embedding();
    float[] copy = memory.floats(p.rows(), p.columns());
    System.arraycopy(network.values(), p.offset(), copy, 0, copy.length);
    return copy;
  }

  void step(float[] x, float[] y) {
    if (stack.length > 0) {
      stepAtOnce(x, y);
    } else {
      stepCell(0, x, 0);
      advance(x, y);
    }
  }

  void step(int id, float[] y) {
    LayerWeights first = weights[0];
    if (!first.isOneHot()) {
      int size = spec.embeddingSize();
      System.arraycopy(embedding, id * size, input, 0, size);
      step(input, y);
      return;
    }
    System.arraycopy(first.table, id * first.gateRows, cells[0].inputGates(), 0, first.gateRows);
    if (zoneouts.length > 0) {
      zoneouts[0].remember();
    }
    cells[0].forward(0, 0, 0, 0, 1);
    if (zoneouts.length > 0) {
      zoneouts[0].mixRemembered();
    }
    advance(input, y);
  }

  private void stepAtOnce(float[] x, float[] y) {
    int top = stack.length - 1;
    float[] h = x;
    int ho = 0;
    for (int l = 0; l < top; l++) {
      stack[l].step(h, ho, Cell.NOTHING);
      h = states[l].h;
      ho = states[l].hidden(0);
    }
    if (head == null) {
      stack[top].step(h, ho, y);
    } else {
      stack[top].step(h, ho, Cell.NOTHING);
      output(states[top].h, states[top].hidden(0), y);
    }
  }

  private void stepCell(int l, float[] x, int xo) {
    if (zoneouts.length == 0) {
      cells[l].step(x, xo);
      return;
    }
    zoneouts[l].remember();
    cells[l].step(x, xo);
    zoneouts[l].mixRemembered();
  }

  /* The layers above the first, and the head. */
  private void advance(float[] x, float[] y) {
    float[] h = states[0].h;
    int ho = states[0].hidden(0);
    for (int l = 1; l < cells.length; l++) {
      if (joined.length > 0) {
        int size = weights[l].inputSize - weights[0].inputSize;
        System.arraycopy(h, ho, joined, 0, size);
        System.arraycopy(x, 0, joined, size, weights[0].inputSize);
        stepCell(l, joined, 0);
      } else {
        stepCell(l, h, ho);
      }
      float[] own = states[l].h;
      int oo = states[l].hidden(0);
      if (sums.length > 0) {
        kernels.elements().add(states[l].paddedOutput, h, ho, own, oo, sums[l], 0);
        own = sums[l];
        oo = 0;
      }
      h = own;
      ho = oo;
    }
    output(h, ho, y);
  }

  private void output(float[] h, int ho, float[] y) {
    if (head == null) {
      kernels.elements().copy(y.length, h, ho, y, 0);
    } else {
      kernels.affine().affine(head, h, ho, output, 0);
      kernels.elements().copy(y.length, output, 0, y, 0);
    }
  }

  /** Calls the kernels of a step on scratch data or idly, see {@link Cell#callKernels}. */
  void callKernels(boolean idle) {
    float[] none = Cell.NOTHING;
    float[] h = input;
    int ho = 0;
    for (int l = 0; l < cells.length; l++) {
      boolean both = l > 0 && joined.length > 0;
      cells[l].callKernels(idle ? none : both ? joined : h, both ? 0 : ho);
      h = states[l].h;
      ho = states[l].hidden(0);
    }
    int n = idle ? 0 : states[cells.length - 1].paddedOutput;
    if (sums.length > 0) {
      kernels.elements().add(n, h, ho, h, ho, sums[0], 0);
    }
    if (head != null) {
      kernels.affine().affine(head, idle ? none : h, ho, idle ? none : output, 0);
    }
    kernels.elements().copy(n, h, ho, h, ho);
  }

  /** One step for nothing, so that the first real one loads no class. */
  void rehearse() {
    rehearse(new float[spec.inputSize()], new float[spec.networkOutputSize()]);
    clearState();
  }

  /** One step on x, or on class 0 where classes are wanted. */
  void rehearse(float[] x, float[] y) {
    if (spec.input() == NetworkSpec.Input.FEATURES) {
      step(x, y);
    } else {
      step(0, y);
    }
  }

  /** Takes over the state of the same layers on other kernels. */
  void copyState(StreamLayers from) {
    for (int l = 0; l < states.length; l++) {
      System.arraycopy(from.states[l].h, 0, states[l].h, 0, states[l].h.length);
      System.arraycopy(from.states[l].c, 0, states[l].c, 0, states[l].c.length);
    }
  }

  void clearState() {
    for (State state : states) {
      state.clear(0);
    }
  }
}
