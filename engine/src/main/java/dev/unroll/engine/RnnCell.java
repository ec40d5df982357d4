package dev.unroll.engine;

import dev.unroll.fallback.Kernels;

/** Elman's cell: h_t = act(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh). */
final class RnnCell implements Cell {
  private final Kernels kernels;
  private final LayerWeights weights;
  private final State state;
  private final boolean relu;
  private final float[] gates;

  RnnCell(Kernels kernels, LayerWeights weights, State state, int time, Memory memory) {
    this.kernels = kernels;
    this.weights = weights;
    this.state = state;
    relu = weights.layer.cell() == CellKind.RNN_RELU;
    gates = memory.floats((long) time * state.batch, weights.gateRows);
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
  public void step(float[] x) {
    weights.step(x, state.h, gates);
    activate(state.paddedHidden, 0, 0);
  }

  @Override
  public void forward(int t, int previous, int next) {
    int n = state.batch;
    int p = state.paddedHidden;
    int z = t * n * p;
    kernels
        .affine()
        .affineBatchAccumulate(
            weights.hiddenHidden, n, state.h, state.hidden(previous), p, gates, z, p);
    activate(n * p, z, state.hidden(next));
  }

  private void activate(int n, int z, int h) {
    if (relu) {
      kernels.rnn().forwardRelu(n, gates, z, state.h, h);
    } else {
      kernels.rnn().forwardTanh(n, gates, z, state.h, h);
    }
  }

  @Override
  public void backward(int t, int previous, int next, float[] dh, float[] dc) {
    int n = state.batch;
    int p = state.paddedHidden;
    int z = t * n * p;
    if (relu) {
      kernels.rnn().backwardRelu(n * p, state.h, state.hidden(next), dh, 0, gates, z);
    } else {
      kernels.rnn().backwardTanh(n * p, state.h, state.hidden(next), dh, 0, gates, z);
    }
    kernels
        .affine()
        .affineBatch(
            Memory.require(weights.hiddenHiddenTransposed, "made for training"),
            n,
            gates,
            z,
            p,
            dh,
            0,
            p);
  }
}
