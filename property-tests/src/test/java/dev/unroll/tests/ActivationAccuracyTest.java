package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.engine.Backend;
import dev.unroll.fallback.ElementKernels;
import dev.unroll.fallback.Kernels;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * sigmoid, tanh and exp against double precision, in units in the last place of the float result.
 */
class ActivationAccuracyTest {
  /* A prime, so that a sample visits all kinds of fractions. */
  private static final int STRIDE = 997;
  private static final int BLOCK = 1 << 14;
  private final ElementKernels elements = Backend.preferred().kernels().elements();

  private interface Activation {
    void apply(int n, float[] x, int xo, float[] y, int yo);
  }

  private static double logistic(double x) {
    return x >= 0 ? 1 / (1 + StrictMath.exp(-x)) : StrictMath.exp(x) / (1 + StrictMath.exp(x));
  }

  /* Distance in ulps of the exact value rounded to the float grid; denormal results count in 2^-149. */
  private static double ulps(float actual, double exact) {
    float grid = Math.max(Math.ulp((float) exact), Float.MIN_VALUE);
    return Math.abs(actual - exact) / grid;
  }

  private double worst(Activation activation, DoubleUnaryOperator exact, int stride) {
    float[] x = new float[BLOCK];
    float[] y = new float[BLOCK];
    double worst = 0;
    long bits = 0;
    while (bits < 1L << 32) {
      int n = 0;
      for (; n < BLOCK && bits < 1L << 32; bits += stride) {
        float value = Float.intBitsToFloat((int) bits);
        if (Float.isFinite(value)) {
          x[n++] = value;
        }
      }
      activation.apply(Kernels.pad(n), x, 0, y, 0);
      for (int i = 0; i < n; i++) {
        double e = exact.applyAsDouble(x[i]);
        if (e <= Float.MAX_VALUE) {
          worst = Math.max(worst, ulps(y[i], e));
        }
      }
    }
    return worst;
  }

  private void check(int stride) {
    double sigmoid = worst(elements::sigmoid, ActivationAccuracyTest::logistic, stride);
    double tanh = worst(elements::tanh, StrictMath::tanh, stride);
    double exp = worst(elements::exp, StrictMath::exp, stride);
    assertTrue(sigmoid <= 2.5, "sigmoid is " + sigmoid + " ulp off");
    assertTrue(tanh <= 2.7, "tanh is " + tanh + " ulp off");
    assertTrue(exp <= 1.5, "exp is " + exp + " ulp off");
    if (stride == 1) {
      System.out.printf("worst ulp: sigmoid %.3f, tanh %.3f, exp %.3f%n", sigmoid, tanh, exp);
    }
  }

  @Test
  void aDenseSampleIsAccurate() {
    check(STRIDE);
  }

  @Test
  @Tag("slow")
  void everyFloatIsAccurate() {
    check(1);
  }

  @Test
  void theEdgesAreExact() {
    float inf = Float.POSITIVE_INFINITY;
    float[] x = new float[16];
    float[] y = new float[16];
    x[0] = inf;
    x[1] = -inf;
    x[2] = Float.NaN;
    x[3] = -0f;
    x[4] = Float.MIN_VALUE;
    x[5] = -103f;
    x[6] = -106f;
    x[7] = Float.MAX_VALUE;
    x[8] = -Float.MAX_VALUE;
    elements.sigmoid(16, x, 0, y, 0);
    assertEquals(1f, y[0]);
    assertEquals(0f, y[1]);
    assertTrue(Float.isNaN(y[2]));
    assertEquals(0.5f, y[3]);
    assertEquals(Float.MIN_VALUE, y[5]);
    assertEquals(0f, y[6]);
    assertEquals(1f, y[7]);
    assertEquals(0f, y[8]);
    elements.tanh(16, x, 0, y, 0);
    assertEquals(1f, y[0]);
    assertEquals(-1f, y[1]);
    assertTrue(Float.isNaN(y[2]));
    assertEquals(-0f, y[3]);
    assertEquals(Float.MIN_VALUE, y[4]);
    assertEquals(1f, y[7]);
    assertEquals(-1f, y[8]);
    elements.exp(16, x, 0, y, 0);
    assertEquals(inf, y[0]);
    assertEquals(0f, y[1]);
    assertTrue(Float.isNaN(y[2]));
  }

  @Test
  void tanhIsOdd() {
    float[] x = new float[BLOCK];
    float[] negative = new float[BLOCK];
    float[] y = new float[BLOCK];
    float[] mirrored = new float[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
      x[i] = Float.intBitsToFloat(i * 130_003 & Integer.MAX_VALUE);
      negative[i] = -x[i];
    }
    elements.tanh(BLOCK, x, 0, y, 0);
    elements.tanh(BLOCK, negative, 0, mirrored, 0);
    for (int i = 0; i < BLOCK; i++) {
      assertEquals(y[i], -mirrored[i], "tanh(" + x[i] + ")");
    }
  }
}
