package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.GradientFlow;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Loss;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Optimizer;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Regularization;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Trainer;
import dev.unroll.engine.Unrolled;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the observer of gradients records, and that a trainer can be stopped and continued. */
class GradientFlowTest {
  private static final int TIME = 9;
  private static final int INPUTS = 3;

  private static float[] random(int n, long seed) {
    Rng rng = new Rng(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = rng.uniform(-1f, 1f);
    }
    return values;
  }

  private static Trainer trainer(Network network, Optimizer optimizer) {
    return new Trainer(
        network,
        Backend.preferred(),
        new Trainer.Options(1, TIME, Loss.MEAN_SQUARED_ERROR, optimizer, false));
  }

  private static double norm(float[] values) {
    double sum = 0;
    for (float v : values) {
      sum += (double) v * v;
    }
    return Math.sqrt(sum);
  }

  /* With a loss at the last step only, dL/dh_t is the gradient of the initial state of the steps after t. */
  @ParameterizedTest
  @EnumSource(CellKind.class)
  void theNormsAreThoseOfTheInitialStatesOfTheRest(CellKind cell) {
    NetworkSpec spec = NetworkSpec.recurrent(INPUTS, 1, LayerSpec.of(cell, 7)).withHead(1);
    Network network = Network.create(spec, Initialization.PYTORCH, 5);
    Trainer trainer = trainer(network, new Optimizer.Sgd(0, false, 0));
    trainer.setLearningRate(0);
    GradientFlow flow = new GradientFlow(network, TIME);
    trainer.observe(flow);
    float[] x = random(TIME * INPUTS, 1);
    boolean[] mask = new boolean[TIME];
    mask[TIME - 1] = true;
    trainer.step(x, new float[TIME], mask);
    for (int t = 0; t < TIME - 1; t++) {
      int rest = TIME - 1 - t;
      float[] h = new float[spec.hiddenStateSize()];
      float[] c = new float[spec.cellStateSize()];
      Unrolled first = new Unrolled(network, Backend.preferred(), 1, TIME, false);
      first.forward(t + 1, Arrays.copyOf(x, (t + 1) * INPUTS));
      first.finalState(h, c);
      Unrolled later = new Unrolled(network, Backend.preferred(), 1, TIME, true);
      later.setState(rest, h, c);
      later.forward(rest, Arrays.copyOfRange(x, (t + 1) * INPUTS, x.length));
      float[] y = new float[rest];
      later.output(y);
      float[] dy = new float[rest];
      dy[rest - 1] = 2 * y[rest - 1];
      later.backward(dy, new float[h.length], new float[c.length]);
      float[] dh = new float[h.length];
      float[] dc = new float[c.length];
      later.stateGradient(dh, dc);
      assertEquals(norm(dh), flow.hiddenNorm(0, 0, t), 1e-5 * norm(dh) + 1e-12, cell + " at " + t);
      if (c.length == 0) {
        assertEquals(0, flow.cellNorm(0, 0, t));
      } else {
        assertTrue(flow.cellNorm(0, 0, t) > 0);
      }
    }
    assertTrue(flow.saturation(0, 0) >= 0 && flow.saturation(0, 0) <= 1);
    assertThrows(IllegalArgumentException.class, () -> flow.hiddenNorm(0, 0, TIME));
    assertThrows(IllegalArgumentException.class, () -> flow.hiddenNorm(1, 0, 0));
  }

  @Test
  void theSpectralRadiusOfARotationIsItsScale() {
    NetworkSpec spec = NetworkSpec.recurrent(1, 1, LayerSpec.of(CellKind.RNN_TANH, 2));
    Network network = new Network(spec);
    float cos = 0.7f * 0.8f;
    float sin = 0.7f * 0.6f;
    network.set("weight_hh_l0", new float[] {cos, -sin, sin, cos});
    assertEquals(0.7, GradientFlow.spectralRadius(network, "weight_hh_l0")[0], 1e-6);
    network.set("weight_hh_l0", new float[] {-1.25f, 3f, 0f, 0.5f});
    assertEquals(1.25, GradientFlow.spectralRadius(network, "weight_hh_l0")[0], 0.0125);
    network.set("weight_hh_l0", new float[4]);
    assertEquals(0, GradientFlow.spectralRadius(network, "weight_hh_l0")[0]);
    assertThrows(
        IllegalArgumentException.class, () -> GradientFlow.spectralRadius(network, "none"));
  }

