package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.ScalarMath;
import dev.unroll.fallback.StepAtOnce;
import org.jspecify.annotations.Nullable;

/** Elman's cell: h_t = act(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh). */
final class RnnCell implements Cell {
  private final Kernels kernels;
  private final LayerWeights weights;
  private final State state;
  private final boolean relu;
  private final float[] gates;

  /* h before zoneout, for BPTT; empty without it. */
  private final float[] raw;
  private final CellOptions options;
  private final boolean standard;
  private final Activation activation;

  /* Clipped pre-activations, where the options are not the usual ones. */
  private final float[] clipped;

  private final @Nullable StepAtOnce atOnce;

  RnnCell(Kernels kernels, LayerWeights weights, State state, int time, Memory memory) {
    this.kernels = kernels;
    this.weights = weights;
    this.state = state;
    relu = weights.layer.cell() == CellKind.RNN_RELU;
    gates = memory.floats((long) time * state.batch, weights.gateRows);
    raw = memory.floats(weights.zoneout ? (long) time * state.batch : 0, weights.gateRows);
    options = weights.layer.options();
    standard = options.isStandard();
    activation = options.activation(weights.layer.cell(), 0);
    long rows = standard ? 0 : (long) time * state.batch;
    clipped = memory.floats(rows, weights.gateRows);
    atOnce =
        weights.isJoined() && standard && raw.length == 0
            ? kernels
                .rnn()
                .atOnce(relu, weights.hiddenHidden, weights.hidden, gates, state.h, state.hidden(0))
                .orElse(null)
            : null;
  }

  @Override
  public float[] inputGates() {
    return gates;
  }

  @Override
  public float[] recurrentGates() {
    return gates;
  }

  @Override
  public @Nullable StepAtOnce atOnce() {
    return atOnce;
  }

  @Override
  public void step(float[] x, int xo) {
    if (atOnce != null) {
      atOnce.step(x, xo, NOTHING);
      return;
    }
    weights.products.step(x, xo, state, gates);
    activate(weights.hidden, 0, state.hidden(0));
  }

  @Override
  public void callKernels(float[] x, int xo) {
    if (atOnce != null) {
      Cell.callKernels(atOnce, x, xo);
      return;
    }
    boolean idle = x.length == 0;
    float[] h = idle ? NOTHING : state.h;
    float[] z = idle ? NOTHING : gates;
    int hidden = weights.hidden;
    int ho = state.hidden(0);
    weights.products.callKernels(x, xo, h, ho, z);
    int n = idle ? 0 : hidden;
    if (relu) {
      kernels.rnn().forwardRelu(n, z, 0, h, ho);
    } else {
      kernels.rnn().forwardTanh(n, z, 0, h, ho);
    }
  }

  @Override
  public void forward(int t, int previous, int next, int first, int n) {
    int p = state.paddedHidden;
    int z = (t * state.batch + first) * p;
    int hPrev = state.hidden(previous) + first * p;
    kernels
        .affine()
        .affineBatchAccumulate(weights.hiddenHidden, n, state.recurrent, hPrev, p, gates, z, p);
    activate(n * p, z, state.hidden(next) + first * p);
  }

  private void activate(int n, int z, int h) {
    if (!standard) {
      for (int j = 0; j < n; j++) {
        boolean padding = j % state.paddedHidden >= weights.hidden;
        clipped[z + j] = ActivationMath.clip(options.clip(), gates[z + j]);
        state.h[h + j] =
            padding ? 0f : ScalarMath.flush(ActivationMath.value(activation, clipped[z + j]));
      }
    } else if (relu) {
      kernels.rnn().forwardRelu(n, gates, z, state.h, h);
    } else {
      kernels.rnn().forwardTanh(n, gates, z, state.h, h);
    }
    if (raw.length > 0) {
      System.arraycopy(state.h, h, raw, z, n);
    }
  }

  @Override
  public void observe(int t, int next, GradientFlow flow, int layer, int direction) {
    int h = weights.hidden;
    int at = state.hidden(next);
    flow.countSaturated(layer, direction, relu, state.batch, h, state.h, at, state.paddedOutput);
  }

  @Override
  public void backward(int t, int previous, int next, float[] dh, float[] dc, int first, int n) {
    int p = state.paddedHidden;
    int own = first * p;
    int z = t * state.batch * p + own;
    float[] hs = raw.length > 0 ? raw : state.h;
    int h = raw.length > 0 ? z : state.hidden(next) + own;
    if (!standard) {
      for (int j = 0; j < n * p; j++) {
        float slope = ActivationMath.derivative(activation, clipped[z + j], hs[h + j]);
        gates[z + j] =
            ScalarMath.flush(
                dh[own + j] * slope * ActivationMath.clipSlope(options.clip(), clipped[z + j]));
      }
    } else if (relu) {
      kernels.rnn().backwardRelu(n * p, hs, h, dh, own, gates, z);
    } else {
      kernels.rnn().backwardTanh(n * p, hs, h, dh, own, gates, z);
    }
    kernels
        .affine()
        .affineBatch(
            weights.forTraining(weights.hiddenHiddenTransposed), n, gates, z, p, dh, own, p);
    state.maskGradient(dh, kernels, first, n);
  }
}
