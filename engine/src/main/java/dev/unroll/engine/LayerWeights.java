package dev.unroll.engine;

import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The weights of one direction of one layer as the kernels want them. States are padded, and gates
 * too but for some steps: gate g of unit j stands in row g * gateStride + j.
 */
final class LayerWeights {
  /** Names of the parameters that only some options have. */
  static final String PEEPHOLE = "weight_peephole";

  static final String NORM_GAIN_IH = "weight_ln_ih";
  static final String NORM_GAIN_HH = "weight_ln_hh";
  static final String NORM_GAIN_C = "weight_ln_c";
  static final String NORM_BIAS_C = "bias_ln_c";

  static final String INITIAL_HIDDEN = "h0";
  static final String INITIAL_CELL = "c0";

  final LayerSpec layer;
  final int inputSize;
  final int hidden;
  final int paddedInput;
  final int paddedHidden;
  final int paddedOutput;

  /** From gate to gate: the padded hidden size, or less in a step. */
  final int gateStride;

  /** Rows of W_ih and W_hh, padded: gates x {@link #gateStride}. */
  final int gateRows;

  /** Floats for the pre-activations of one step: the rows, and what vectors read behind them. */
  final int gateFloats;

  final StepProducts products;

  /** W_ih, unless the input is one-hot; its bias is b_ih, plus b_hh where the cell adds them. */
  final @Nullable PackedMatrix inputHidden;

  /**
   * W_hh; its bias is b_hh where the cell does not add it to b_ih. Joined, it is [W_ih, W_hh] and
   * {@link #inputHidden} too.
   */
  final PackedMatrix hiddenHidden;

  private final boolean joined;

  /** W_hn of a GRU that resets before the product; {@link #hiddenHidden} then holds gates r, z. */
  final @Nullable PackedMatrix candidateHidden;

  final @Nullable PackedMatrix candidateTransposed;

  /** Rows of {@link #hiddenHidden}. */
  final int hiddenRows;

  /**
   * Peepholes [3, p], gains of the normalisations [4, p], [4, p], [1, p], bias [1, p], or empty.
   */
  final float[] peepholes;

  final float[] normGainIh;
  final float[] normGainHh;
  final float[] normGainC;
  final float[] normBiasC;

  /** The state that sequences begin with [paddedOutput], [paddedHidden]: zero unless learned. */
  final float[] initialHidden;

  final float[] initialCell;

  /** Whether the state after a step is not the cell's own. */
  final boolean zoneout;

  /** Sum of the biases where the input product has none of its own (layer normalisation). */
  final float[] bias;

  /** W_hr of a projection. */
  final @Nullable PackedMatrix projection;

  /** For BPTT only. */
  final @Nullable PackedMatrix inputHiddenTransposed;

  final @Nullable PackedMatrix hiddenHiddenTransposed;
  final @Nullable PackedMatrix projectionTransposed;

  /** One-hot input: row v holds b + W_ih[:, v]. Empty otherwise. */
  final float[] table;

  /* Weight drop in training: mask, masked copy of W_hh, whether the packed weights are masked. */
  private final float dropProbability;
  private final float[] dropMask;
  private final float[] droppedWeights;
  private boolean dropping;

  private final AffineKernels affine;
  private final boolean oneHot;
  private final Parameter wih;
  private final Parameter whh;
  private final Optional<Parameter> whr;
  private final Optional<Parameter> bih;
  private final Optional<Parameter> bhh;
  /* The parameters that only some networks have, by their kind. */
  private final Map<String, Parameter> extras = new HashMap<>();

  /**
   * What the packed matrices are to suit.
   *
   * @param input use of W_ih
   * @param recurrent use of W_hh
   * @param joined whether to put W_ih and W_hh side by side, for cells that add both products: a
   *     step then takes one loop over [x, h]
   * @param dense whether to leave out the padding of gates, for single steps
   * @param transposed whether to pack W_ih transposed, too, for the gradient of the inputs
   */
  record Packing(
      PackedMatrix.Use input,
      PackedMatrix.Use recurrent,
      boolean joined,
      boolean dense,
      boolean transposed) {

    /*
     * For steps inside a sequence. Where some kernels pad gates that others do not, they stay padded,
     * so that a workspace has one size.
     */
    static Packing steps(LayerSpec layer) {
      PackedMatrix.Use step = PackedMatrix.Use.STEP;
      return new Packing(step, step, true, layer.hidden() > 2 * Kernels.LANES, false);
    }

    static PackedMatrix.Use suited(long inputs) {
      return inputs < 2 ? PackedMatrix.Use.STEP : PackedMatrix.Use.BATCH;
    }
  }

