package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Stream;
import dev.unroll.engine.Unrolled;
import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.ScalarKernels;
import dev.unroll.fallback.WeightFormat;
import dev.unroll.simd.WidthLoader;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.domains.Domain;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights of 16 and 8 bits: how far from the floats, and the same bits everywhere. */
@Domain(Networks.class)
@Domain(net.jqwik.api.domains.DomainContext.Global.class)
class ReducedWeightsTest {
  private static final int ROWS = 48;

  /* Column k of the weights, as the kernel multiplies it: W e_k. */
  private static float[][] stored(WeightFormat format, float[] weights, int columns) {
    AffineKernels affine = ScalarKernels.instance().with(format).affine();
    PackedMatrix m = affine.allocate(ROWS, columns, PackedMatrix.Use.STEP);
    affine.pack(m, 0, 0, ROWS, columns, weights, 0, columns);
    float[][] result = new float[ROWS][columns];
    float[] z = new float[ROWS];
    for (int k = 0; k < columns; k++) {
      float[] unit = new float[columns];
      unit[k] = 1f;
      affine.affine(m, unit, 0, z, 0);
      for (int r = 0; r < ROWS; r++) {
        result[r][k] = z[r];
      }
    }
    return result;
  }

  @Property(tries = 50)
  void aWeightIsAsNearAsItsFormatAllows(
      @ForAll WeightFormat format,
      @ForAll @IntRange(min = 1, max = 40) int columns,
      @ForAll @IntRange(min = -30, max = 30) int exponent,
      @ForAll long seed) {
    float[] weights = Networks.random(ROWS * columns, new Rng(seed));
    for (int i = 0; i < weights.length; i++) {
      weights[i] = Math.scalb(weights[i], exponent);
    }
    float[][] stored = stored(format, weights, columns);
    for (int r = 0; r < ROWS; r++) {
      float largest = 0f;
      for (int k = 0; k < columns; k++) {
        largest = Math.max(largest, Math.abs(weights[r * columns + k]));
      }
      for (int k = 0; k < columns; k++) {
        float w = weights[r * columns + k];
        double bound =
            switch (format) {
              case F32 -> 0;
              case BF16 -> Math.abs(w) * 0x1p-8;
              case INT8 -> largest / 127 * 0.5001;
            };
        assertEquals(w, stored[r][k], bound, "row " + r + ", column " + k);
      }
    }
  }

  private static float[] halves(float even, float odd) {
    float[] weights = new float[ROWS * 2];
    for (int r = 0; r < ROWS; r++) {
      weights[2 * r] = even;
      weights[2 * r + 1] = odd;
    }
    return stored(WeightFormat.BF16, weights, 2)[ROWS - 1];
  }

  @ParameterizedTest
  @ValueSource(floats = {0f, -0f, 1e-40f, -1e-38f, 0x1p-126f, 1e-3f, -1f, 0x1.fffffep126f})
  void halvesOfAnySizeStandBesideEachOther(float odd) {
    for (float even : new float[] {1f, -1f, 0x1.fep-100f, 0x1.fep126f, 0x1.02p0f}) {
      float[] stored = halves(even, odd);
      assertEquals(even, stored[0], "even column beside " + odd);
      assertEquals(odd, stored[1], Math.max(Math.abs(odd) * 0x1p-8, 0x1.02p-126), "beside " + even);
      assertTrue(Math.abs(stored[1]) >= Float.MIN_NORMAL, "subnormal beside " + even);
    }
    assertEquals(odd, halves(0f, odd)[1], Math.abs(odd) * 0x1p-8 + Float.MIN_NORMAL * 0x1p-8);
  }

  @Test
  void halvesThatAreNotFiniteStaySo() {
    AffineKernels affine = ScalarKernels.instance().with(WeightFormat.BF16).affine();
    for (float odd : new float[] {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN}) {
      PackedMatrix m = affine.allocate(Kernels.LANES, 2, PackedMatrix.Use.STEP);
      affine.pack(m, 0, 0, 1, 2, new float[] {3f, odd}, 0, 2);
      float[] z = new float[Kernels.LANES];
      affine.affine(m, new float[] {1f, 1f}, 0, z, 0);
      assertEquals(odd, z[0]);
    }
  }

