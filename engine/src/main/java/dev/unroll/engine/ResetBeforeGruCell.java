package dev.unroll.engine;

import static dev.unroll.fallback.ScalarMath.flush;
import static dev.unroll.fallback.ScalarMath.fma;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;

/**
 * GRU with the reset gate before the product (Cho et al. 2014; ONNX linear_before_reset = 0):
 *
 * <pre>
 *   r = f(W_ir x + W_hr h + b_r)   z = f(W_iz x + W_hz h + b_z)   b = b_ih + b_hh
 *   n = g(W_in x + W_hn (r # h_{t-1}) + b_n)
 *   h_t = (1 - z) # n + z # h_{t-1}
 * </pre>
 */
final class ResetBeforeGruCell implements Cell {
  private final Kernels kernels;
  private final LayerWeights weights;
  private final State state;
  private final CellOptions options;
  private final Activation gate;
  private final Activation candidate;
  private final int hidden;
  private final float[] gates;
  private final float[] clipped;
  private final float[] resetHidden;
  private final float[] resetGradient;

  ResetBeforeGruCell(
      Kernels kernels,
      LayerWeights weights,
      State state,
      int time,
      boolean training,
      Memory memory) {
    this.kernels = kernels;
    this.weights = weights;
    this.state = state;
    LayerSpec layer = weights.layer;
    options = layer.options();
    gate = options.activation(layer.cell(), 0);
    candidate = options.activation(layer.cell(), 1);
    hidden = layer.hidden();
    long rows = (long) time * state.batch;
    gates = memory.floats(rows, weights.gateRows);
    clipped = memory.floats(rows, weights.gateRows);
    resetHidden = memory.floats(rows, state.paddedHidden);
    resetGradient = memory.floats(training ? state.batch : 0, state.paddedHidden);
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
  public float[] resetHidden() {
    return resetHidden;
  }

  @Override
  public void step(float[] x, int xo) {
    kernels.affine().affine(weights.products.inputWeights(), x, xo, gates, 0);
    forward(0, 0, 0, 0, 1);
  }

  @Override
  public void callKernels(float[] x, int xo) {
    boolean idle = x.length == 0;
    float[] h = idle ? NOTHING : state.h;
    float[] z = idle ? NOTHING : gates;
    int ho = state.hidden(0);
    weights.products.callKernels(x, xo, h, ho, z);
    kernels.affine().affine(weights.products.candidateWeights(), h, ho, z, 0);
  }

  private float activate(Activation f, int at) {
    clipped[at] = ActivationMath.clip(options.clip(), gates[at]);
    gates[at] = ActivationMath.value(f, clipped[at]);
    return gates[at];
  }

  private float slope(Activation f, int at) {
    return ActivationMath.derivative(f, options.clip(), clipped[at], gates[at]);
  }

  @Override
  public void forward(int t, int previous, int next, int first, int m) {
    int p = state.paddedHidden;
    int rows = weights.gateRows;
    int g = (t * state.batch + first) * rows;
    int s = (t * state.batch + first) * p;
    int before = state.hidden(previous) + first * p;
    int after = state.hidden(next) + first * p;
    kernels
        .affine()
        .affineBatchAccumulate(weights.hiddenHidden, m, state.recurrent, before, p, gates, g, rows);
    for (int row = 0; row < m; row++) {
      for (int j = 0; j < hidden; j++) {
        int at = g + row * rows + j;
        float r = activate(gate, at);
        activate(gate, at + p);
        resetHidden[s + row * p + j] = flush(r * state.recurrent[before + row * p + j]);
      }
    }
    kernels
        .affine()
        .affineBatchAccumulate(
            weights.products.candidateWeights(), m, resetHidden, s, p, gates, g + 2 * p, rows);
    for (int row = 0; row < m; row++) {
      for (int j = 0; j < hidden; j++) {
        int at = g + row * rows + j;
        int k = row * p + j;
        float n = activate(candidate, at + 2 * p);
        state.h[after + k] = flush(fma(gates[at + p], state.h[before + k] - n, n));
      }
    }
  }

  @Override
  public void observe(int t, int next, GradientFlow flow, int layer, int direction) {
    int p = state.paddedHidden;
    int rows = state.batch;
    int at = t * rows * 3 * p;
    flow.countGates(layer, direction, 3, rows, weights.layer.hidden(), gates, at, p);
  }

  @Override
  public void backward(int t, int previous, int next, float[] dh, float[] dc, int first, int m) {
    int p = state.paddedHidden;
    int rows = weights.gateRows;
    int g = (t * state.batch + first) * rows;
    int own = first * p;
    int before = state.hidden(previous) + own;
    for (int row = 0; row < m; row++) {
      for (int j = 0; j < hidden; j++) {
        int at = g + row * rows + j;
        int k = row * p + j;
        float z = gates[at + p];
        float n = gates[at + 2 * p];
        float d = dh[own + k];
        gates[at + 2 * p] = flush(d * (1f - z) * slope(candidate, at + 2 * p));
        gates[at + p] = flush(d * (state.h[before + k] - n) * slope(gate, at + p));
        dh[own + k] = flush(d * z);
      }
    }
    PackedMatrix ofCandidate = weights.forTraining(weights.candidateTransposed);
    kernels.affine().affineBatch(ofCandidate, m, gates, g + 2 * p, rows, resetGradient, own, p);
    for (int row = 0; row < m; row++) {
      for (int j = 0; j < hidden; j++) {
        int at = g + row * rows + j;
        int k = row * p + j;
        float r = gates[at];
        float d = resetGradient[own + k];
        gates[at] = flush(d * state.recurrent[before + k] * slope(gate, at));
        resetGradient[own + k] = flush(d * r);
      }
    }
    /* resetGradient becomes the gradient of the recurrent input, which may be masked. */
    PackedMatrix back = weights.forTraining(weights.hiddenHiddenTransposed);
    kernels.affine().affineBatchAccumulate(back, m, gates, g, rows, resetGradient, own, p);
    if (state.isLocked()) {
      kernels.elements().multiplyAccumulate(m * p, resetGradient, own, state.mask, own, dh, own);
    } else {
      kernels.elements().add(m * p, resetGradient, own, dh, own, dh, own);
    }
  }
}
