package dev.unroll.engine;

import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.WeightFormat;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A network unrolled over whole sequences: forward, and for training backward through time (BPTT),
 * over buffers allocated once for a batch size and a largest number of steps.
 *
 * <p>For inference on vector kernels the first sequences run on the scalar ones; a {@link #forward}
 * changes over once a warm-up in the background has had the vector kernels compiled, for which
 * {@link Backend#warmUp} waits. Until then weights are packed twice, parameters kept, and the
 * warm-up has weights and a workspace of its own, the latter for few steps: mostly less than 300
 * rows, at most 24 steps or 2,400 rows.
 *
 * <p>Arrays at this interface are dense and row-major as in PyTorch with {@code batch_first=False}:
 * inputs [T, B, I], outputs [T, B, O], states [layers * directions, B, H]. Not safe for use by
 * several threads.
 */
public final class Unrolled {
  private final Network network;
  private final NetworkSpec spec;
  private final int batch;
  private final int time;
  private final boolean training;

  /* Whether the first layer's inputs get a gradient; those of training, if features, need none. */
  private final boolean inputGradient;
  private final long bytes;

  /* On the kernels in use. All other buffers are those of both. */
  private Kernels kernels;
  private UnrolledLayer[][] layers;
  private @Nullable PackedMatrix head;

  /* Shared by threads if the layer below it is. */
  private AffineKernels headProducts;

  private @Nullable PackedMatrix headTransposed;

  /* Until the vector kernels are compiled; and the parameters as they were read last. */
  private @Nullable WarmUp<Unrolled> warmUp;
  private float[] parametersRead = Cell.NOTHING;

  private final Features[] inputs;
  private final Features[] outputs;

  /* Gradient of each layer's outputs, of the stride of the outputs. */
  private final float[][] outputGradients;

  /* Masks of the layers' inputs, of their shape; empty where nothing is dropped. */
  private final float[][] masks;
  private final float[] wideGradient;
  private final int[] ids;
  private final int[] lengths;
  private final int featureStride;
  private final float[] firstInputGradient;
  private final float[] gradients;
  private final int headWeightOffset;
  private final int headBiasOffset;
  private final int embeddingOffset;
  private final float[] headOutput;
  private final int headStride;
  private final float[] headWeightGradient;
  private final float[] headBiasGradient;
  private final Team.Task copyPass = this::copyPart;
  private final Team.Task clearPass = this::clearPart;
  private float[] given = Cell.NOTHING;
  private int steps;
  private boolean fromInitial = true;
  private @Nullable Rng noise;
  private @Nullable GradientFlow flow;

  /**
   * A matrix of layer inputs [time * batch, stride]: an own buffer, or the state of the layer
   * below.
   */
  private record Features(float[] values, int offset, int stride) {}

  /**
   * Allocates the buffers and reads the parameters.
   *
   * @param network the network
   * @param backend the kernels
   * @param batch sequences at a time, B
   * @param time largest number of steps, T
   * @param training whether {@link #backward} will be called
   * @throws IllegalArgumentException if a buffer would exceed 2^31 elements
   */
  public Unrolled(Network network, Backend backend, int batch, int time, boolean training) {
    this(new UnrolledPlan(network, backend, batch, time, training, training, Memory.allocating()));
  }

  /** For {@link #backwardFromHead} alone, which gives the inputs no gradient. */
  static Unrolled ofTrainer(Network network, Backend backend, int batch, int time) {
    return new Unrolled(
        new UnrolledPlan(network, backend, batch, time, true, false, Memory.allocating()));
  }

  private Unrolled(UnrolledPlan plan) {
    this(plan, plan.startsReady());
  }

  private Unrolled(UnrolledPlan plan, boolean ready) {
    this(plan, ready ? plan.kernels() : plan.backend().batchStarter(), plan.memory());
    parametersRead = new float[ready ? 0 : network.layout().size()];
    begin();
    warmUp = ready ? null : WarmUp.begin(plan);
    if (training) {
      plan.rehearse();
    }
  }

  /** Fills the buffers: whole sequences, the network's parameters, the initial state. */
  void begin() {
    Arrays.fill(lengths, time);
    refresh();
    clearState();
  }

  /**
   * Another one may share the buffers, so nothing is written that changes later; see {@link
   * #begin}.
   */
  Unrolled(UnrolledPlan plan, Kernels given, Memory memory) {
    network = plan.network();
    batch = plan.batch();
    time = plan.time();
    training = plan.training();
    if (training && network.weightFormat() != WeightFormat.F32) {
      throw new IllegalArgumentException(
          network.weightFormat()
              + " weights are for inference: train the network itself and quantize it afterwards");
    }
    kernels = given.with(network.weightFormat());
    spec = network.spec();
    long n = (long) batch * time;
    long back = training ? 1 : 0;
    int count = spec.layers().size();
    layers = new UnrolledLayer[count][spec.directions()];
    inputs = new Features[count];
    outputs = new Features[count];
    outputGradients = new float[count][];
    masks = new float[count][];
    boolean classes = spec.input() != NetworkSpec.Input.FEATURES;
    boolean oneHot = spec.input() == NetworkSpec.Input.ONE_HOT;
    boolean embedding = spec.input() == NetworkSpec.Input.EMBEDDING;
    inputGradient = training && !oneHot && (plan.inputGradient() || embedding);
    int first = Kernels.pad(spec.layerInputSize(0));
    ids = memory.ints(classes ? n : 0, 1);
    lengths = memory.ints(batch, 1);
    Regularization drop = spec.regularization();
    int widest = 0;
    for (int l = 0; l < count; l++) {
      for (int d = 0; d < spec.directions(); d++) {
        boolean wanted = l > 0 ? training : inputGradient;
        layers[l][d] =
            new UnrolledLayer(kernels, network, l, d, batch, time, training, wanted, memory);
      }
      int stride = Kernels.pad(spec.layerInputSize(l));
      boolean dropped =
          training
              && ((l > 0 && drop.dropout() > 0) || (drop.lockedInput() > 0 && (l > 0 || !oneHot)));
      masks[l] = memory.floats(dropped ? n : 0, stride);
      if (l == 0) {
        inputs[0] = new Features(memory.floats(oneHot ? 0 : n, first), 0, first);
      } else if (dropped || spec.topology().inputSkip()) {
        inputs[l] = new Features(memory.floats(n, stride), 0, stride);
        widest = Math.max(widest, stride);
      } else {
        inputs[l] = outputs[l - 1];
      }
      outputs[l] = outputsOf(l, n, memory);
      outputGradients[l] =
          spec.bidirectional()
              ? memory.floats(back * n, outputs[l].stride())
              : layers[l][0].outputGradient;
    }
    headProducts = layers[count - 1][0].kernels.affine();
    featureStride = outputs[count - 1].stride();
    firstInputGradient = memory.floats(inputGradient ? n : 0, first);
    wideGradient = memory.floats(widest == 0 ? 0 : back * n, widest);
    gradients = memory.floats(back, network.layout().size());
    boolean headed = spec.outputSize() > 0;
    headStride = Kernels.pad(spec.outputSize());
    headWeightOffset = headed ? network.layout().headWeight().offset() : 0;
    headBiasOffset = headed ? network.layout().headBias().offset() : 0;
    embeddingOffset = embedding ? network.layout().embedding().offset() : 0;
    PackedMatrix.Use use = LayerWeights.Packing.suited(n);
    int width = spec.recurrentOutputSize();
    head = headed ? memory.matrix(headProducts, headStride, width, use) : null;
    headTransposed =
        headed && training ? memory.matrix(headProducts, featureStride, headStride, use) : null;
    headOutput = memory.floats(headed ? n : 0, headStride);
    headWeightGradient = memory.floats(headed ? back * headStride : 0, featureStride);
    headBiasGradient = memory.floats(headed ? back : 0, headStride);
    bytes = memory.bytes();
    steps = time;
  }

  /* The state itself, unless directions are joined or the layer below is added. */
  private Features outputsOf(int l, long n, Memory memory) {
    UnrolledLayer first = layers[l][0];
    int stride = Kernels.pad(spec.layerOutputSize(l));
    boolean added = l > 0 && spec.topology().residual();
    return spec.bidirectional() || added
        ? new Features(memory.floats(n, stride), 0, stride)
        : new Features(first.state.h, first.outputOffset(), stride);
  }

  /**
   * The memory that the constructor would allocate, to be asked first.
   *
   * @param network the network
   * @param batch sequences at a time
   * @param time largest number of steps
   * @param training whether {@link #backward} will be called
   * @return bytes
   * @throws IllegalArgumentException if a buffer would exceed 2^31 elements
   */
  public static long bytesNeeded(Network network, int batch, int time, boolean training) {
    return bytesNeeded(network, batch, time, training, training);
  }

  /** That of {@link #ofTrainer}. */
  static long bytesOfTrainer(Network network, int batch, int time) {
    return bytesNeeded(network, batch, time, true, false);
  }

  private static long bytesNeeded(
      Network network, int batch, int time, boolean training, boolean inputGradient) {
    Backend any = Backend.choose("fallback");
    UnrolledPlan plan =
        new UnrolledPlan(network, any, batch, time, training, inputGradient, Memory.measuring());
    try {
      return new Unrolled(plan, any.batchKernels(), plan.memory()).bytes;
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "the workspace exceeds 2^63 bytes; choose a smaller batch or fewer steps", e);
    }
  }

  /**
   * The memory allocated.
   *
   * @return bytes
   */
  public long bytes() {
    return bytes;
  }

  /**
   * The batch size.
   *
   * @return B
   */
  public int batch() {
    return batch;
  }

  /** Features per step. */
  int inputSize() {
    return spec.inputSize();
  }

  /**
   * Outputs per step.
   *
   * @return O
   */
  public int outputSize() {
    return spec.networkOutputSize();
  }

  /**
   * The largest number of steps.
   *
   * @return T
   */
  public int time() {
    return time;
  }

  /** Reads the network's parameters again, after they changed. */
  public void refresh() {
    System.arraycopy(network.values(), 0, parametersRead, 0, parametersRead.length);
    pack(network.values());
  }

  private void pack(float[] parameters) {
    for (UnrolledLayer[] directions : layers) {
      for (UnrolledLayer layer : directions) {
        layer.weights.pack(parameters);
      }
    }
    if (head != null) {
      int width = spec.recurrentOutputSize();
      int out = spec.outputSize();
      headProducts.pack(head, 0, 0, out, width, parameters, headWeightOffset, width);
      headProducts.packBias(head, 0, out, parameters, headBiasOffset);
      if (headTransposed != null) {
        headProducts.packTransposed(
            headTransposed, 0, 0, width, out, parameters, headWeightOffset, width);
      }
    }
  }

  /** Sets the initial state to zero, or to what was learned. */
  public void clearState() {
    fromInitial = true;
    for (UnrolledLayer[] directions : layers) {
      for (UnrolledLayer layer : directions) {
        layer.state.clear(layer.initialSlot(steps));
      }
    }
  }

  /**
   * Sets the initial state, for sequences of the given number of steps. Magnitudes below {@link
   * dev.unroll.fallback.FloatMath#FLUSH} become 0, as after a step.
   *
   * @param forSteps steps of the next {@link #forward}
   * @param h0 hidden state [layers * directions, B, H]. Not modified.
   * @param c0 cell state of the same layout, for LSTM layers only. Not modified.
   * @throws IllegalArgumentException if a length does not fit
   */
  public void setState(int forSteps, float[] h0, float[] c0) {
    checkSteps(forSteps);
    checkLength("h0", h0.length, (long) batch * spec.hiddenStateSize());
    checkLength("c0", c0.length, (long) batch * spec.cellStateSize());
    steps = forSteps;
    fromInitial = false;
    int ho = 0;
    int co = 0;
    for (UnrolledLayer[] directions : layers) {
      for (UnrolledLayer layer : directions) {
        layer.state.set(layer.initialSlot(steps), h0, ho, c0, co);
        ho += batch * layer.weights.layer.outputSize();
        co += layer.weights.layer.cell().hasCellState() ? batch * layer.weights.layer.hidden() : 0;
      }
    }
  }

  /**
   * Copies the state after the last step: that of each row's own last step.
   *
   * @param hn hidden state [layers * directions, B, H]. Modified.
   * @param cn cell state, for LSTM layers only. Modified.
   * @throws IllegalArgumentException if a length does not fit
   */
  public void finalState(float[] hn, float[] cn) {
    checkLength("h_n", hn.length, (long) batch * spec.hiddenStateSize());
    checkLength("c_n", cn.length, (long) batch * spec.cellStateSize());
    int ho = 0;
    int co = 0;
    for (UnrolledLayer[] directions : layers) {
      for (UnrolledLayer layer : directions) {
        layer.state.get(layer.finalSlot(steps), hn, ho, cn, co);
        ho += batch * layer.weights.layer.outputSize();
        co += layer.weights.layer.cell().hasCellState() ? batch * layer.weights.layer.hidden() : 0;
      }
    }
  }

  /** Makes the final state the initial one, for truncated BPTT over consecutive pieces. */
  public void carryState() {
    carryState(steps);
  }

  /**
   * Makes the state after some steps the initial one: the next sequence overlaps this one.
   *
   * @param after number of steps, from 1 to that of the last {@link #forward}
   */
  public void carryState(int after) {
    requireUnidirectional("carry its state into the next piece");
    if (after < 1 || after > steps) {
      throw new IllegalArgumentException("steps must be from 1 to " + steps + ", not " + after);
    }
    fromInitial = false;
    for (UnrolledLayer[] directions : layers) {
      directions[0].state.carry(after);
    }
  }

  /** The forward directions go on after some steps; the reverse ones begin anew. */
  void carryForward(int after) {
    fromInitial = false;
    for (UnrolledLayer[] directions : layers) {
      directions[0].state.carry(after);
      for (int d = 1; d < directions.length; d++) {
        directions[d].state.clear(directions[d].initialSlot(steps));
      }
    }
  }

  /** Sets the initial state of one row back, of a unidirectional network. */
  void clearRow(int row) {
    checkRow(row);
    for (UnrolledLayer[] directions : layers) {
      directions[0].state.clear(0, row);
    }
  }

  /** Copies the initial state of one row out of, or into, a unidirectional network. */
  void moveRow(int row, float[] h, float[] c, boolean in) {
    checkRow(row);
    checkLength("h", h.length, spec.hiddenStateSize());
    checkLength("c", c.length, spec.cellStateSize());
    int ho = 0;
    int co = 0;
    for (UnrolledLayer[] directions : layers) {
      State state = directions[0].state;
      if (in) {
        state.setRow(0, row, h, ho, c, co);
      } else {
        state.getRow(0, row, h, ho, c, co);
      }
      ho += state.layer.outputSize();
      co += state.layer.cell().hasCellState() ? state.layer.hidden() : 0;
    }
  }

  private void checkRow(int row) {
    if (row < 0 || row >= batch) {
      throw new IllegalArgumentException("row must be from 0 to " + (batch - 1) + ", not " + row);
    }
  }

  private void requireUnidirectional(String what) {
    if (spec.bidirectional()) {
      throw new UnsupportedOperationException(
          "a bidirectional network cannot " + what + ": it needs the whole sequence first");
    }
  }

  /**
   * Switches the noise of {@link NetworkSpec#regularization} on or off; off at first.
   *
   * @param generator source of the masks of each coming {@link #forward}, or null for none
   * @throws IllegalStateException if made without training
   */
  public void setNoise(@Nullable Rng generator) {
    requireTraining();
    noise = generator;
  }

  /** Has the coming backward passes recorded, or not. */
  void observe(@Nullable GradientFlow observer) {
    flow = observer;
  }

  /**
   * Sets each row's number of steps, until the next call.
   *
   * @param rowLengths steps of each row, in [1, T]. Not modified.
   * @throws IllegalArgumentException if the count or a length does not fit
   */
  public void setLengths(int[] rowLengths) {
    checkLength("lengths", rowLengths.length, batch);
    for (int row = 0; row < batch; row++) {
      if (rowLengths[row] < 1 || rowLengths[row] > time) {
        throw new IllegalArgumentException(
            "lengths[" + row + "] must be from 1 to " + time + ", not " + rowLengths[row]);
      }
    }
    System.arraycopy(rowLengths, 0, lengths, 0, batch);
  }

  /**
   * Runs sequences of feature vectors from the initial state.
   *
   * @param count number of steps, at most T
   * @param x inputs [count, B, I]. Not modified.
   * @throws IllegalArgumentException if a size does not fit or the network takes class ids
   */
  public void forward(int count, float[] x) {
    if (spec.input() != NetworkSpec.Input.FEATURES) {
      throw new IllegalArgumentException("this network takes class ids, not feature vectors");
    }
    checkSteps(count);
    int size = spec.inputSize();
    checkLength("input", x.length, (long) count * batch * size);
    moveInitialState(count);
    given = x;
    Team.share(layers[0][0].team, x.length >= ParallelKernels.SMALL_MATRIX, copyPass);
    given = Cell.NOTHING;
    run();
  }

  /* Each thread copies the inputs of the rows that it will work on. */
  private void copyPart(int part, int parts) {
    float[] to = inputs[0].values();
    int size = spec.inputSize();
    int stride = inputs[0].stride();
    int first = layers[0][0].firstRow(part, parts);
    int end = layers[0][0].firstRow(part + 1, parts);
    for (int t = 0; t < steps; t++) {
      for (int row = first; row < end; row++) {
        int i = t * batch + row;
        if (t < lengths[row]) {
          System.arraycopy(given, i * size, to, i * stride, size);
        } else {
          Arrays.fill(to, i * stride, i * stride + size, 0f);
        }
      }
    }
  }

  /**
   * Runs sequences of class ids from the initial state.
   *
   * @param count number of steps, at most T
   * @param classes ids [count, B], each in [0, inputSize). Not modified.
   * @throws IllegalArgumentException if a size or an id does not fit or the network takes features
   */
  public void forward(int count, int[] classes) {
    if (spec.input() == NetworkSpec.Input.FEATURES) {
      throw new IllegalArgumentException("this network takes feature vectors, not class ids");
    }
    checkSteps(count);
    checkLength("input", classes.length, (long) count * batch);
    for (int i = 0; i < classes.length; i++) {
      if (classes[i] < 0 || classes[i] >= spec.inputSize()) {
        throw new IllegalArgumentException(
            "input["
                + i
                + "] is class "
                + classes[i]
                + "; classes are 0 to "
                + (spec.inputSize() - 1));
      }
    }
    moveInitialState(count);
    System.arraycopy(classes, 0, ids, 0, classes.length);
    if (spec.input() == NetworkSpec.Input.EMBEDDING) {
      int size = spec.embeddingSize();
      for (int i = 0; i < classes.length; i++) {
        int from = embeddingOffset + classes[i] * size;
        System.arraycopy(network.values(), from, inputs[0].values(), i * inputs[0].stride(), size);
      }
    }
    run();
  }

  /* Both sets of kernels give the same bits, so nobody notices but by the speed. */
  private void handOver(WarmUp<Unrolled> task) {
    if (!task.isDone()) {
      return;
    }
    Unrolled vector = task.made();
    if (vector != null) {
      for (UnrolledLayer[] directions : layers) {
        for (UnrolledLayer layer : directions) {
          layer.state.settle();
        }
      }
      kernels = vector.kernels;
      layers = vector.layers;
      head = vector.head;
      headProducts = vector.headProducts;
      headTransposed = vector.headTransposed;
      pack(parametersRead);
    }
    parametersRead = Cell.NOTHING;
    warmUp = null;
  }

  /* The initial state of a reverse layer stands in the slot after the last step. */
  private void moveInitialState(int count) {
    if (count == steps) {
      return;
    }
    for (UnrolledLayer[] directions : layers) {
      for (UnrolledLayer layer : directions) {
        int from = layer.initialSlot(steps);
        int to = layer.initialSlot(count);
        if (from != to) {
          layer.state.copySlot(from, to);
        }
      }
    }
    steps = count;
  }

  /** Runs all steps on the inputs that are there. */
  void run() {
    if (warmUp != null) {
      handOver(warmUp);
    }
    int n = steps * batch;
    for (int l = 0; l < layers.length; l++) {
      prepareInput(l, n);
      Features x = inputs[l];
      for (UnrolledLayer layer : layers[l]) {
        if (training) {
          layer.drawMasks(noise, network.values());
        }
        layer.forward(steps, lengths, ids, x.values(), x.offset(), x.stride());
      }
      join(l, n);
    }
    if (head != null) {
      Features top = outputs[layers.length - 1];
      headProducts.affineBatch(
          head, n, top.values(), top.offset(), top.stride(), headOutput, 0, headStride);
    }
  }

  /* Joins the output below and the skipped input, and drops some of it. */
  private void prepareInput(int l, int n) {
    Features x = inputs[l];
    if (l > 0 && !x.equals(outputs[l - 1])) {
      Features below = outputs[l - 1];
      int size = spec.layerOutputSize(l - 1);
      Rows.copy(n, size, below.values(), below.offset(), below.stride(), x.values(), 0, x.stride());
      if (spec.topology().inputSkip()) {
        Features first = inputs[0];
        int width = spec.layerInputSize(0);
        Rows.copy(n, width, first.values(), 0, first.stride(), x.values(), size, x.stride());
      }
    }
    if (noise != null && masks[l].length > 0) {
      drawInputMask(l, noise, x.stride());
      kernels
          .elements()
          .multiply(n * x.stride(), x.values(), x.offset(), masks[l], 0, x.values(), x.offset());
    }
  }

  private void drawInputMask(int l, Rng generator, int stride) {
    Regularization drop = spec.regularization();
    float[] mask = masks[l];
    int size = spec.layerInputSize(l);
    for (int row = 0; row < batch; row++) {
      Regularization.draw(generator, drop.lockedInput(), size, mask, row * stride);
    }
    for (int i = batch; i < steps * batch; i++) {
      System.arraycopy(mask, (i % batch) * stride, mask, i * stride, size);
    }
    int below = l > 0 ? spec.layerOutputSize(l - 1) : 0;
    float keep = 1f / (1f - drop.dropout());
    for (int i = 0; i < steps * batch && drop.dropout() > 0; i++) {
      for (int k = 0; k < below; k++) {
        mask[i * stride + k] *= generator.nextDouble() < drop.dropout() ? 0f : keep;
      }
    }
  }

  private void join(int l, int n) {
    Features to = outputs[l];
    boolean residual = l > 0 && spec.topology().residual();
    int size = layers[l][0].weights.layer.outputSize();
    for (int d = 0; d < layers[l].length && (spec.bidirectional() || residual); d++) {
      UnrolledLayer layer = layers[l][d];
      int stride = layer.weights.paddedOutput;
      float[] h = layer.state.h;
      int from = layer.outputOffset();
      if (d > 0 && spec.topology().sumDirections()) {
        kernels.elements().add(n * stride, h, from, to.values(), 0, to.values(), 0);
      } else {
        Rows.copy(n, size, h, from, stride, to.values(), d * size, to.stride());
      }
    }
    if (residual) {
      Features below = outputs[l - 1];
      int elements = n * to.stride();
      kernels
          .elements()
          .add(elements, below.values(), below.offset(), to.values(), 0, to.values(), 0);
    }
  }

  /**
   * Copies the outputs of the last {@link #forward}; zeros past a row's end.
   *
   * @param y outputs [steps, B, O]. Modified.
   * @throws IllegalArgumentException if the length does not fit
   */
  public void output(float[] y) {
    int size = spec.networkOutputSize();
    checkLength("output", y.length, (long) steps * batch * size);
    if (head != null) {
      Rows.copy(steps * batch, size, headOutput, 0, headStride, y, 0, size);
    } else {
      Features top = outputs[layers.length - 1];
      Rows.copy(steps * batch, size, top.values(), top.offset(), top.stride(), y, 0, size);
    }
    for (int row = 0; row < batch; row++) {
      for (int t = lengths[row]; t < steps; t++) {
        int at = (t * batch + row) * size;
        Arrays.fill(y, at, at + size, 0f);
      }
    }
  }

  /**
   * BPTT: adds the gradients of all parameters for given upstream gradients of one {@link
   * #forward}.
   *
   * @param dy gradient of the outputs [steps, B, O]; past a row's end it is not used. Not modified.
   * @param dhn gradient of the final hidden state. Not modified.
   * @param dcn gradient of the final cell state. Not modified.
   * @throws IllegalArgumentException if a length does not fit
   * @throws IllegalStateException if made without training
   */
  public void backward(float[] dy, float[] dhn, float[] dcn) {
    requireTraining();
    int size = spec.networkOutputSize();
    checkLength("output gradient", dy.length, (long) steps * batch * size);
    checkLength("gradient of h_n", dhn.length, (long) batch * spec.hiddenStateSize());
    checkLength("gradient of c_n", dcn.length, (long) batch * spec.cellStateSize());
    int ho = 0;
    int co = 0;
    for (UnrolledLayer[] directions : layers) {
      for (UnrolledLayer layer : directions) {
        LayerSpec l = layer.weights.layer;
        int r = layer.weights.paddedOutput;
        Rows.copy(batch, l.outputSize(), dhn, ho, l.outputSize(), layer.dh, 0, r);
        ho += batch * l.outputSize();
        if (l.cell().hasCellState()) {
          int p = layer.weights.paddedHidden;
          Rows.copy(batch, l.hidden(), dcn, co, l.hidden(), layer.dc, 0, p);
          co += batch * l.hidden();
        }
      }
    }
    if (head != null) {
      Rows.copy(steps * batch, size, dy, 0, size, headOutput, 0, headStride);
      for (int row = 0; row < batch; row++) {
        for (int t = lengths[row]; t < steps; t++) {
          int at = (t * batch + row) * headStride;
          Arrays.fill(headOutput, at, at + headStride, 0f);
        }
      }
    } else {
      int top = layers.length - 1;
      Rows.copy(steps * batch, size, dy, 0, size, outputGradients[top], 0, outputs[top].stride());
    }
    backwardFromTop();
  }

  private void requireTraining() {
    if (!training) {
      throw new IllegalStateException("this unrolled network was made for inference only");
    }
  }

  /**
   * BPTT from the head's gradients in {@link #headOutput()}, with zero gradients of the final
   * state.
   */
  void backwardFromHead() {
    requireTraining();
    for (UnrolledLayer[] directions : layers) {
      for (UnrolledLayer layer : directions) {
        Arrays.fill(layer.dh, 0f);
        Arrays.fill(layer.dc, 0f);
      }
    }
    backwardFromTop();
  }

  private void backwardFromTop() {
    if (flow != null) {
      flow.begin();
    }
    int n = steps * batch;
    if (head != null) {
      backwardHead(n);
    }
    if (spec.topology().inputSkip()) {
      Arrays.fill(firstInputGradient, 0f);
    }
    for (int l = layers.length - 1; l >= 0; l--) {
      if (spec.bidirectional()) {
        split(l, n);
      }
      if (l > 0 && spec.topology().residual()) {
        int elements = n * outputs[l].stride();
        System.arraycopy(outputGradients[l], 0, outputGradients[l - 1], 0, elements);
      }
      for (UnrolledLayer layer : layers[l]) {
        layer.backward(steps, lengths, flow);
        layer.addRecurrentGradients(steps, gradients);
        if (fromInitial) {
          layer.weights.addInitialGradients(batch, layer.dh, layer.dc, gradients);
        }
        if (layer.weights.isOneHot()) {
          layer.addInputGradients(steps, ids, gradients);
        } else {
          Features x = inputs[l];
          layer.addInputGradients(steps, x.values(), x.offset(), x.stride(), gradients);
        }
      }
      backwardToInputs(l, n);
    }
    if (spec.input() == NetworkSpec.Input.EMBEDDING) {
      addEmbeddingGradients(n);
    }
  }

  private void backwardToInputs(int l, int n) {
    if (l == 0 && !inputGradient) {
      return;
    }
    boolean skip = spec.topology().inputSkip();
    boolean residual = spec.topology().residual();
    if (l == 0) {
      inputGradient(0, firstInputGradient, skip);
      maskGradient(0, firstInputGradient, n);
    } else if (inputs[l].equals(outputs[l - 1])) {
      inputGradient(l, outputGradients[l - 1], residual);
    } else {
      inputGradient(l, wideGradient, false);
      maskGradient(l, wideGradient, n);
      int size = spec.layerOutputSize(l - 1);
      int from = inputs[l].stride();
      int to = outputs[l - 1].stride();
      if (residual) {
        Rows.add(n, size, wideGradient, 0, from, outputGradients[l - 1], 0, to);
      } else {
        Rows.copy(n, size, wideGradient, 0, from, outputGradients[l - 1], 0, to);
      }
      if (skip && inputGradient) {
        int width = spec.layerInputSize(0);
        Rows.add(n, width, wideGradient, size, from, firstInputGradient, 0, inputs[0].stride());
      }
    }
  }

  private void inputGradient(int l, float[] dx, boolean accumulate) {
    for (int d = 0; d < layers[l].length; d++) {
      layers[l][d].inputGradient(steps, dx, accumulate || d > 0);
    }
  }

  private void maskGradient(int l, float[] dx, int n) {
    if (noise != null && masks[l].length > 0) {
      kernels.elements().multiply(n * inputs[l].stride(), dx, 0, masks[l], 0, dx, 0);
    }
  }

  /* Gives each direction its part of the gradient of the joined outputs. */
  private void split(int l, int n) {
    int size = layers[l][0].weights.layer.outputSize();
    for (int d = 0; d < layers[l].length; d++) {
      UnrolledLayer layer = layers[l][d];
      int from = spec.topology().sumDirections() ? 0 : d * size;
      int to = layer.weights.paddedOutput;
      int stride = outputs[l].stride();
      Rows.copy(n, size, outputGradients[l], from, stride, layer.outputGradient, 0, to);
    }
  }

  private void backwardHead(int n) {
    Features top = outputs[layers.length - 1];
    int width = spec.recurrentOutputSize();
    Arrays.fill(headWeightGradient, 0f);
    Arrays.fill(headBiasGradient, 0f);
    headProducts.outerAccumulate(
        n,
        headOutput,
        0,
        headStride,
        headStride,
        top.values(),
        top.offset(),
        featureStride,
        width,
        headWeightGradient,
        0,
        featureStride);
    kernels
        .elements()
        .sumRowsAccumulate(n, headStride, headOutput, 0, headStride, headBiasGradient, 0);
    int w = headWeightOffset;
    int b = headBiasOffset;
    for (int o = 0; o < spec.outputSize(); o++) {
      gradients[b + o] += headBiasGradient[o];
      for (int k = 0; k < width; k++) {
        gradients[w + o * width + k] += headWeightGradient[o * featureStride + k];
      }
    }
    PackedMatrix back = Memory.require(headTransposed, "made for training");
    float[] dx = outputGradients[layers.length - 1];
    headProducts.affineBatch(back, n, headOutput, 0, headStride, dx, 0, featureStride);
  }

  private void addEmbeddingGradients(int n) {
    int to = embeddingOffset;
    int size = spec.embeddingSize();
    for (int i = 0; i < n; i++) {
      int row = to + ids[i] * size;
      int from = i * inputs[0].stride();
      for (int k = 0; k < size; k++) {
        gradients[row + k] += firstInputGradient[from + k];
      }
    }
  }

  /** Sets all gradients to zero. */
  public void clearGradients() {
    requireTraining();
    Team team = layers[0][0].team;
    Team.share(team, gradients.length >= ParallelKernels.SMALL_MATRIX, clearPass);
  }

  private void clearPart(int part, int parts) {
    int from = ParallelKernels.first(part, parts, gradients.length, Kernels.LANES);
    int to = ParallelKernels.first(part + 1, parts, gradients.length, Kernels.LANES);
    Arrays.fill(gradients, from, to, 0f);
  }

  /**
   * Copies the accumulated gradient of a parameter.
   *
   * @param name the parameter's name
   * @return its gradient, row-major
   * @throws IllegalArgumentException if there is no such parameter
   */
  public float[] gradient(String name) {
    requireTraining();
    Parameter p = network.layout().get(name);
    return Arrays.copyOfRange(gradients, p.offset(), p.offset() + p.size());
  }

  /**
   * Copies the gradient of the inputs of the last {@link #backward}.
   *
   * @param dx gradient [steps, B, I]; zeros past a row's end. Modified.
   * @throws IllegalArgumentException if the length does not fit or the network takes class ids
   */
  public void inputGradient(float[] dx) {
    requireTraining();
    if (spec.input() != NetworkSpec.Input.FEATURES) {
      throw new IllegalArgumentException("class ids have no gradient");
    }
    int size = spec.inputSize();
    checkLength("input gradient", dx.length, (long) steps * batch * size);
    Rows.copy(steps * batch, size, firstInputGradient, 0, inputs[0].stride(), dx, 0, size);
  }

  /**
   * Copies the gradient of the initial state of the last {@link #backward}.
   *
   * @param dh0 gradient of h0 [layers * directions, B, H]. Modified.
   * @param dc0 gradient of c0, for LSTM layers only. Modified.
   * @throws IllegalArgumentException if a length does not fit
   */
  public void stateGradient(float[] dh0, float[] dc0) {
    requireTraining();
    checkLength("gradient of h0", dh0.length, (long) batch * spec.hiddenStateSize());
    checkLength("gradient of c0", dc0.length, (long) batch * spec.cellStateSize());
    int ho = 0;
    int co = 0;
    for (UnrolledLayer[] directions : layers) {
      for (UnrolledLayer layer : directions) {
        LayerSpec l = layer.weights.layer;
        int r = layer.weights.paddedOutput;
        Rows.copy(batch, l.outputSize(), layer.dh, 0, r, dh0, ho, l.outputSize());
        ho += batch * l.outputSize();
        if (l.cell().hasCellState()) {
          int p = layer.weights.paddedHidden;
          Rows.copy(batch, l.hidden(), layer.dc, 0, p, dc0, co, l.hidden());
          co += batch * l.hidden();
        }
      }
    }
  }

  /** The head's outputs [steps * batch, headStride]; the loss puts their gradients there. */
  float[] headOutput() {
    return headOutput;
  }

  int headStride() {
    return headStride;
  }

  float[] gradients() {
    return gradients;
  }

  Kernels kernels() {
    return kernels;
  }

  Network network() {
    return network;
  }

  private void checkSteps(int count) {
    if (count < 1 || count > time) {
      throw new IllegalArgumentException(
          "number of steps must be from 1 to " + time + ", not " + count);
    }
  }

  private static void checkLength(String what, int actual, long expected) {
    if (actual != expected) {
      throw new IllegalArgumentException(
          what + " must have " + expected + " elements, not " + actual);
    }
  }
}
