package dev.unroll.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Infers the architecture of a bare PyTorch state dict of one recurrent module. */
final class StateDict {
  private static final Pattern PARAMETER =
      Pattern.compile("(weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_l\\d+(_reverse)?");
  private static final Pattern CASE_TENSOR =
      Pattern.compile("input|h0|c0|lengths|output|h_n|c_n|grad_output|grad_h_n|grad_c_n|grad\\..*");

  private StateDict() {}

  /**
   * Whether a tensor belongs to a test case around a module: its inputs, outputs and gradients.
   * Such a file serves as a model too.
   */
  static boolean isCaseTensor(String name) {
    return CASE_TENSOR.matcher(name).matches();
  }

  static boolean isParameter(String name) {
    return PARAMETER.matcher(name).matches();
  }

  static NetworkSpec infer(Safetensors file, boolean relu) throws InvalidFileException {
    Map<String, Safetensors.Entry> entries = file.entries();
    if (!entries.containsKey("weight_ih_l0")) {
      throw new InvalidFileException(
          file.path() + " holds no network: neither Unroll's metadata nor a tensor weight_ih_l0");
    }
    boolean reluByName = "RNN_RELU".equals(file.metadata().get("kind"));
    boolean both = entries.containsKey("weight_ih_l0_reverse");
    Topology topology = new Topology(both, false, false, false, false);
    List<LayerSpec> layers = new ArrayList<>();
    while (entries.containsKey("weight_ih_l" + layers.size())) {
      layers.add(layer(file, layers.size(), relu || reluByName));
    }
    long inputSize = matrix(file, "weight_ih_l0").shape().get(1);
    if (inputSize > Integer.MAX_VALUE) {
      throw new InvalidFileException(file.path() + ": weight_ih_l0 is too large");
    }
    try {
      return new NetworkSpec(
          NetworkSpec.Input.FEATURES, (int) inputSize, 0, layers, topology, Regularization.NONE, 0);
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(file.path() + ": " + e.getMessage());
    }
  }

  private static LayerSpec layer(Safetensors file, int index, boolean relu)
      throws InvalidFileException {
    long rows = matrix(file, "weight_ih_l" + index).shape().get(0);
    long columns = matrix(file, "weight_hh_l" + index).shape().get(1);
    boolean projected = file.entries().containsKey("weight_hr_l" + index);
    long hidden = projected ? matrix(file, "weight_hr_l" + index).shape().get(1) : columns;
    boolean bias = file.entries().containsKey("bias_ih_l" + index);
    @Nullable CellKind cell = null;
    if (hidden > 0 && rows % hidden == 0) {
      cell = cell(rows / hidden, relu);
    }
    if (cell == null || hidden > Integer.MAX_VALUE) {
      throw new InvalidFileException(
          file.path()
              + ": layer "
              + index
              + " has "
              + rows
              + " rows in weight_ih for a hidden size of "
              + hidden
              + "; RNN has 1, GRU 3, LSTM 4 rows a unit");
    }
    try {
      return new LayerSpec(cell, (int) hidden, projected ? (int) columns : 0, bias);
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(file.path() + ": layer " + index + ": " + e.getMessage());
    }
  }

  private static @Nullable CellKind cell(long gates, boolean relu) {
    if (gates == 1) {
      return relu ? CellKind.RNN_RELU : CellKind.RNN_TANH;
    }
    return gates == 3 ? CellKind.GRU : gates == 4 ? CellKind.LSTM : null;
  }

  private static Safetensors.Entry matrix(Safetensors file, String name)
      throws InvalidFileException {
    Safetensors.Entry entry = file.entries().get(name);
    if (entry == null) {
      throw new InvalidFileException(file.path() + ": tensor '" + name + "' is missing");
    }
    if (entry.shape().size() != 2) {
      throw new InvalidFileException(
          file.path() + ": tensor '" + name + "' must be a matrix, its shape is " + entry.shape());
    }
    return entry;
  }
}
