package dev.unroll.engine;

import static dev.unroll.fallback.ScalarMath.flush;
import static dev.unroll.fallback.ScalarMath.fma;

/**
 * Layer normalisation (Ba et al. 2016): y = gain # (x - mean) / sqrt(variance + 1e-5) + bias, over
 * blocks of units in padded rows. Mean and variance are summed in double, in ascending order.
 */
final class LayerNorm {
  private static final double EPSILON = 1e-5;

  private final int blocks;
  private final int units;
  private final int padded;
  private final float[] normalised;
  private final float[] scale;
  final float[] gainGradient;
  final float[] biasGradient;

  LayerNorm(int blocks, int units, int padded, long rows, Memory memory) {
    this.blocks = blocks;
    this.units = units;
    this.padded = padded;
    normalised = memory.floats(rows, (long) blocks * padded);
    scale = memory.floats(rows, 1);
    gainGradient = memory.floats(blocks, padded);
    biasGradient = memory.floats(blocks, padded);
  }

  private int first(int row) {
    return row * blocks * padded;
  }

  /** Normalises one row; x and y may be the same. */
  void forward(int row, float[] x, int xo, float[] gain, float[] bias, float[] y, int yo) {
    int count = blocks * units;
    double sum = 0;
    for (int b = 0; b < blocks; b++) {
      for (int j = 0; j < units; j++) {
        sum += x[xo + b * padded + j];
      }
    }
    double mean = sum / count;
    double squares = 0;
    for (int b = 0; b < blocks; b++) {
      for (int j = 0; j < units; j++) {
        double d = x[xo + b * padded + j] - mean;
        squares += d * d;
      }
    }
    scale[row] = (float) (1 / Math.sqrt(squares / count + EPSILON));
    for (int b = 0; b < blocks; b++) {
      for (int j = 0; j < units; j++) {
        int k = b * padded + j;
        float v = (float) (x[xo + k] - mean) * scale[row];
        normalised[first(row) + k] = v;
        y[yo + k] = fma(gain[k], v, bias[k]);
      }
    }
  }

  /**
   * dx = scale (dv - mean(dv) - v mean(dv # v)) with dv = dy # gain; dx and dy may be the same.
   * Adds to the gradients of gain and bias.
   */
  void backward(int row, float[] dy, int dyo, float[] gain, float[] dx, int dxo) {
    int count = blocks * units;
    double sum = 0;
    double product = 0;
    for (int b = 0; b < blocks; b++) {
      for (int j = 0; j < units; j++) {
        int k = b * padded + j;
        float d = dy[dyo + k];
        float v = normalised[first(row) + k];
        gainGradient[k] = fma(d, v, gainGradient[k]);
        biasGradient[k] += d;
        sum += d * gain[k];
        product += (double) (d * gain[k]) * v;
      }
    }
    float mean = (float) (sum / count);
    float slope = (float) (product / count);
    for (int b = 0; b < blocks; b++) {
      for (int j = 0; j < units; j++) {
        int k = b * padded + j;
        float v = normalised[first(row) + k];
        dx[dxo + k] = flush(scale[row] * fma(-v, slope, fma(dy[dyo + k], gain[k], -mean)));
      }
    }
  }
}