  LayerWeights(
      Kernels kernels,
      NetworkSpec spec,
      ParameterLayout layout,
      int index,
      int direction,
      boolean training,
      Packing packing,
      Memory memory) {
    affine = kernels.affine();
    PackedMatrix.Use use = packing.recurrent();
    for (String kind :
        List.of(
            PEEPHOLE,
            NORM_GAIN_IH,
            NORM_GAIN_HH,
            NORM_GAIN_C,
            NORM_BIAS_C,
            INITIAL_HIDDEN,
            INITIAL_CELL)) {
      Optional<Parameter> p = layout.find(ParameterLayout.name(spec, kind, index, direction));
      if (p.isPresent()) {
        extras.put(kind, p.get());
      }
    }
    layer = spec.layers().get(index);
    inputSize = spec.layerInputSize(index);
    paddedInput = Kernels.pad(inputSize);
    hidden = layer.hidden();
    paddedHidden = Kernels.pad(hidden);
    paddedOutput = Kernels.pad(layer.outputSize());
    int gates = layer.cell().gates();
    boolean dense = packing.dense() && layer.options().isStandard();
    gateStride = dense ? stepStride(kernels) : paddedHidden;
    gateRows = Kernels.pad(Memory.product(gates, gateStride, "gates"));
    gateFloats = Math.max(gateRows, Kernels.pad((gates - 1) * gateStride + paddedHidden));
    oneHot = spec.isOneHot(index);
    wih = layout.get(ParameterLayout.name(spec, "weight_ih", index, direction));
    whh = layout.get(ParameterLayout.name(spec, "weight_hh", index, direction));
    whr = layout.find(ParameterLayout.name(spec, "weight_hr", index, direction));
    bih = layout.find(ParameterLayout.name(spec, "bias_ih", index, direction));
    bhh = layout.find(ParameterLayout.name(spec, "bias_hh", index, direction));

    table = oneHot ? memory.floats(inputSize, gateRows) : new float[0];
    bias = memory.floats(1, gateRows);
    CellOptions options = layer.options();
    hiddenRows = options.resetBefore() ? 2 * paddedHidden : gateRows;
    joined = packing.joined() && !oneHot && !options.layerNorm() && layer.cell() != CellKind.GRU;
    int before = joined ? inputSize : 0;
    hiddenHidden = memory.matrix(affine, hiddenRows, before + layer.outputSize(), use);
    if (joined) {
      inputHidden = hiddenHidden;
    } else {
      inputHidden = oneHot ? null : memory.matrix(affine, gateRows, inputSize, packing.input());
    }
    boolean split = options.resetBefore();
    candidateHidden = split ? memory.matrix(affine, paddedHidden, hidden, use) : null;
    candidateTransposed =
        split && training ? memory.matrix(affine, paddedHidden, paddedHidden, use) : null;
    peepholes = memory.floats(options.peepholes() ? 3 : 0, paddedHidden);
    zoneout = Zoneout.isUsed(spec.regularization());
    initialHidden = memory.floats(1, paddedOutput);
    initialCell = memory.floats(1, paddedHidden);
    dropProbability = training ? spec.regularization().weightDrop() : 0f;
    boolean drops = dropProbability > 0;
    dropMask = memory.floats(drops ? 1 : 0, drops ? whh.size() : 0);
    droppedWeights = memory.floats(drops ? 1 : 0, drops ? whh.size() : 0);
    normGainIh = memory.floats(options.layerNorm() ? 4 : 0, paddedHidden);
    normGainHh = memory.floats(options.layerNorm() ? 4 : 0, paddedHidden);
    normGainC = memory.floats(options.layerNorm() ? 1 : 0, paddedHidden);
    normBiasC = memory.floats(options.layerNorm() ? 1 : 0, paddedHidden);
    boolean projected = layer.projection() > 0;
    projection = projected ? memory.matrix(affine, paddedOutput, hidden, use) : null;
    inputHiddenTransposed =
        packing.transposed() ? memory.matrix(affine, paddedInput, gateRows, packing.input()) : null;
    hiddenHiddenTransposed = training ? memory.matrix(affine, paddedOutput, hiddenRows, use) : null;
    projectionTransposed =
        training && projected ? memory.matrix(affine, paddedHidden, paddedOutput, use) : null;
    products = new StepProducts(affine, this);
  }

  private int stepStride(Kernels kernels) {
    int columns = inputSize + layer.outputSize();
    return switch (layer.cell()) {
      case LSTM -> kernels.lstm().stepStride(hidden, columns);
      case GRU -> kernels.gru().stepStride(hidden, columns);
      default -> paddedHidden;
    };
  }

  /**
   * Whether the recurrent product has a bias of its own (GRU), instead of one sum of both biases.
   */
  boolean separateBias() {
    return layer.cell() == CellKind.GRU && !layer.options().resetBefore();
  }

