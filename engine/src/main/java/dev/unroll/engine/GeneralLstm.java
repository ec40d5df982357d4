package dev.unroll.engine;

import static dev.unroll.fallback.ScalarMath.flush;
import static dev.unroll.fallback.ScalarMath.fma;

import dev.unroll.fallback.LstmKernels;
import org.jspecify.annotations.Nullable;

/**
 * Pointwise part of the LSTM with any {@link CellOptions}, of which peepholes p, functions f, g, h:
 *
 * <pre>
 *   i = f(z_i + p_i # c_{t-1})   f = f(z_f + p_f # c_{t-1}), or 1 - i   g = g(z_g)
 *   c_t = f # c_{t-1} + i # g    o = f(z_o + p_o # c_t)
 *   h_t = o # h(c_t), or o # h(LN(c_t))
 * </pre>
 */
final class GeneralLstm implements LstmKernels {
  private final CellOptions options;
  private final Activation gate;
  private final Activation candidate;
  private final Activation output;
  private final LayerWeights weights;
  private final @Nullable LayerNorm norm;

  /* Clipped pre-activations [rows, 4p], arguments of h [rows, p], one row's gradient of them. */
  private final float[] clipped;
  private final float[] argument;
  private final float[] argumentGradient;
  private final float[] peepholeGradient;

  GeneralLstm(LayerWeights weights, long rows, Memory memory) {
    this.weights = weights;
    LayerSpec layer = weights.layer;
    options = layer.options();
    gate = options.activation(layer.cell(), 0);
    candidate = options.activation(layer.cell(), 1);
    output = options.activation(layer.cell(), 2);
    int p = weights.paddedHidden;
    clipped = memory.floats(rows, 4L * p);
    argument = memory.floats(rows, p);
    argumentGradient = memory.floats(1, p);
    peepholeGradient = memory.floats(options.peepholes() ? 3 : 0, p);
    norm = options.layerNorm() ? new LayerNorm(1, weights.hidden, p, rows, memory) : null;
  }

  private float peephole(int gate, int p, int j) {
    return options.peepholes() ? weights.peepholes[gate * p + j] : 0f;
  }

  private float activate(Activation f, float z, float[] gates, int at) {
    float x = ActivationMath.clip(options.clip(), z);
    clipped[at] = x;
    gates[at] = ActivationMath.value(f, x);
    return gates[at];
  }

  @Override
  public void forward(
      int n,
      int units,
      int p,
      float[] z,
      int zo,
      float[] cPrev,
      int cpo,
      float[] c,
      int co,
      float[] tanhC,
      int tco,
      float[] h,
      int ho) {
    for (int row = 0; row < n; row++) {
      int s = row * p;
      for (int j = 0; j < units; j++) {
        int at = zo + 4 * s + j;
        float before = cPrev[cpo + s + j];
        float i = activate(gate, fma(peephole(0, p, j), before, z[at]), z, at);
        float f = 1f - i;
        if (options.coupledGate()) {
          z[at + p] = f;
        } else {
          f = activate(gate, fma(peephole(1, p, j), before, z[at + p]), z, at + p);
        }
        float g = activate(candidate, z[at + 2 * p], z, at + 2 * p);
        c[co + s + j] = flush(fma(f, before, i * g));
      }
      if (norm == null) {
        System.arraycopy(c, co + s, argument, tco + s, units);
      } else {
        norm.forward(
            (tco + s) / p, c, co + s, weights.normGainC, weights.normBiasC, argument, tco + s);
      }
      for (int j = 0; j < units; j++) {
        int at = zo + 4 * s + 3 * p + j;
        float o = activate(gate, fma(peephole(2, p, j), c[co + s + j], z[at]), z, at);
        tanhC[tco + s + j] = ActivationMath.value(output, argument[tco + s + j]);
        h[ho + s + j] = flush(o * tanhC[tco + s + j]);
      }
    }
  }

  private float gradient(Activation f, float upstream, float[] gates, int at) {
    return flush(upstream * ActivationMath.derivative(f, options.clip(), clipped[at], gates[at]));
  }

  @Override
  public void backward(
      int n,
      int units,
      int p,
      float[] z,
      int zo,
      float[] cPrev,
      int cpo,
      float[] tanhC,
      int tco,
      float[] dh,
      int dho,
      float[] dc,
      int dco) {
    for (int row = 0; row < n; row++) {
      int s = row * p;
      for (int j = 0; j < units; j++) {
        int at = zo + 4 * s + 3 * p + j;
        int a = tco + s + j;
        float upstream = dh[dho + s + j];
        argumentGradient[j] =
            upstream * z[at] * ActivationMath.derivative(output, argument[a], tanhC[a]);
        z[at] = gradient(gate, upstream * tanhC[a], z, at);
      }
      if (norm != null) {
        norm.backward((tco + s) / p, argumentGradient, 0, weights.normGainC, argumentGradient, 0);
      }
      for (int j = 0; j < units; j++) {
        backwardUnit(p, j, zo + 4 * s + j, z, cPrev[cpo + s + j], dc, dco + s + j);
      }
    }
  }

  private void backwardUnit(int p, int j, int at, float[] z, float before, float[] dc, int dcAt) {
    float i = z[at];
    float f = z[at + p];
    float g = z[at + 2 * p];
    float dzo = z[at + 3 * p];
    /* dc = dc_t + d(argument of h) + dz_o # p_o */
    float d = fma(dzo, peephole(2, p, j), dc[dcAt] + argumentGradient[j]);
    float di = options.coupledGate() ? d * (g - before) : d * g;
    float dzi = gradient(gate, di, z, at);
    float dzf = options.coupledGate() ? 0f : gradient(gate, d * before, z, at + p);
    z[at] = dzi;
    z[at + p] = dzf;
    z[at + 2 * p] = gradient(candidate, d * i, z, at + 2 * p);
    dc[dcAt] = flush(fma(dzi, peephole(0, p, j), fma(dzf, peephole(1, p, j), d * f)));
    if (options.peepholes()) {
      peepholeGradient[j] = fma(dzi, before, peepholeGradient[j]);
      peepholeGradient[p + j] = fma(dzf, before, peepholeGradient[p + j]);
      float c = flush(fma(f, before, i * g));
      peepholeGradient[2 * p + j] = fma(dzo, c, peepholeGradient[2 * p + j]);
    }
  }

  /** Adds the gradients of peepholes and normalisation since the last call. */
  void addGradients(float[] gradients) {
    if (options.peepholes()) {
      weights.addVectorGradient(LayerWeights.PEEPHOLE, 3, peepholeGradient, gradients);
    }
    if (norm != null) {
      weights.addVectorGradient(LayerWeights.NORM_GAIN_C, 1, norm.gainGradient, gradients);
      weights.addVectorGradient(LayerWeights.NORM_BIAS_C, 1, norm.biasGradient, gradients);
    }
  }
}
