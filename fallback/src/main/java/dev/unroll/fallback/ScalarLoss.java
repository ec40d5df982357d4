package dev.unroll.fallback;

import static dev.unroll.fallback.FloatMath.SUM_BLOCK;
import static dev.unroll.fallback.ScalarMath.fma;

import java.util.Arrays;

/** Scalar twin of the losses. */
final class ScalarLoss implements LossKernels {

  @Override
  public double softmaxCrossEntropy(
      int n, int classes, float[] y, int yo, int ys, int[] target, int to, float scale) {
    double loss = 0;
    double logarithms = 0;
    double product = 1;
    for (int row = 0; row < n; row++) {
      if (row % FACTORS == 0) {
        logarithms += StrictMath.log(product);
        product = 1;
      }
      int o = yo + row * ys;
      int wanted = target[to + row];
      if (wanted < 0) {
        Arrays.fill(y, o, o + Kernels.pad(classes), 0f);
        continue;
      }
      float picked = y[o + wanted];
      float max = max(classes, y, o);
      float sum = expInPlace(classes, max, y, o);
      loss += (double) max - picked;
      product *= sum;
      float factor = scale / sum;
      for (int j = 0; j < Kernels.pad(classes); j++) {
        y[o + j] *= factor;
      }
      y[o + wanted] -= scale;
    }
    return loss + (logarithms + StrictMath.log(product));
  }

  private static float max(int n, float[] y, int o) {
    float max = Float.NEGATIVE_INFINITY;
    for (int j = 0; j < n; j++) {
      max = y[o + j] > max ? y[o + j] : max;
    }
    return max;
  }

  /* y = exp(y - max), and 0 from n on; returns the sum */
  private static float expInPlace(int n, float max, float[] y, int o) {
    Arrays.fill(y, o + n, o + Kernels.pad(n), 0f);
    float[] lanes = Scratch.zeros(Kernels.LANES);
    for (int j = 0; j < n; j += Kernels.LANES) {
      for (int l = 0; l < Math.min(Kernels.LANES, n - j); l++) {
        float e = ScalarMath.exp(y[o + j + l] - max);
        y[o + j + l] = e;
        lanes[l] += e;
      }
    }
    return FloatMath.reduce(lanes);
  }

  @Override
  public double squaredError(int n, float[] y, int yo, float[] t, int to, float scale) {
    double sum = 0;
    for (int block = 0; block < n; block += SUM_BLOCK) {
      sum += blockSquaredError(Math.min(SUM_BLOCK, n - block), y, yo + block, t, to + block, scale);
    }
    return sum;
  }

  private static float blockSquaredError(int n, float[] y, int yo, float[] t, int to, float scale) {
    float[] lanes = Scratch.zeros(Kernels.LANES);
    for (int j = 0; j < n; j += Kernels.LANES) {
      for (int l = 0; l < Kernels.LANES; l++) {
        float d = y[yo + j + l] - t[to + j + l];
        lanes[l] = fma(d, d, lanes[l]);
        y[yo + j + l] = scale * d;
      }
    }
    return FloatMath.reduce(lanes);
  }
}
