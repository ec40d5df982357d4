package dev.unroll.engine;

import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.StepInput;
import org.jspecify.annotations.Nullable;

/** The products of a stream's step; like all classes of a step without strings. */
final class StepProducts {
  private final AffineKernels affine;
  private final LayerWeights weights;

  StepProducts(AffineKernels affine, LayerWeights weights) {
    this.affine = affine;
    this.weights = weights;
  }

  /** b + W_ih x + W_hh h, in this order; joined, x is put before h. */
  void step(float[] x, int xo, State state, float[] gates) {
    float[] h = state.h;
    if (!weights.isJoined()) {
      affine.affine(inputWeights(), x, xo, gates, 0);
      int ho = state.hidden(0);
      int rows = weights.gateRows;
      affine.affineBatchAccumulate(
          weights.hiddenHidden, 1, h, ho, weights.paddedOutput, gates, 0, rows);
      return;
    }
    StepInput.copy(weights.inputSize, x, xo, h, 0);
    affine.affine(weights.hiddenHidden, h, 0, gates, 0);
  }

  /** See {@link Cell#callKernels}. */
  void callKernels(float[] x, int xo, float[] h, int ho, float[] gates) {
    if (weights.isJoined()) {
      affine.affine(weights.hiddenHidden, h, 0, gates, 0);
      return;
    }
    if (weights.inputHidden != null) {
      affine.affine(weights.inputHidden, x, xo, gates, 0);
    }
    affine.affineBatchAccumulate(weights.hiddenHidden, 1, h, ho, 0, gates, 0, 0);
  }

  /** W_ih; packed unless the input is one-hot. */
  PackedMatrix inputWeights() {
    return present(weights.inputHidden);
  }

  /** W_hn of a GRU that resets before the product. */
  PackedMatrix candidateWeights() {
    return present(weights.candidateHidden);
  }

  private static PackedMatrix present(@Nullable PackedMatrix matrix) {
    if (matrix == null) {
      throw new IllegalStateException();
    }
    return matrix;
  }
}
