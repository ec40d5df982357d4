package dev.unroll.tests;

import dev.unroll.engine.Activation;
import dev.unroll.engine.CellOptions;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import java.util.Arrays;
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
    double[][] below = x;
    boolean sum = spec.topology().sumDirections();
    int unit = 0;
    for (int l = 0; l < spec.layers().size(); l++) {
      LayerSpec layer = spec.layers().get(l);
      int size = layer.outputSize();
      double[][] output = new double[x.length][size * (sum ? 1 : spec.directions())];
      for (int d = 0; d < spec.directions(); d++) {
        String suffix = "_l" + l + (d == 1 ? "_reverse" : "");
        for (int s = 0; s < x.length; s++) {
          int t = d == 1 ? x.length - 1 - s : s;
          double[] before = h[unit];
          double[] cellBefore = c[unit].clone();
          h[unit] = step(layer, suffix, layerInput[t], before, c[unit]);
          mix(spec.regularization().zoneoutHidden(), before, h[unit]);
          mix(spec.regularization().zoneoutCell(), cellBefore, c[unit]);
          for (int j = 0; j < size; j++) {
            output[t][(sum ? 0 : d * size) + j] += h[unit][j];
          }
        }
        unit++;
      }
      layerInput = new double[x.length][];
      for (int t = 0; t < x.length; t++) {
        for (int j = 0; j < output[t].length && l > 0 && spec.topology().residual(); j++) {
          output[t][j] += below[t][j];
        }
        layerInput[t] = output[t];
        if (spec.topology().inputSkip()) {
          layerInput[t] = Arrays.copyOf(output[t], output[t].length + x[t].length);
          System.arraycopy(x[t], 0, layerInput[t], output[t].length, x[t].length);
        }
      }
      below = output;
    }
    layerInput = below;
    if (spec.outputSize() > 0) {
      double[][] y = new double[x.length][];
      for (int t = 0; t < x.length; t++) {
        y[t] = affine("linear.weight", "linear.bias", layerInput[t], spec.outputSize());
      }
      return y;
    }
    return layerInput;
  }

  /* Zoneout at inference. */
  private static void mix(double keep, double[] before, double[] after) {
    for (int j = 0; j < after.length; j++) {
      after[j] = keep * before[j] + (1 - keep) * after[j];
    }
  }

  /** The learned initial state of each layer and direction, or null. */
  double[] initial(String kind, int unit) {
    int layer = unit / spec.directions();
    String suffix = unit % spec.directions() == 1 ? "_reverse" : "";
    return parameters.get(prefix + kind + "_l" + layer + suffix);
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

  private static double value(Activation a, double x) {
    double alpha = a.alpha();
    double beta = a.beta();
    return switch (a.kind()) {
      case SIGMOID -> sigmoid(x);
      case TANH -> Math.tanh(x);
      case RELU -> Math.max(0, x);
      case LEAKY_RELU -> x >= 0 ? x : alpha * x;
      case THRESHOLDED_RELU -> x >= alpha ? x : 0;
      case ELU -> x >= 0 ? x : alpha * Math.expm1(x);
      case HARD_SIGMOID -> Math.min(1, Math.max(0, alpha * x + beta));
      case SOFTSIGN -> x / (1 + Math.abs(x));
      case SOFTPLUS -> Math.log1p(Math.exp(x));
      case SCALED_TANH -> alpha * Math.tanh(beta * x);
      case AFFINE -> alpha * x + beta;
    };
  }

  private static double[] normalise(double[] x, double[] gain, double[] bias) {
    double mean = 0;
    for (double v : x) {
      mean += v / x.length;
    }
    double variance = 0;
    for (double v : x) {
      variance += (v - mean) * (v - mean) / x.length;
    }
    double[] y = new double[x.length];
    for (int i = 0; i < y.length; i++) {
      y[i] = gain[i] * (x[i] - mean) / Math.sqrt(variance + 1e-5) + (bias == null ? 0 : bias[i]);
    }
    return y;
  }

  private double[] unusualStep(LayerSpec layer, String suffix, double[] x, double[] h, double[] c) {
    CellOptions o = layer.options();
    int n = layer.hidden();
    int rows = layer.cell().gates() * n;
    boolean norm = o.layerNorm();
    String bi = norm ? "" : prefix + "bias_ih" + suffix;
    String bh = norm ? "" : prefix + "bias_hh" + suffix;
    double[] zx = affine(prefix + "weight_ih" + suffix, bi, x, rows);
    double[] zh = affine(prefix + "weight_hh" + suffix, bh, h, rows);
    if (norm) {
      zx = normalise(zx, parameters.get(prefix + "weight_ln_ih" + suffix), null);
      zh = normalise(zh, parameters.get(prefix + "weight_ln_hh" + suffix), null);
      for (int j = 0; j < rows && layer.bias(); j++) {
        zx[j] += parameters.get(prefix + "bias_ih" + suffix)[j];
        zh[j] += parameters.get(prefix + "bias_hh" + suffix)[j];
      }
    }
    double[] next = new double[n];
    Activation f = o.activation(layer.cell(), 0);
    switch (layer.cell()) {
      case RNN_TANH, RNN_RELU -> {
        for (int j = 0; j < n; j++) {
          next[j] = value(f, clip(o, zx[j] + zh[j]));
        }
      }
      case GRU -> {
        double[] reset = new double[n];
        for (int j = 0; j < n; j++) {
          reset[j] = value(f, clip(o, zx[j] + zh[j])) * h[j];
        }
        double[] late = affine(prefix + "weight_hh" + suffix, bh, reset, rows);
        for (int j = 0; j < n; j++) {
          double z = value(f, clip(o, zx[n + j] + zh[n + j]));
          double r = value(f, clip(o, zx[j] + zh[j]));
          double recurrent = o.resetBefore() ? late[2 * n + j] : r * zh[2 * n + j];
          double g = value(o.activation(layer.cell(), 1), clip(o, zx[2 * n + j] + recurrent));
          next[j] = (1 - z) * g + z * h[j];
        }
      }
      case LSTM -> {
        double[] p = parameters.get(prefix + "weight_peephole" + suffix);
        double[] out = new double[n];
        for (int j = 0; j < n; j++) {
          double i = value(f, clip(o, zx[j] + zh[j] + (p == null ? 0 : p[j] * c[j])));
          double forget =
              value(f, clip(o, zx[n + j] + zh[n + j] + (p == null ? 0 : p[n + j] * c[j])));
          double g = value(o.activation(layer.cell(), 1), clip(o, zx[2 * n + j] + zh[2 * n + j]));
          c[j] = (o.coupledGate() ? 1 - i : forget) * c[j] + i * g;
          double peep = p == null ? 0 : p[2 * n + j] * c[j];
          out[j] = value(f, clip(o, zx[3 * n + j] + zh[3 * n + j] + peep));
        }
        double[] state = c;
        if (norm) {
          double[] gain = parameters.get(prefix + "weight_ln_c" + suffix);
          state = normalise(c, gain, parameters.get(prefix + "bias_ln_c" + suffix));
        }
        for (int j = 0; j < n; j++) {
          next[j] = out[j] * value(o.activation(layer.cell(), 2), state[j]);
        }
      }
    }
    return next;
  }

  private static double clip(CellOptions o, double z) {
    return o.clip() == 0 ? z : Math.min(o.clip(), Math.max(-o.clip(), z));
  }

  private double[] step(LayerSpec layer, String suffix, double[] x, double[] h, double[] c) {
    int n = layer.hidden();
    int rows = layer.cell().gates() * n;
    double[] zx = affine(prefix + "weight_ih" + suffix, prefix + "bias_ih" + suffix, x, rows);
    double[] zh = affine(prefix + "weight_hh" + suffix, prefix + "bias_hh" + suffix, h, rows);
    double[] next = new double[n];
    if (!layer.options().equals(CellOptions.STANDARD)) {
      next = unusualStep(layer, suffix, x, h, c);
      return layer.projection() > 0
          ? affine(prefix + "weight_hr" + suffix, "", next, layer.projection())
          : next;
    }
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
