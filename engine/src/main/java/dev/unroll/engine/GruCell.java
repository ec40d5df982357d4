package dev.unroll.engine;

import dev.unroll.fallback.GruKernels;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.StepAtOnce;
import org.jspecify.annotations.Nullable;

/** GRU with the reset gate after the product; see {@link dev.unroll.fallback.GruKernels}. */
final class GruCell implements Cell {
  private final Kernels kernels;
  private final GruKernels pointwise;
  private final LayerWeights weights;
  private final State state;
  private final float[] inputGates;
  private final float[] recurrentGates;

  /* Gradient of a masked h_{t-1}. */
  private final float[] product;

  /*
   * With larger weights a step begins with the matrix that the one before ended with, some of which
   * is still in the cache.
   */
  private final boolean alternates;
  private boolean inputsFirst = true;

  private final @Nullable StepAtOnce atOnce;

  GruCell(Kernels kernels, LayerWeights weights, State state, int time, Memory memory) {
    this.kernels = kernels;
    this.weights = weights;
    this.state = state;
    LayerSpec layer = weights.layer;
    long rows = (long) time * state.batch;
    pointwise =
        layer.options().isStandard()
            ? kernels.gru()
            : new GeneralGru(layer, state.paddedHidden, rows, memory);
    inputGates = memory.floats(rows, weights.gateFloats);
    product = memory.floats(state.isLocked() ? state.batch : 0, state.paddedHidden);
    recurrentGates = memory.floats(rows, weights.gateFloats);
    PackedMatrix w = weights.inputHidden;
    alternates = w != null && w.bytes() + weights.hiddenHidden.bytes() > Kernels.CACHED;
    atOnce =
        w == null
            ? null
            : pointwise
                .atOnce(
                    alternates,
                    weights.gateStride,
                    w,
                    inputGates,
                    weights.hiddenHidden,
                    state.h,
                    state.hidden(0),
                    recurrentGates)
                .orElse(null);
  }

  @Override
  public float[] inputGates() {
    return inputGates;
  }

  @Override
  public float[] recurrentGates() {
    return recurrentGates;
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
    PackedMatrix w = weights.products.inputWeights();
    boolean first = inputsFirst;
    if (alternates) {
      inputsFirst = !first;
    }
    if (first) {
      kernels.affine().affine(w, x, xo, inputGates, 0);
    }
    multiply(0, 0, 0, 1);
    if (!first) {
      kernels.affine().affine(w, x, xo, inputGates, 0);
    }
    update(0, 0, 0, 0, 1);
  }

  @Override
  public void callKernels(float[] x, int xo) {
    if (atOnce != null) {
      Cell.callKernels(atOnce, x, xo);
      return;
    }
    boolean idle = x.length == 0;
    float[] h = idle ? NOTHING : state.h;
    float[] z = idle ? NOTHING : inputGates;
    float[] zh = idle ? NOTHING : recurrentGates;
    int ho = state.hidden(0);
    weights.products.callKernels(x, xo, h, ho, z);
    if (weights.layer.options().isStandard()) {
      int stride = idle ? 0 : weights.gateStride;
      pointwise.forward(1, weights.hidden, stride, z, 0, zh, 0, h, ho, h, ho);
    }
  }

  @Override
  public void forward(int t, int previous, int next, int first, int n) {
    multiply(t, previous, first, n);
    update(t, previous, next, first, n);
  }

  /* ĥ = W_hh h_{t-1} + b_hh */
  private void multiply(int t, int previous, int first, int n) {
    int p = state.paddedHidden;
    int rows = weights.gateRows;
    int g = (t * state.batch + first) * rows;
    int hPrev = state.hidden(previous) + first * p;
    kernels
        .affine()
        .affineBatch(weights.hiddenHidden, n, state.recurrent, hPrev, p, recurrentGates, g, rows);
  }

  private void update(int t, int previous, int next, int first, int n) {
    int p = state.paddedHidden;
    int g = (t * state.batch + first) * weights.gateRows;
    int units = weights.hidden;
    int stride = weights.gateStride;
    int hPrev = state.hidden(previous) + first * p;
    int hNext = state.hidden(next) + first * p;
    pointwise.forward(
        n, units, stride, inputGates, g, recurrentGates, g, state.h, hPrev, state.h, hNext);
  }

  @Override
  public void observe(int t, int next, GradientFlow flow, int layer, int direction) {
    int p = state.paddedHidden;
    int rows = state.batch;
    int at = t * rows * 3 * p;
    flow.countGates(layer, direction, 3, rows, weights.hidden, inputGates, at, p);
  }

  @Override
  public void backward(int t, int previous, int next, float[] dh, float[] dc, int first, int n) {
    int p = state.paddedHidden;
    int g = (t * state.batch + first) * 3 * p;
    int own = first * p;
    int hPrev = state.hidden(previous) + own;
    pointwise.backward(
        n, weights.hidden, p, inputGates, g, recurrentGates, g, state.h, hPrev, dh, own);
    PackedMatrix back = weights.forTraining(weights.hiddenHiddenTransposed);
    if (state.isLocked()) {
      int size = n * p;
      kernels.affine().affineBatch(back, n, recurrentGates, g, 3 * p, product, own, p);
      kernels.elements().multiplyAccumulate(size, product, own, state.mask, own, dh, own);
      return;
    }
    kernels.affine().affineBatchAccumulate(back, n, recurrentGates, g, 3 * p, dh, own, p);
  }
}
