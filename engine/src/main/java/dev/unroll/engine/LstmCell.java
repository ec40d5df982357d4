package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * LSTM, see {@link dev.unroll.fallback.LstmKernels}; with a projection h_t = W_hr (o # tanh(c_t))
 * (Sak et al. 2014).
 */
final class LstmCell implements Cell {
  private final Kernels kernels;
  private final LayerWeights weights;
  private final State state;
  private final float[] gates;
  private final float[] tanhC;
  private final @Nullable PackedMatrix projection;

  /* Projection only: o # tanh(c) of all steps, gradients of all h_t, gradient of one step's o # tanh(c). */
  private final float[] unprojected;
  private final float[] projectedGradients;
  private final float[] unprojectedGradient;
  private final float[] projectionGradient;

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
    gates = memory.floats(n, weights.gateRows);
    tanhC = memory.floats(n, p);
    boolean projected = projection != null;
    boolean both = projected && training;
    unprojected = memory.floats(projected ? n : 0, p);
    projectedGradients = memory.floats(both ? n : 0, r);
    unprojectedGradient = memory.floats(both ? state.batch : 0, p);
    projectionGradient = memory.floats(both ? r : 0, p);
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
    update(0, 0, 0);
  }

  @Override
  public void forward(int t, int previous, int next) {
    int n = state.batch;
    int r = state.paddedOutput;
    int rows = weights.gateRows;
    int h = state.hidden(previous);
    kernels
        .affine()
        .affineBatchAccumulate(weights.hiddenHidden, n, state.h, h, r, gates, t * n * rows, rows);
    update(t, previous, next);
  }

  private void update(int t, int previous, int next) {
    int n = state.batch;
    int p = state.paddedHidden;
    int r = state.paddedOutput;
    int z = t * n * 4 * p;
    int s = t * n * p;
    int cPrev = state.cell(previous);
    int cNext = state.cell(next);
    int hNext = state.hidden(next);
    if (projection == null) {
      kernels
          .lstm()
          .forward(n, p, gates, z, state.c, cPrev, state.c, cNext, tanhC, s, state.h, hNext);
      return;
    }
    kernels
        .lstm()
        .forward(n, p, gates, z, state.c, cPrev, state.c, cNext, tanhC, s, unprojected, s);
    kernels.affine().affineBatch(projection, n, unprojected, s, p, state.h, hNext, r);
  }

  @Override
  public void backward(int t, int previous, int next, float[] dh, float[] dc) {
    int n = state.batch;
    int p = state.paddedHidden;
    int r = state.paddedOutput;
    int z = t * n * 4 * p;
    int s = t * n * p;
    float[] d = dh;
    if (projection != null) {
      System.arraycopy(dh, 0, projectedGradients, t * n * r, n * r);
      PackedMatrix back = Memory.require(weights.projectionTransposed, "made for training");
      kernels.affine().affineBatch(back, n, dh, 0, r, unprojectedGradient, 0, p);
      d = unprojectedGradient;
    }
    kernels.lstm().backward(n, p, gates, z, state.c, state.cell(previous), tanhC, s, d, 0, dc, 0);
    kernels
        .affine()
        .affineBatch(
            Memory.require(weights.hiddenHiddenTransposed, "made for training"),
            n,
            gates,
            z,
            4 * p,
            dh,
            0,
            r);
  }

  @Override
  public void addGradients(int rows, float[] gradients) {
    if (projection == null) {
      return;
    }
    int p = state.paddedHidden;
    int r = state.paddedOutput;
    Arrays.fill(projectionGradient, 0f);
    kernels
        .affine()
        .outerAccumulate(
            rows, projectedGradients, 0, r, r, unprojected, 0, p, p, projectionGradient, 0, p);
    weights.addProjectionGradient(projectionGradient, gradients);
  }
}
