package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where each parameter of a network stands in its flat array. Every tensor begins at a multiple of
 * 16 and the gaps stay zero, so an optimizer or a norm runs over the whole array at once.
 */
final class ParameterLayout {
  private final Map<String, Parameter> byName = new LinkedHashMap<>();
  private int size;

  ParameterLayout(NetworkSpec spec) {
    if (spec.input() == NetworkSpec.Input.EMBEDDING) {
      add("embedding.weight", spec.inputSize(), spec.embeddingSize());
    }
    for (int layer = 0; layer < spec.layers().size(); layer++) {
      for (int direction = 0; direction < spec.directions(); direction++) {
        addLayer(spec, layer, direction);
      }
    }
    if (spec.outputSize() > 0) {
      add("linear.weight", spec.outputSize(), spec.recurrentOutputSize());
      add("linear.bias", spec.outputSize());
    }
  }

  private void addLayer(NetworkSpec spec, int layer, int direction) {
    LayerSpec l = spec.layers().get(layer);
    int rows = Math.multiplyExact(l.cell().gates(), l.hidden());
    add(name(spec, "weight_ih", layer, direction), rows, spec.layerInputSize(layer));
    add(name(spec, "weight_hh", layer, direction), rows, l.outputSize());
    if (l.bias()) {
      add(name(spec, "bias_ih", layer, direction), rows);
      add(name(spec, "bias_hh", layer, direction), rows);
    }
    if (l.projection() > 0) {
      add(name(spec, "weight_hr", layer, direction), l.projection(), l.hidden());
    }
    if (spec.topology().learnedState()) {
      add(name(spec, LayerWeights.INITIAL_HIDDEN, layer, direction), l.outputSize());
      if (l.cell().hasCellState()) {
        add(name(spec, LayerWeights.INITIAL_CELL, layer, direction), l.hidden());
      }
    }
    if (l.options().peepholes()) {
      add(name(spec, LayerWeights.PEEPHOLE, layer, direction), 3 * l.hidden());
    }
    if (l.options().layerNorm()) {
      add(name(spec, LayerWeights.NORM_GAIN_IH, layer, direction), rows);
      add(name(spec, LayerWeights.NORM_GAIN_HH, layer, direction), rows);
      add(name(spec, LayerWeights.NORM_GAIN_C, layer, direction), l.hidden());
      add(name(spec, LayerWeights.NORM_BIAS_C, layer, direction), l.hidden());
    }
  }

  /** PyTorch's name of a recurrent parameter. */
  static String name(NetworkSpec spec, String kind, int layer, int direction) {
    return spec.recurrentPrefix() + kind + "_l" + layer + (direction == 1 ? "_reverse" : "");
  }

  private void add(String name, Integer... shape) {
    Parameter parameter = new Parameter(name, List.of(shape), size);
    byName.put(name, parameter);
    size = Math.addExact(size, Kernels.pad(parameter.size()));
  }

  /** Length of the flat array. */
  int size() {
    return size;
  }

  Collection<Parameter> parameters() {
    return Collections.unmodifiableCollection(byName.values());
  }

  Optional<Parameter> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  Parameter get(String name) {
    Parameter p = byName.get(name);
    if (p == null) {
      throw new IllegalArgumentException(
          "no parameter '" + name + "'; there are " + byName.keySet());
    }
    return p;
  }

  Parameter embedding() {
    return get("embedding.weight");
  }

  Parameter headWeight() {
    return get("linear.weight");
  }

  Parameter headBias() {
    return get("linear.bias");
  }
}
