package dev.unroll.engine;

import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The weights of one direction of one layer as the kernels want them. Gates and states are padded:
 * gate g of unit j stands in row g * paddedHidden + j.
 */
final class LayerWeights {
  final LayerSpec layer;
  final int inputSize;
  final int paddedInput;
  final int paddedHidden;
  final int paddedOutput;

  /** Rows of W_ih and W_hh, padded: gates x padded hidden size. */
  final int gateRows;

  /** W_ih, unless the input is one-hot; its bias is b_ih, plus b_hh where the cell adds them. */
  final @Nullable PackedMatrix inputHidden;

  /** W_hh; its bias is b_hh where the cell does not add it to b_ih. */
  final PackedMatrix hiddenHidden;

  /** W_hr of a projection. */
  final @Nullable PackedMatrix projection;

  /** For BPTT only. */
  final @Nullable PackedMatrix inputHiddenTransposed;

  final @Nullable PackedMatrix hiddenHiddenTransposed;
  final @Nullable PackedMatrix projectionTransposed;

  /** One-hot input: row v holds b + W_ih[:, v]. Empty otherwise. */
  final float[] table;

  private final AffineKernels affine;
  private final boolean oneHot;
  private final Parameter wih;
  private final Parameter whh;
  private final Optional<Parameter> whr;
  private final Optional<Parameter> bih;
  private final Optional<Parameter> bhh;
  private final float[] bias;

  LayerWeights(
      Kernels kernels,
      NetworkSpec spec,
      ParameterLayout layout,
      int index,
      int direction,
      boolean training,
      PackedMatrix.Use use,
      Memory memory) {
    affine = kernels.affine();
    layer = spec.layers().get(index);
    inputSize = spec.layerInputSize(index);
    paddedInput = Kernels.pad(inputSize);
    paddedHidden = Kernels.pad(layer.hidden());
    paddedOutput = Kernels.pad(layer.outputSize());
    gateRows = Memory.product(layer.cell().gates(), paddedHidden, "gates");
    oneHot = index == 0 && spec.input() == NetworkSpec.Input.ONE_HOT;
    wih = layout.get(ParameterLayout.name(spec, "weight_ih", index, direction));
    whh = layout.get(ParameterLayout.name(spec, "weight_hh", index, direction));
    whr = layout.find(ParameterLayout.name(spec, "weight_hr", index, direction));
    bih = layout.find(ParameterLayout.name(spec, "bias_ih", index, direction));
    bhh = layout.find(ParameterLayout.name(spec, "bias_hh", index, direction));

    table = oneHot ? memory.floats(inputSize, gateRows) : new float[0];
    bias = memory.floats(1, gateRows);
    inputHidden = oneHot ? null : memory.matrix(affine, gateRows, inputSize, use);
    hiddenHidden = memory.matrix(affine, gateRows, layer.outputSize(), use);
    boolean projected = layer.projection() > 0;
    projection = projected ? memory.matrix(affine, paddedOutput, layer.hidden(), use) : null;
    inputHiddenTransposed =
        training && !oneHot ? memory.matrix(affine, paddedInput, gateRows, use) : null;
    hiddenHiddenTransposed = training ? memory.matrix(affine, paddedOutput, gateRows, use) : null;
    projectionTransposed =
        training && projected ? memory.matrix(affine, paddedHidden, paddedOutput, use) : null;
  }

  /**
   * Whether the recurrent product has a bias of its own (GRU), instead of one sum of both biases.
   */
  private boolean separateBias() {
    return layer.cell() == CellKind.GRU;
  }

  /** Reads the parameters. */
  void pack(float[] parameters) {
    int gates = layer.cell().gates();
    for (int gate = 0; gate < gates; gate++) {
      int row = gate * paddedHidden;
      sumBiases(parameters, gate);
      packBlock(hiddenHidden, hiddenHiddenTransposed, whh, parameters, gate, row);
      if (oneHot) {
        packTable(parameters, gate, row);
      } else {
        PackedMatrix matrix = Memory.require(inputHidden, "W_ih is packed");
        packBlock(matrix, inputHiddenTransposed, wih, parameters, gate, row);
        affine.packBias(matrix, row, layer.hidden(), bias, row);
      }
      if (separateBias() && bhh.isPresent()) {
        int from = bhh.get().offset() + gate * layer.hidden();
        affine.packBias(hiddenHidden, row, layer.hidden(), parameters, from);
      }
    }
    if (projection != null) {
      int from = whr.orElseThrow().offset();
      int h = layer.hidden();
      int r = layer.projection();
      affine.pack(projection, 0, 0, r, h, parameters, from, h);
      if (projectionTransposed != null) {
        affine.packTransposed(projectionTransposed, 0, 0, h, r, parameters, from, h);
      }
    }
  }

  private void sumBiases(float[] parameters, int gate) {
    if (bih.isEmpty() || bhh.isEmpty()) {
      return;
    }
    int row = gate * paddedHidden;
    int from = gate * layer.hidden();
    for (int j = 0; j < layer.hidden(); j++) {
      float own = parameters[bih.get().offset() + from + j];
      float other = separateBias() ? 0f : parameters[bhh.get().offset() + from + j];
      bias[row + j] = own + other;
    }
  }

  private void packBlock(
      PackedMatrix to,
      @Nullable PackedMatrix transposed,
      Parameter weight,
      float[] parameters,
      int gate,
      int row) {
    int h = layer.hidden();
    int columns = weight.columns();
    int from = weight.offset() + gate * h * columns;
    affine.pack(to, row, 0, h, columns, parameters, from, columns);
    if (transposed != null) {
      affine.packTransposed(transposed, 0, row, columns, h, parameters, from, columns);
    }
  }

  private void packTable(float[] parameters, int gate, int row) {
    int from = wih.offset() + gate * layer.hidden() * inputSize;
    for (int v = 0; v < inputSize; v++) {
      for (int j = 0; j < layer.hidden(); j++) {
        table[v * gateRows + row + j] = bias[row + j] + parameters[from + j * inputSize + v];
      }
    }
  }

  PackedMatrix inputWeights() {
    return Memory.require(inputHidden, "W_ih is packed unless the input is one-hot");
  }

  /** W_ih x + W_hh h + b of one step. */
  void step(float[] x, float[] h, float[] gates) {
    affine.affineStep(inputWeights(), x, 0, hiddenHidden, h, 0, gates, 0);
  }

  boolean isOneHot() {
    return oneHot;
  }

  /** Adds a padded gradient [gateRows, stride] of W_ih (or of W_hh) to the flat gradients. */
  void addWeightGradient(boolean recurrent, float[] padded, int stride, float[] gradients) {
    Parameter weight = recurrent ? whh : wih;
    addRows(weight, layer.cell().gates(), layer.hidden(), padded, stride, gradients);
  }

  /** Adds a gradient [inputSize, gateRows] of the one-hot table to that of W_ih. */
  void addTableGradient(float[] padded, float[] gradients) {
    for (int gate = 0; gate < layer.cell().gates(); gate++) {
      for (int j = 0; j < layer.hidden(); j++) {
        int to = wih.offset() + (gate * layer.hidden() + j) * inputSize;
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
      addRows(bih.get(), layer.cell().gates(), layer.hidden(), ofInput, 1, gradients);
      addRows(bhh.get(), layer.cell().gates(), layer.hidden(), ofHidden, 1, gradients);
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
