package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.SUM_BLOCK;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;
import static dev.unroll.simd.Lanes.ZERO;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.MAX;

import dev.unroll.fallback.FloatMath;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.LossKernels;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/** Vector twin of the losses. */
final class VectorLoss implements LossKernels {
  /* Logits whose exponentials are taken in one loop: no row waits for the one before. */
  private static final int AT_ONCE = 2048;

  @Override
  public double softmaxCrossEntropy(
      int n, int classes, float[] y, int yo, int ys, int[] target, int to, float scale) {
    int padded = Kernels.pad(classes);
    int block = ys == padded ? Math.max(1, AT_ONCE / padded) : 1;
    float[] lanes = VectorElements.PARTIAL.get();
    double loss = 0;
    double logarithms = 0;
    double product = 1;
    for (int first = 0; first < n; first += block) {
      int end = Math.min(n, first + block);
      boolean counts = false;
      for (int row = first; row < end; row++) {
        int o = yo + row * ys;
        int wanted = target[to + row];
        if (wanted >= 0) {
          counts = true;
          float max = max(classes, y, o);
          loss += (double) max - y[o + wanted];
          subtract(classes, max, y, o);
        }
      }
      if (counts) {
        VectorMath.exp((end - first) * padded, y, yo + first * ys, y, yo + first * ys);
      }
      for (int row = first; row < end; row++) {
        if (row % FACTORS == 0) {
          logarithms += StrictMath.log(product);
          product = 1;
        }
        int o = yo + row * ys;
        int wanted = target[to + row];
        if (wanted < 0) {
          Arrays.fill(y, o, o + padded, 0f);
          continue;
        }
        float sum = sum(classes, y, o, lanes);
        product *= sum;
        scale(padded, scale / sum, y, o);
        y[o + wanted] -= scale;
      }
    }
    return loss + (logarithms + StrictMath.log(product));
  }

  private static float max(int n, float[] y, int o) {
    FloatVector max = FloatVector.broadcast(SPECIES, Float.NEGATIVE_INFINITY);
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, y, o + j);
      max = max.blend(v, v.compare(GT, max).and(SPECIES.indexInRange(j, n)));
    }
    return max.reduceLanes(MAX);
  }

  /* y - max, and 0 from n on, as exp(0) delays no denormal. */
  private static void subtract(int n, float max, float[] y, int o) {
    int padded = Kernels.pad(n);
    for (int j = 0; j < padded; j += LENGTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, y, o + j);
      v = v.sub(FloatVector.broadcast(SPECIES, max));
      ZERO.blend(v, SPECIES.indexInRange(j, n)).intoArray(y, o + j);
    }
  }

  /* The sum of n, and 0 behind. */
  private static float sum(int n, float[] y, int o, float[] lanes) {
    int padded = Kernels.pad(n);
    for (int l = 0; l < Kernels.LANES; l += LENGTH) {
      FloatVector sum = FloatVector.broadcast(SPECIES, 0f);
      for (int j = l; j < padded; j += Kernels.LANES) {
        FloatVector v = FloatVector.fromArray(SPECIES, y, o + j);
        v = ZERO.blend(v, SPECIES.indexInRange(j, n));
        v.intoArray(y, o + j);
        sum = sum.add(v);
      }
      sum.intoArray(lanes, l);
    }
    return FloatMath.reduce(lanes);
  }

  private static void scale(int n, float factor, float[] y, int o) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector.fromArray(SPECIES, y, o + j)
          .mul(FloatVector.broadcast(SPECIES, factor))
          .intoArray(y, o + j);
    }
  }

  @Override
  public double squaredError(int n, float[] y, int yo, float[] t, int to, float scale) {
    double sum = 0;
    for (int block = 0; block < n; block += SUM_BLOCK) {
      int size = Math.min(SUM_BLOCK, n - block);
      sum += blockSquaredError(size, y, yo + block, t, to + block, scale);
    }
    return sum;
  }

  private static float blockSquaredError(int n, float[] y, int yo, float[] t, int to, float scale) {
    float[] lanes = VectorElements.PARTIAL.get();
    Arrays.fill(lanes, 0f);
    for (int l = 0; l < Kernels.LANES; l += LENGTH) {
      FloatVector sum = FloatVector.fromArray(SPECIES, lanes, l);
      for (int j = l; j < n; j += Kernels.LANES) {
        FloatVector d =
            FloatVector.fromArray(SPECIES, y, yo + j)
                .sub(FloatVector.fromArray(SPECIES, t, to + j));
        sum = d.fma(d, sum);
        d.mul(FloatVector.broadcast(SPECIES, scale)).intoArray(y, yo + j);
      }
      sum.intoArray(lanes, l);
    }
    return FloatMath.reduce(lanes);
  }
}
