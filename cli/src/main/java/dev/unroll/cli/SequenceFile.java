package dev.unroll.cli;

import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Safetensors;
import dev.unroll.engine.Unrolled;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A safetensors file of input sequences: {@code input} [T, B, I] (or [T, B] class ids), optional
 * {@code h0}, {@code c0}, {@code lengths} and upstream gradients.
 */
final class SequenceFile implements AutoCloseable {
  private static final Set<String> OURS =
      Set.of("input", "h0", "c0", "lengths", "grad_output", "grad_h_n", "grad_c_n");
  private static final Set<String> RESULTS = Set.of("output", "h_n", "c_n");

  private final Safetensors file;
  private final NetworkSpec spec;
  private final boolean allowNonFinite;
  private final int time;
  private final int batch;

  SequenceFile(Path path, NetworkSpec spec, Set<String> parameters, boolean allowNonFinite)
      throws IOException {
    this.spec = spec;
    this.allowNonFinite = allowNonFinite;
    file = Safetensors.open(path);
    try {
      for (String name : file.entries().keySet()) {
        boolean result = RESULTS.contains(name) || name.startsWith("grad.");
        if (!OURS.contains(name) && !result && !parameters.contains(name)) {
          throw bad("unknown tensor '" + name + "'; known are " + OURS);
        }
      }
      List<Long> shape = shape("input");
      boolean classes = spec.input() != NetworkSpec.Input.FEATURES;
      if (shape.size() != (classes ? 2 : 3)) {
        throw bad(
            "input must have the shape " + (classes ? "[T, B]" : "[T, B, I]") + ", not " + shape);
      }
      if (!classes && shape.get(2) != spec.inputSize()) {
        throw bad(
            "input has " + shape.get(2) + " features a step, the model takes " + spec.inputSize());
      }
      time = size(shape.get(0), "steps");
      batch = size(shape.get(1), "sequences");
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private int size(long value, String what) {
    if (value < 1 || value > Integer.MAX_VALUE) {
      throw bad("input has " + value + " " + what + "; at least 1 is needed");
    }
    return (int) value;
  }

  private UsageException bad(String message) {
    return new UsageException(file.path() + ": " + message);
  }

  private List<Long> shape(String name) {
    Safetensors.Entry entry = file.entries().get(name);
    if (entry == null) {
      throw bad("tensor '" + name + "' is missing");
    }
    return entry.shape();
  }

  int time() {
    return time;
  }

  int batch() {
    return batch;
  }

  /** Steps of all sequences together. */
  int rows() {
    return Math.multiplyExact(time, batch);
  }

  /** Sets lengths and initial state, and runs forward. */
  void runForward(Unrolled network) throws IOException {
    if (file.entries().containsKey("lengths")) {
      checkShape("lengths", List.of(batch));
      network.setLengths(file.ints("lengths"));
    }
    boolean given = file.entries().containsKey("h0") || file.entries().containsKey("c0");
    if (given || !spec.topology().learnedState()) {
      network.setState(time, state("h0", hiddenShape()), state("c0", cellShape()));
    }
    if (spec.input() == NetworkSpec.Input.FEATURES) {
      network.forward(time, finite("input"));
    } else {
      network.forward(time, file.ints("input"));
    }
  }

  /** Reads the upstream gradients, zero where absent, and runs backward. */
  void runBackward(Unrolled network) throws IOException {
    List<Integer> output = List.of(time, batch, spec.networkOutputSize());
    network.backward(
        state("grad_output", output),
        state("grad_h_n", hiddenShape()),
        state("grad_c_n", cellShape()));
  }

  /** Shape of h0 and h_n, as in PyTorch. */
  List<Integer> hiddenShape() {
    return stateShape(spec, batch, false);
  }

  /** Shape of c0 and c_n, or an empty list without cell state. */
  List<Integer> cellShape() {
    return stateShape(spec, batch, true);
  }

  private static List<Integer> stateShape(NetworkSpec spec, int batch, boolean cell) {
    List<Integer> sizes = new ArrayList<>();
    for (LayerSpec layer : spec.layers()) {
      if (!cell) {
        sizes.add(layer.outputSize());
      } else if (layer.cell().hasCellState()) {
        sizes.add(layer.hidden());
      }
    }
    if (sizes.isEmpty()) {
      return List.of();
    }
    if (sizes.stream().distinct().count() > 1) {
      throw new UsageException(
          "the layers have different state sizes " + sizes + "; one tensor cannot hold them");
    }
    return List.of(sizes.size() * spec.directions(), batch, sizes.get(0));
  }

  private float[] state(String name, List<Integer> shape) throws IOException {
    if (shape.isEmpty()) {
      if (file.entries().containsKey(name)) {
        throw bad("'" + name + "' is given, but this network has no cell state");
      }
      return new float[0];
    }
    int size = Math.multiplyExact(Math.multiplyExact(shape.get(0), shape.get(1)), shape.get(2));
    if (!file.entries().containsKey(name)) {
      return new float[size];
    }
    checkShape(name, shape);
    return finite(name);
  }

  private void checkShape(String name, List<Integer> expected) {
    List<Long> wanted = expected.stream().map(Integer::longValue).toList();
    if (!shape(name).equals(wanted)) {
      throw bad("'" + name + "' must have the shape " + wanted + ", not " + shape(name));
    }
  }

  private float[] finite(String name) throws IOException {
    float[] values = file.floats(name);
    for (int i = 0; i < values.length && !allowNonFinite; i++) {
      if (!Float.isFinite(values[i])) {
        throw bad(
            "'"
                + name
                + "' holds "
                + values[i]
                + " at element "
                + i
                + "; --allow-non-finite accepts it");
      }
    }
    return values;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
