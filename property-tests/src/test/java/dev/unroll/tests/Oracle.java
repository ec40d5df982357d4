package dev.unroll.tests;

import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The same networks in double precision, written from the equations for one sequence at a time,
 * without padding, packing or anything else of the engine.
 */
final class Oracle {
  private final NetworkSpec spec;
  final Map<String, double[]> parameters = new LinkedHashMap<>();
  private final String prefix;

  Oracle(Network network) {
    spec = network.spec();
    String found = "";
    for (Parameter p : network.parameters()) {
      float[] values = network.get(p.name());
      double[] exact = new double[values.length];
      for (int i = 0; i < values.length; i++) {
        exact[i] = values[i];
      }
      parameters.put(p.name(), exact);
      if (p.name().endsWith("weight_ih_l0")) {
        found = p.name().substring(0, p.name().length() - "weight_ih_l0".length());
      }
    }
    prefix = found;
  }

  /** Outputs [T][O] for inputs [T][I]; state in h [L*D][H] and c is replaced by the final one. */
  double[][] run(double[][] x, double[][] h, double[][] c) {
    double[][] layerInput = x;
    int unit = 0;
    for (int l = 0; l < spec.layers().size(); l++) {
      LayerSpec layer = spec.layers().get(l);
      int size = layer.outputSize();
      double[][] output = new double[x.length][size * spec.directions()];
      for (int d = 0; d < spec.directions(); d++) {
        String suffix = "_l" + l + (d == 1 ? "_reverse" : "");
        for (int s = 0; s < x.length; s++) {
          int t = d == 1 ? x.length - 1 - s : s;
          h[unit] = step(layer, suffix, layerInput[t], h[unit], c[unit]);
          System.arraycopy(h[unit], 0, output[t], d * size, size);
        }
        unit++;
      }
      layerInput = output;
    }
    if (spec.outputSize() > 0) {
      double[][] y = new double[x.length][];
      for (int t = 0; t < x.length; t++) {
        y[t] = affine("linear.weight", "linear.bias", layerInput[t], spec.outputSize());
      }
      return y;
    }
    return layerInput;
  }

  private double[] affine(String weight, String bias, double[] x, int rows) {
    double[] w = parameters.get(weight);
    double[] b = parameters.get(bias);
    double[] z = new double[rows];
    for (int r = 0; r < rows; r++) {
      z[r] = b == null ? 0 : b[r];
      for (int k = 0; k < x.length; k++) {
        z[r] += w[r * x.length + k] * x[k];
      }
    }
    return z;
  }

  private double[] step(LayerSpec layer, String suffix, double[] x, double[] h, double[] c) {
    int n = layer.hidden();
    int rows = layer.cell().gates() * n;
    double[] zx = affine(prefix + "weight_ih" + suffix, prefix + "bias_ih" + suffix, x, rows);
    double[] zh = affine(prefix + "weight_hh" + suffix, prefix + "bias_hh" + suffix, h, rows);
    double[] next = new double[n];
    for (int j = 0; j < n; j++) {
      switch (layer.cell()) {
        case RNN_TANH -> next[j] = Math.tanh(zx[j] + zh[j]);
        case RNN_RELU -> next[j] = Math.max(0, zx[j] + zh[j]);
        case GRU -> {
          double r = sigmoid(zx[j] + zh[j]);
          double z = sigmoid(zx[n + j] + zh[n + j]);
          double candidate = Math.tanh(zx[2 * n + j] + r * zh[2 * n + j]);
          next[j] = (1 - z) * candidate + z * h[j];
        }
        case LSTM -> {
          double i = sigmoid(zx[j] + zh[j]);
          double f = sigmoid(zx[n + j] + zh[n + j]);
          double g = Math.tanh(zx[2 * n + j] + zh[2 * n + j]);
          double o = sigmoid(zx[3 * n + j] + zh[3 * n + j]);
          c[j] = f * c[j] + i * g;
          next[j] = o * Math.tanh(c[j]);
        }
      }
    }
    if (layer.projection() > 0) {
      return affine(prefix + "weight_hr" + suffix, "", next, layer.projection());
    }
    return next;
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }
}
