package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.LstmKernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.StepAtOnce;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * LSTM, see {@link dev.unroll.fallback.LstmKernels}; with a projection h_t = W_hr (o # tanh(c_t))
 * (Sak et al. 2014).
 */
final class LstmCell implements Cell {
  private final Kernels kernels;
  private final LstmKernels pointwise;
  private final @Nullable GeneralLstm general;
  private final LayerWeights weights;
  private final State state;
  private final float[] gates;
  private final float[] tanhC;

  /* Layer normalisation only: the norms, W_hh h and the gradients of z; else the gates themselves. */
  private final @Nullable LayerNorm inputNorm;
  private final @Nullable LayerNorm recurrentNorm;
  private final float[] recurrentGates;
  private final float[] biasGates;
  private final float[] noBias;
  private final @Nullable PackedMatrix projection;

  /* Projection only: o # tanh(c) of all steps, gradients of all h_t, gradient of one step's o # tanh(c). */
  private final float[] unprojected;
  private final float[] projectedGradients;
  private final float[] unprojectedGradient;
  private final float[] projectionGradient;

  private final @Nullable StepAtOnce atOnce;

  LstmCell(
      Kernels kernels,
      LayerWeights weights,
      State state,
      int time,
      boolean training,
      Memory memory) {
    this.kernels = kernels;
    this.weights = weights;
    this.state = state;
    projection = weights.projection;
    int p = state.paddedHidden;
    int r = state.paddedOutput;
    long n = (long) time * state.batch;
    gates = memory.floats(n, weights.gateFloats);
    CellOptions options = weights.layer.options();
    general = options.isStandard() ? null : new GeneralLstm(weights, n, memory);
    pointwise = general == null ? kernels.lstm() : general;
    boolean normed = options.layerNorm();
    int h = weights.hidden;
    inputNorm = normed ? new LayerNorm(4, h, p, n, memory) : null;
    recurrentNorm = normed ? new LayerNorm(4, h, p, n, memory) : null;
    recurrentGates = normed ? memory.floats(n, weights.gateRows) : gates;
    noBias = memory.floats(normed ? 1 : 0, weights.gateRows);
    biasGates = normed ? memory.floats(n, weights.gateRows) : gates;
    tanhC = memory.floats(n, p);
    boolean projected = projection != null;
    boolean both = projected && training;
    unprojected = memory.floats(projected ? n : 0, p);
    projectedGradients = memory.floats(both ? n : 0, r);
    unprojectedGradient = memory.floats(both ? state.batch : 0, p);
    projectionGradient = memory.floats(both ? r : 0, p);
    atOnce =
        normed || projected || !weights.isJoined()
            ? null
            : pointwise
                .atOnce(
                    weights.gateStride,
                    weights.hiddenHidden,
                    h,
                    gates,
                    state.c,
                    0,
                    tanhC,
                    state.h,
                    state.hidden(0))
                .orElse(null);
  }

  @Override
  public float[] inputGates() {
    return gates;
  }

  @Override
  public float[] recurrentGates() {
    return recurrentGates;
  }

  @Override
  public float[] biasGates() {
    return biasGates;
  }

  @Override
  public @Nullable StepAtOnce atOnce() {
    return atOnce;
  }

  @Override
  public void step(float[] x, int xo) {
    if (atOnce != null) {
      atOnce.step(x, xo, NOTHING);
    } else if (inputNorm != null) {
      kernels.affine().affine(weights.products.inputWeights(), x, xo, gates, 0);
      forward(0, 0, 0, 0, 1);
    } else {
      weights.products.step(x, xo, state, gates);
      update(0, 0, 0, 0, 1);
    }
  }

  @Override
  public void callKernels(float[] x, int xo) {
    if (atOnce != null) {
      Cell.callKernels(atOnce, x, xo);
      return;
    }
    boolean idle = x.length == 0;
    float[] c = idle ? NOTHING : state.c;
    float[] h = idle ? NOTHING : state.h;
    float[] z = idle ? NOTHING : gates;
    float[] tc = idle ? NOTHING : tanhC;
    int hidden = weights.hidden;
    int ho = state.hidden(0);
    weights.products.callKernels(x, xo, h, ho, z);
    float[] out = idle || projection == null ? h : unprojected;
    int oo = out == h ? ho : 0;
    if (general == null) {
      int stride = idle ? 0 : weights.gateStride;
      pointwise.forward(1, hidden, stride, z, 0, c, 0, c, 0, tc, 0, out, oo);
    }
    if (projection != null) {
      kernels.affine().affineBatch(projection, 1, out, 0, 0, h, ho, 0);
    }
  }

  @Override
  public boolean hasIndependentRows() {
    return general == null;
  }

  @Override
  public void forward(int t, int previous, int next, int first, int n) {
    int r = state.paddedOutput;
    int rows = weights.gateRows;
    int h = state.hidden(previous) + first * r;
    int z = (t * state.batch + first) * rows;
    if (inputNorm != null && recurrentNorm != null) {
      kernels
          .affine()
          .affineBatch(weights.hiddenHidden, n, state.recurrent, h, r, recurrentGates, z, rows);
      normalise(inputNorm, recurrentNorm, t * state.batch + first, n, rows);
      update(t, previous, next, first, n);
      return;
    }
    kernels
        .affine()
        .affineBatchAccumulate(weights.hiddenHidden, n, state.recurrent, h, r, gates, z, rows);
    update(t, previous, next, first, n);
  }

  /* z = LN(W_ih x) + LN(W_hh h) + b */
  private void normalise(LayerNorm ofInput, LayerNorm ofHidden, int first, int n, int rows) {
    for (int i = first; i < first + n; i++) {
      int z = i * rows;
      ofInput.forward(i, gates, z, weights.normGainIh, weights.bias, gates, z);
      ofHidden.forward(i, recurrentGates, z, weights.normGainHh, noBias, recurrentGates, z);
      kernels.elements().add(rows, gates, z, recurrentGates, z, gates, z);
    }
  }

  private void update(int t, int previous, int next, int first, int n) {
    int p = state.paddedHidden;
    int r = state.paddedOutput;
    int row = t * state.batch + first;
    int z = row * weights.gateRows;
    int units = weights.hidden;
    int stride = weights.gateStride;
    int s = row * p;
    int cPrev = state.cell(previous) + first * p;
    int cNext = state.cell(next) + first * p;
    int hNext = state.hidden(next) + first * r;
    if (projection == null) {
      pointwise.forward(
          n, units, stride, gates, z, state.c, cPrev, state.c, cNext, tanhC, s, state.h, hNext);
      return;
    }
    pointwise.forward(
        n, units, stride, gates, z, state.c, cPrev, state.c, cNext, tanhC, s, unprojected, s);
    kernels.affine().affineBatch(projection, n, unprojected, s, p, state.h, hNext, r);
  }

  @Override
  public double cellGradientNorm(int t, float[] dh, float[] dc) {
    int p = state.paddedHidden;
    double sum = 0;
    for (int row = 0; row < state.batch; row++) {
      for (int j = 0; j < p; j++) {
        int at = row * p + j;
        int s = t * state.batch * p + at;
        int o = (t * state.batch + row) * 4 * p + 3 * p + j;
        double fromHidden =
            projection != null
                ? 0
                : (double) dh[at] * gates[o] * (1 - (double) tanhC[s] * tanhC[s]);
        double d = dc[at] + fromHidden;
        sum += d * d;
      }
    }
    return Math.sqrt(sum);
  }

  @Override
  public void observe(int t, int next, GradientFlow flow, int layer, int direction) {
    int p = state.paddedHidden;
    int rows = state.batch;
    int at = t * rows * 4 * p;
    flow.countGates(layer, direction, 4, rows, weights.hidden, gates, at, p);
  }

  @Override
  public void backward(int t, int previous, int next, float[] dh, float[] dc, int first, int n) {
    int p = state.paddedHidden;
    int r = state.paddedOutput;
    int row = t * state.batch + first;
    int z = row * 4 * p;
    int s = row * p;
    int own = first * p;
    float[] d = dh;
    if (projection != null) {
      System.arraycopy(dh, first * r, projectedGradients, row * r, n * r);
      PackedMatrix back = weights.forTraining(weights.projectionTransposed);
      kernels.affine().affineBatch(back, n, dh, first * r, r, unprojectedGradient, own, p);
      d = unprojectedGradient;
    }
    int c = state.cell(previous) + own;
    pointwise.backward(n, weights.hidden, p, gates, z, state.c, c, tanhC, s, d, own, dc, own);
    if (inputNorm != null && recurrentNorm != null) {
      int rows = weights.gateRows;
      System.arraycopy(gates, z, biasGates, z, n * rows);
      for (int i = row; i < row + n; i++) {
        int at = i * rows;
        recurrentNorm.backward(i, biasGates, at, weights.normGainHh, recurrentGates, at);
        inputNorm.backward(i, biasGates, at, weights.normGainIh, gates, at);
      }
    }
    kernels
        .affine()
        .affineBatch(
            weights.forTraining(weights.hiddenHiddenTransposed),
            n,
            recurrentGates,
            z,
            4 * p,
            dh,
            first * r,
            r);
    state.maskGradient(dh, kernels, first, n);
  }

  @Override
  public void addGradients(int rows, float[] gradients) {
    if (general != null) {
      general.addGradients(gradients);
    }
    if (inputNorm != null && recurrentNorm != null) {
      weights.addVectorGradient(LayerWeights.NORM_GAIN_IH, 4, inputNorm.gainGradient, gradients);
      weights.addVectorGradient(
          LayerWeights.NORM_GAIN_HH, 4, recurrentNorm.gainGradient, gradients);
    }
    if (projection == null) {
      return;
    }
    int p = state.paddedHidden;
    int r = state.paddedOutput;
    Arrays.fill(projectionGradient, 0f);
    kernels
        .affine()
        .outerAccumulate(
            rows,
            projectedGradients,
            0,
            r,
            r,
            unprojected,
            0,
            p,
            weights.hidden,
            projectionGradient,
            0,
            p);
    weights.addProjectionGradient(projectionGradient, gradients);
  }
}
