package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.CellOptions;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Regularization;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Unrolled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Dropout, locked dropout and weight drop: reproducible, off at inference, with exact gradients.
 */
class NoiseTest {
  private static final int TIME = 4;
  private static final int BATCH = 3;
  private static final Regularization ALL = new Regularization(0.3f, 0.2f, 0.25f, 0.2f, 0.2f, 0.3f);

  static Stream<NetworkSpec> networks() {
    CellOptions resetBefore = new CellOptions(true, false, false, false, 0, List.of());
    CellOptions norm = new CellOptions(false, true, false, true, 0, List.of());
    List<NetworkSpec> specs = new ArrayList<>();
    for (CellKind cell : CellKind.values()) {
      specs.add(NetworkSpec.recurrent(5, 2, LayerSpec.of(cell, 18)));
    }
    specs.add(NetworkSpec.recurrent(5, 2, LayerSpec.of(CellKind.GRU, 18).with(resetBefore)));
    specs.add(NetworkSpec.recurrent(5, 2, LayerSpec.of(CellKind.LSTM, 18).with(norm)));
    specs.add(NetworkSpec.recurrent(5, 2, new LayerSpec(CellKind.LSTM, 18, 4, true)));
    specs.add(NetworkSpec.recurrent(5, 2, LayerSpec.of(CellKind.LSTM, 6)).bothDirections());
    return specs.stream().map(spec -> spec.with(ALL));
  }

  private static float[] outputs(Unrolled u, float[] x, long seed) {
    int size = u.outputSize();
    u.setNoise(seed == 0 ? null : new Rng(seed));
    u.clearState();
    u.forward(TIME, x);
    float[] y = new float[TIME * BATCH * size];
    u.output(y);
    return y;
  }

  @ParameterizedTest
  @MethodSource("networks")
  void gradientsUnderNoiseMatchDifferences(NetworkSpec spec) {
    Network network = Network.create(spec, Initialization.PYTORCH, 3);
    Unrolled u = new Unrolled(network, Backend.preferred(), BATCH, TIME, true);
    Rng rng = new Rng(4);
    float[] x = Networks.random(TIME * BATCH * spec.inputSize(), rng);
    float[] dy = Networks.random(TIME * BATCH * spec.networkOutputSize(), rng);
    outputs(u, x, 9);
    u.clearGradients();
    u.backward(
        dy, new float[BATCH * spec.hiddenStateSize()], new float[BATCH * spec.cellStateSize()]);
    for (Parameter p : network.parameters()) {
      float[] values = network.get(p.name());
      float[] gradient = u.gradient(p.name());
      for (int probe = 0; probe < 3; probe++) {
        int i = rng.nextInt(values.length);
        float kept = values[i];
        double up = loss(u, network, p, values, i, kept + 0.01f, x, dy);
        double down = loss(u, network, p, values, i, kept - 0.01f, x, dy);
        loss(u, network, p, values, i, kept, x, dy);
        double expected = (up - down) / 0.02;
        // The step is wide for floats: kinks and the curvature of a normalisation show.
        LayerSpec layer = spec.layers().get(0);
        boolean kink = layer.cell() == CellKind.RNN_RELU;
        double limit = kink ? 0.1 : layer.options().layerNorm() ? 2e-2 : 5e-3;
        assertEquals(
            expected, gradient[i], limit * Math.max(1, Math.abs(expected)), p.name() + " " + i);
      }
    }
  }

  private static double loss(
      Unrolled u,
      Network network,
      Parameter p,
      float[] values,
      int i,
      float value,
      float[] x,
      float[] dy) {
    values[i] = value;
    network.set(p.name(), values);
    u.refresh();
    float[] y = outputs(u, x, 9);
    double sum = 0;
    for (int k = 0; k < y.length; k++) {
      sum += (double) y[k] * dy[k];
    }
    return sum;
  }

  @ParameterizedTest
  @MethodSource("networks")
  void noiseIsReproducibleAndOffAtInference(NetworkSpec spec) {
    Network network = Network.create(spec, Initialization.PYTORCH, 3);
    Unrolled u = new Unrolled(network, Backend.preferred(), BATCH, TIME, true);
    Unrolled plain = new Unrolled(network, Backend.choose("fallback"), BATCH, TIME, false);
    float[] x = Networks.random(TIME * BATCH * spec.inputSize(), new Rng(4));
    float[] first = outputs(u, x, 5);
    assertFalse(Arrays.equals(first, outputs(u, x, 6)), "another seed, other masks");
    assertArrayEquals(first, outputs(u, x, 5), "the same seed, the same masks");
    float[] expected = new float[first.length];
    plain.forward(TIME, x);
    plain.output(expected);
    assertArrayEquals(expected, outputs(u, x, 0), "no noise");
  }

  @Test
  void aLockedMaskIsTheSameInAllSteps() {
    NetworkSpec spec =
        NetworkSpec.recurrent(40, 1, LayerSpec.of(CellKind.RNN_RELU, 40))
            .with(new Regularization(0, 0.5f, 0, 0, 0, 0));
    Network network = new Network(spec);
    float[] identity = new float[1600];
    for (int i = 0; i < 40; i++) {
      identity[i * 41] = 1;
    }
    network.set("weight_ih_l0", identity);
    Unrolled u = new Unrolled(network, Backend.preferred(), BATCH, TIME, true);
    float[] x = new float[TIME * BATCH * 40];
    Arrays.fill(x, 1f);
    float[] y = outputs(u, x, 7);
    int kept = 0;
    for (int i = 0; i < BATCH * 40; i++) {
      for (int t = 0; t < TIME; t++) {
        assertEquals(y[i], y[t * BATCH * 40 + i]);
      }
      assertTrue(y[i] == 0f || y[i] == 2f, "dropped or scaled, not " + y[i]);
      kept += y[i] > 0 ? 1 : 0;
    }
    assertTrue(kept > 35 && kept < 85, kept + " of 120 kept at p = 0.5");
  }
}