  /** Draws a mask of W_hh, and packs again; without a generator packs the whole weights. */
  void dropWeights(@Nullable Rng rng, float[] parameters) {
    if (dropMask.length == 0 || (rng == null && !dropping)) {
      return;
    }
    dropping = rng != null;
    if (rng != null) {
      Regularization.draw(rng, dropProbability, dropMask.length, dropMask, 0);
      for (int i = 0; i < dropMask.length; i++) {
        droppedWeights[i] = parameters[whh.offset() + i] * dropMask[i];
      }
    }
    packRecurrent(parameters);
  }

  private void packRecurrent(float[] parameters) {
    float[] from = dropping ? droppedWeights : parameters;
    int offset = dropping ? 0 : whh.offset();
    int column = joined ? inputSize : 0;
    int gates = layer.cell().gates();
    if (candidateHidden != null) {
      gates--;
      packRows(candidateHidden, candidateTransposed, whh, from, offset, gates, 1, 0, 0);
    }
    packGates(hiddenHidden, hiddenHiddenTransposed, whh, from, offset, gates, column);
  }

  /** Adds the gradient of the initial state, summed over the batch, where it is learned. */
  void addInitialGradients(int batch, float[] dh, float[] dc, float[] gradients) {
    addInitial(INITIAL_HIDDEN, batch, dh, paddedOutput, gradients);
    addInitial(INITIAL_CELL, batch, dc, paddedHidden, gradients);
  }

  private void addInitial(String kind, int batch, float[] d, int stride, float[] gradients) {
    Parameter p = extras.get(kind);
    if (p == null) {
      return;
    }
    for (int row = 0; row < batch; row++) {
      for (int j = 0; j < p.rows(); j++) {
        gradients[p.offset() + j] += d[row * stride + j];
      }
    }
  }

  private void packInitial(String kind, float[] parameters, float[] to) {
    Parameter p = extras.get(kind);
    if (p != null) {
      System.arraycopy(parameters, p.offset(), to, 0, p.rows());
    }
  }

  /** Reads the parameters. */
  void pack(float[] parameters) {
    int gates = layer.cell().gates();
    for (int gate = 0; gate < gates; gate++) {
      int row = gate * gateStride;
      sumBiases(parameters, gate);
      if (oneHot) {
        packTable(parameters, gate, row);
      } else if (!layer.options().layerNorm()) {
        affine.packBias(Memory.require(inputHidden, "W_ih is packed"), row, hidden, bias, row);
      }
      if (separateBias() && bhh.isPresent()) {
        int from = bhh.get().offset() + gate * hidden;
        affine.packBias(hiddenHidden, row, hidden, parameters, from);
      }
    }
    if (inputHidden != null) {
      packGates(inputHidden, inputHiddenTransposed, wih, parameters, wih.offset(), gates, 0);
    }
    dropping = false;
    packRecurrent(parameters);
    packInitial(INITIAL_HIDDEN, parameters, initialHidden);
    packInitial(INITIAL_CELL, parameters, initialCell);
    packVector(PEEPHOLE, parameters, peepholes);
    packVector(NORM_GAIN_IH, parameters, normGainIh);
    packVector(NORM_GAIN_HH, parameters, normGainHh);
    packVector(NORM_GAIN_C, parameters, normGainC);
    packVector(NORM_BIAS_C, parameters, normBiasC);
    if (projection != null) {
      int from = whr.orElseThrow().offset();
      int r = layer.projection();
      affine.pack(projection, 0, 0, r, hidden, parameters, from, hidden);
      if (projectionTransposed != null) {
        affine.packTransposed(projectionTransposed, 0, 0, hidden, r, parameters, from, hidden);
      }
    }
  }

  private void packVector(String kind, float[] parameters, float[] to) {
    Parameter p = extras.get(kind);
    if (p == null) {
      return;
    }
    int from = p.offset();
    for (int block = 0; block < to.length / paddedHidden; block++) {
      System.arraycopy(parameters, from + block * hidden, to, block * paddedHidden, hidden);
    }
  }

  /** Adds a padded gradient [blocks, paddedHidden] of an optional vector, and clears it. */
  void addVectorGradient(String kind, int blocks, float[] padded, float[] gradients) {
    Parameter p = Memory.require(extras.get(kind), kind);
    addRows(p, blocks, hidden, padded, 1, gradients);
    Arrays.fill(padded, 0f);
  }

  private void sumBiases(float[] parameters, int gate) {
    if (bih.isEmpty() || bhh.isEmpty()) {
      return;
    }
    int row = gate * gateStride;
    int from = gate * hidden;
    for (int j = 0; j < hidden; j++) {
      float own = parameters[bih.get().offset() + from + j];
      float other = separateBias() ? 0f : parameters[bhh.get().offset() + from + j];
      bias[row + j] = own + other;
    }
  }