  @Test
  void saturatedGatesAreCounted() {
    NetworkSpec spec = NetworkSpec.recurrent(INPUTS, 1, LayerSpec.of(CellKind.LSTM, 4)).withHead(1);
    Network network = new Network(spec);
    float[] bias = new float[16];
    Arrays.fill(bias, 0, 4, 10f); // the input gate is 1; the other gates are 0.5 and g is 0
    network.set("lstm.bias_ih_l0", bias);
    Trainer trainer = trainer(network, new Optimizer.Sgd(0, false, 0));
    GradientFlow flow = new GradientFlow(network, TIME);
    trainer.observe(flow);
    trainer.step(new float[TIME * INPUTS], new float[TIME]);
    assertEquals(0.25, flow.saturation(0, 0));
  }

  @Test
  void watchingChangesNothingAndUpdatesAreMeasured() {
    NetworkSpec spec = NetworkSpec.recurrent(INPUTS, 2, LayerSpec.of(CellKind.GRU, 7)).withHead(1);
    float[] x = random(TIME * INPUTS, 2);
    float[] target = random(TIME, 3);
    Network[] networks = new Network[2];
    for (int i = 0; i < 2; i++) {
      networks[i] = Network.create(spec, Initialization.PYTORCH, 5);
      Trainer trainer = trainer(networks[i], Optimizer.Adam.defaults());
      GradientFlow flow = new GradientFlow(networks[i], TIME);
      trainer.observe(i == 0 ? flow : null);
      float[] before = new float[0];
      for (int step = 0; step < 5; step++) {
        before = networks[i].get("linear.weight");
        trainer.step(x, target);
      }
      if (i == 0) {
        float[] moved = networks[0].get("linear.weight");
        double size = norm(before);
        for (int j = 0; j < moved.length; j++) {
          moved[j] -= before[j];
        }
        assertEquals(norm(moved) / size, flow.updateRatio("linear.weight"), 1e-6);
      }
    }
    for (Parameter p : networks[0].parameters()) {
      assertArrayEquals(networks[0].get(p.name()), networks[1].get(p.name()), p.name());
    }
  }

  @Test
  void aTrainerGoesOnWhereItWas() {
    NetworkSpec spec =
        NetworkSpec.recurrent(INPUTS, 2, LayerSpec.of(CellKind.LSTM, 7))
            .with(new Regularization(0.3f, 0, 0, 0, 0, 0))
            .withHead(1);
    float[] x = random(TIME * INPUTS, 2);
    float[] target = random(TIME, 3);
    Network whole = Network.create(spec, Initialization.PYTORCH, 5);
    Trainer trainer = trainer(whole, Optimizer.Adam.defaults());
    Network copy = new Network(spec);
    Trainer.Progress progress = trainer.progress();
    for (int step = 0; step < 8; step++) {
      if (step == 4) {
        progress = trainer.progress();
        for (Parameter p : whole.parameters()) {
          copy.set(p.name(), whole.get(p.name()));
        }
      }
      trainer.step(x, target);
    }
    Trainer other = trainer(copy, Optimizer.Adam.defaults());
    other.restore(progress);
    for (int step = 4; step < 8; step++) {
      other.step(x, target);
    }
    for (Parameter p : whole.parameters()) {
      assertArrayEquals(whole.get(p.name()), copy.get(p.name()), p.name());
    }
    assertEquals(8, other.updates());
    Trainer sgd = trainer(copy, new Optimizer.Sgd(0, false, 0));
    Trainer.Progress adam = other.progress();
    assertThrows(IllegalArgumentException.class, () -> sgd.restore(adam));
  }
}