  @Property(tries = 40)
  void reducedNetworksGiveTheSameBitsEverywhere(
      @ForAll Network given,
      @ForAll WeightFormat format,
      @ForAll @IntRange(min = 1, max = 4) int time,
      @ForAll @IntRange(min = 1, max = 6) int batch,
      @ForAll long seed) {
    Network network = given.quantize(format);
    NetworkSpec spec = network.spec();
    float[] x = Networks.random(time * batch * spec.inputSize(), new Rng(seed));
    float[] expected = new float[time * batch * spec.networkOutputSize()];
    run(network, Backend.choose("fallback"), x, time, batch, expected);
    for (int width : List.of(128, 256, 512)) {
      float[] y = new float[expected.length];
      run(network, Backend.of(WidthLoader.kernels(width)), x, time, batch, y);
      assertArrayEquals(expected, y, width + " bits");
    }
    if (!spec.bidirectional()) {
      assertStreamGives(expected, network, x, time, batch);
    }
  }

  private static void assertStreamGives(
      float[] expected, Network network, float[] x, int time, int batch) {
    NetworkSpec spec = network.spec();
    Stream stream = new Stream(network, Backend.of(Backend.preferred().kernels()));
    float[] in = new float[spec.inputSize()];
    float[] out = new float[spec.networkOutputSize()];
    for (int t = 0; t < time; t++) {
      System.arraycopy(x, t * batch * in.length, in, 0, in.length);
      stream.step(in, out);
      int at = t * batch * out.length;
      assertArrayEquals(Arrays.copyOfRange(expected, at, at + out.length), out, "step " + t);
    }
  }

  private static void run(
      Network network, Backend backend, float[] x, int time, int batch, float[] y) {
    Unrolled unrolled = new Unrolled(network, backend, batch, time, false);
    unrolled.forward(time, x);
    unrolled.output(y);
  }

  @ParameterizedTest
  @EnumSource(
      value = WeightFormat.class,
      names = {"BF16", "INT8"})
  void aNetworkStaysNearItsFloats(WeightFormat format) {
    NetworkSpec spec = NetworkSpec.recurrent(20, 2, LayerSpec.of(CellKind.LSTM, 64)).withHead(10);
    Network network = Network.create(spec, Initialization.PYTORCH, 5);
    float[] x = Networks.random(50 * 4 * 20, new Rng(6));
    float[] expected = new float[50 * 4 * 10];
    float[] actual = new float[expected.length];
    run(network, Backend.preferred(), x, 50, 4, expected);
    run(network.quantize(format), Backend.preferred(), x, 50, 4, actual);
    double difference = 0;
    for (int i = 0; i < expected.length; i++) {
      difference = Math.max(difference, Math.abs(expected[i] - actual[i]));
    }
    assertTrue(difference > 0 && difference < 4e-3, "largest difference " + difference);
    long bytes = new Stream(network, Backend.choose("fallback")).bytes();
    long reduced = new Stream(network.quantize(format), Backend.choose("fallback")).bytes();
    assertTrue(reduced < bytes * (format.bits() + 4) / 32, reduced + " of " + bytes + " bytes");
  }

  @Test
  void whatCannotBeDoneIsSaid() {
    NetworkSpec spec = NetworkSpec.recurrent(2, 1, LayerSpec.of(CellKind.GRU, 3)).withHead(2);
    Network network = Network.create(spec, Initialization.PYTORCH, 5);
    String training =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    new Unrolled(
                        network.quantize(WeightFormat.BF16), Backend.preferred(), 1, 1, true))
            .getMessage();
    assertTrue(training.contains("inference"), training);
    network.set("linear.bias", new float[] {0f, Float.NaN});
    String message =
        assertThrows(IllegalArgumentException.class, () -> network.quantize(WeightFormat.INT8))
            .getMessage();
    assertTrue(message.contains("linear.bias") && message.contains("NaN"), message);
  }
}