  /* At once where the gates stand as densely as in the parameters, as threads share large blocks. */
  private void packGates(
      PackedMatrix to,
      @Nullable PackedMatrix transposed,
      Parameter weight,
      float[] parameters,
      int offset,
      int gates,
      int column) {
    int count = gateStride == hidden ? gates : 1;
    for (int gate = 0; gate < gates; gate += count) {
      int row = gate * gateStride;
      packRows(to, transposed, weight, parameters, offset, gate, count, row, column);
    }
  }

  private void packRows(
      PackedMatrix to,
      @Nullable PackedMatrix transposed,
      Parameter weight,
      float[] parameters,
      int offset,
      int gate,
      int gates,
      int row,
      int column) {
    int columns = weight.columns();
    int rows = gates * hidden;
    int from = offset + gate * hidden * columns;
    affine.pack(to, row, column, rows, columns, parameters, from, columns);
    if (transposed != null) {
      affine.packTransposed(transposed, 0, row, columns, rows, parameters, from, columns);
    }
  }

  private void packTable(float[] parameters, int gate, int row) {
    int from = wih.offset() + gate * hidden * inputSize;
    boolean biased = !layer.options().layerNorm();
    for (int v = 0; v < inputSize; v++) {
      for (int j = 0; j < hidden; j++) {
        table[v * gateRows + row + j] =
            (biased ? bias[row + j] : 0f) + parameters[from + j * inputSize + v];
      }
    }
  }

  /** Whether {@link #hiddenHidden} is [W_ih, W_hh]. */
  boolean isJoined() {
    return joined;
  }

  /** A matrix that only training packs. */
  PackedMatrix forTraining(@Nullable PackedMatrix matrix) {
    return Memory.require(matrix, "made for training");
  }

  boolean isOneHot() {
    return oneHot;
  }

  /**
   * Where in the flat gradients that of W_ih (or of W_hh) stands with the very rows and stride of a
   * padded one, or -1 where it does not and {@link #addWeightGradient} must add it.
   */
  int gradientOffset(boolean recurrent, int stride) {
    Parameter weight = recurrent ? whh : wih;
    boolean dense = hidden == paddedHidden && weight.columns() == stride;
    boolean masked = recurrent && dropProbability > 0;
    return dense && !masked ? weight.offset() : -1;
  }

  /** Adds a padded gradient [gateRows, stride] of W_ih (or of W_hh) to the flat gradients. */
  void addWeightGradient(boolean recurrent, float[] padded, int stride, float[] gradients) {
    Parameter weight = recurrent ? whh : wih;
    if (recurrent && dropping) {
      maskRows(padded, stride);
    }
    addRows(weight, layer.cell().gates(), hidden, padded, stride, gradients);
  }

  private void maskRows(float[] padded, int stride) {
    int columns = whh.columns();
    for (int row = 0; row < whh.rows(); row++) {
      int at = (row / hidden * paddedHidden + row % hidden) * stride;
      for (int k = 0; k < columns; k++) {
        padded[at + k] *= dropMask[row * columns + k];
      }
    }
  }

  /** Adds a gradient [inputSize, gateRows] of the one-hot table to that of W_ih. */
  void addTableGradient(float[] padded, float[] gradients) {
    for (int gate = 0; gate < layer.cell().gates(); gate++) {
      for (int j = 0; j < hidden; j++) {
        int to = wih.offset() + (gate * hidden + j) * inputSize;
        for (int v = 0; v < inputSize; v++) {
          gradients[to + v] += padded[v * gateRows + gate * paddedHidden + j];
        }
      }
    }
  }

  /** Adds a padded gradient [paddedOutput, paddedHidden] of W_hr. */
  void addProjectionGradient(float[] padded, float[] gradients) {
    addRows(whr.orElseThrow(), 1, layer.projection(), padded, paddedHidden, gradients);
  }

  /** Adds padded gradients of b_ih and b_hh; the same array for both where the cell adds them. */
  void addBiasGradients(float[] ofInput, float[] ofHidden, float[] gradients) {
    if (bih.isPresent() && bhh.isPresent()) {
      addRows(bih.get(), layer.cell().gates(), hidden, ofInput, 1, gradients);
      addRows(bhh.get(), layer.cell().gates(), hidden, ofHidden, 1, gradients);
    }
  }

  private static void addRows(
      Parameter p, int blocks, int rows, float[] padded, int stride, float[] gradients) {
    int columns = p.columns();
    for (int block = 0; block < blocks; block++) {
      for (int j = 0; j < rows; j++) {
        int from = (block * Kernels.pad(rows) + j) * stride;
        int to = p.offset() + (block * rows + j) * columns;
        for (int k = 0; k < columns; k++) {
          gradients[to + k] += padded[from + k];
        }
      }
    }
  }
}
