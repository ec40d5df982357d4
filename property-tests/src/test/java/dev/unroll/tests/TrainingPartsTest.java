package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Loss;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Optimizer;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Schedule;
import dev.unroll.engine.Trainer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Schedules, accumulation, masks, clipping by value, k1 and k2, initialisations. */
class TrainingPartsTest {
  private static final NetworkSpec SPEC =
      NetworkSpec.recurrent(3, 1, LayerSpec.of(CellKind.LSTM, 5)).withHead(2);

  private static Trainer trainer(Network network, int batch, int time, Loss loss, boolean carry) {
    Optimizer sgd = new Optimizer.Sgd(0, false, 0);
    Trainer trainer =
        new Trainer(
            network, Backend.preferred(), new Trainer.Options(batch, time, loss, sgd, carry));
    trainer.setLearningRate(0.1f);
    return trainer;
  }

  private static Network network() {
    return Network.create(SPEC, Initialization.PYTORCH, 1);
  }

  @Test
  void schedulesFollowTheirFormulas() {
    Schedule step = new Schedule.Step(10, 0.5);
    assertEquals(1, step.factor(9));
    assertEquals(0.25, step.factor(20));
    Schedule cosine = new Schedule.Cosine(100, 0.1);
    assertEquals(1, cosine.factor(0), 1e-12);
    assertEquals(0.55, cosine.factor(50), 1e-12);
    assertEquals(0.1, cosine.factor(1000), 1e-12);
    Schedule rise = new Schedule.WarmUpThen(4, step);
    assertEquals(0.25, rise.factor(0));
    assertEquals(1, rise.factor(4));
    assertEquals(0.5, rise.factor(14));
    Schedule.Plateau plateau = new Schedule.Plateau(0.1, 1);
    plateau.observe(2);
    plateau.observe(2);
    assertEquals(1, plateau.factor(0));
    plateau.observe(2);
    assertEquals(0.1, plateau.factor(0));
    plateau.observe(1);
    assertEquals(0.1, plateau.factor(0));
  }

  @Test
  void accumulatedHalvesEqualTheWholeBatch() {
    Network whole = network();
    Network halves = network();
    Rng rng = new Rng(2);
    float[] x = Networks.random(4 * 2 * 3, rng);
    float[] t = Networks.random(4 * 2 * 2, rng);
    trainer(whole, 2, 4, Loss.MEAN_SQUARED_ERROR, false).step(x, t);
    Trainer parts = trainer(halves, 1, 4, Loss.MEAN_SQUARED_ERROR, false);
    parts.setAccumulation(2);
    for (int row = 0; row < 2; row++) {
      float[] xr = new float[12];
      float[] tr = new float[8];
      for (int s = 0; s < 4; s++) {
        System.arraycopy(x, (s * 2 + row) * 3, xr, s * 3, 3);
        System.arraycopy(t, (s * 2 + row) * 2, tr, s * 2, 2);
      }
      parts.step(xr, tr);
      assertEquals(row, parts.updates());
    }
    assertArrayEquals(whole.get("lstm.weight_hh_l0"), halves.get("lstm.weight_hh_l0"), 1e-7f);
  }

  @Test
  void maskedTargetsDoNotCount() {
    Rng rng = new Rng(3);
    float[] x = Networks.random(4 * 3, rng);
    float[] t = Networks.random(4 * 2, rng);
    Network one = network();
    Network other = network();
    boolean[] mask = {true, false, true, false};
    double loss = trainer(one, 1, 4, Loss.MEAN_SQUARED_ERROR, false).step(x, t, mask);
    t[2] = 99;
    t[7] = -99;
    double same = trainer(other, 1, 4, Loss.MEAN_SQUARED_ERROR, false).step(x, t, mask);
    assertEquals(loss, same);
    assertArrayEquals(one.get("linear.weight"), other.get("linear.weight"));
  }

  @Test
  void clippingByValueBoundsEveryElement() {
    Network network = network();
    Trainer trainer = trainer(network, 1, 4, Loss.MEAN_SQUARED_ERROR, false);
    trainer.setClipValue(1e-4f);
    float[] before = network.get("linear.weight");
    float[] t = new float[8];
    Arrays.fill(t, 100f);
    trainer.step(Networks.random(12, new Rng(4)), t);
    float[] after = network.get("linear.weight");
    for (int i = 0; i < after.length; i++) {
      assertTrue(Math.abs(after[i] - before[i]) <= 0.1f * 1e-4f * 1.1f);
    }
    assertTrue(trainer.gradientNorm() > 1, "the norm is that before clipping");
  }

  @Test
  void overlappingSequencesGoOnFromTheirStride() {
    // With learning rate 0 the losses of strides of 2 are those of the long sequence's parts.
    Rng rng = new Rng(5);
    float[] x = Networks.random(8 * 3, rng);
    int[] target = new int[8];
    Arrays.setAll(target, i -> rng.nextInt(2));
    double[] parts = new double[4];
    for (int k = 0; k < 4; k++) {
      int[] only = new int[8];
      Arrays.fill(only, -1);
      System.arraycopy(target, 2 * k, only, 2 * k, 2);
      parts[k] = trainer(network(), 1, 8, Loss.SOFTMAX_CROSS_ENTROPY, false).step(x, only);
    }
    Trainer trainer = trainer(network(), 1, 4, Loss.SOFTMAX_CROSS_ENTROPY, true);
    trainer.setLearningRate(0);
    trainer.setStride(2);
    for (int k = 0; k < 3; k++) {
      float[] xs = Arrays.copyOfRange(x, 2 * k * 3, (2 * k + 4) * 3);
      double loss = trainer.step(xs, Arrays.copyOfRange(target, 2 * k, 2 * k + 4));
      double expected = k == 0 ? (parts[0] + parts[1]) / 2 : parts[k + 1];
      assertEquals(expected, loss, 1e-6, "sequence " + k);
    }
  }

  @Test
  void initialisationsAreAsNamed() {
    NetworkSpec irnn = NetworkSpec.recurrent(4, 1, LayerSpec.of(CellKind.RNN_RELU, 6));
    Initialization identity = new Initialization(true, Initialization.Recurrent.IDENTITY, false, 0);
    Network network = Network.create(irnn, identity, 1);
    float[] w = network.get("weight_hh_l0");
    for (int i = 0; i < 36; i++) {
      assertEquals(i % 7 == 0 ? 1f : 0f, w[i]);
    }
    for (float v : network.get("weight_ih_l0")) {
      assertTrue(Math.abs(v) <= Math.sqrt(6.0 / 10));
    }
    assertArrayEquals(new float[6], network.get("bias_hh_l0"));
    NetworkSpec lstm = NetworkSpec.recurrent(4, 1, LayerSpec.of(CellKind.LSTM, 50));
    float[] bias =
        Network.create(
                lstm, new Initialization(false, Initialization.Recurrent.PYTORCH, false, 100), 1)
            .get("bias_ih_l0");
    float largest = 0;
    for (int j = 0; j < 50; j++) {
      assertEquals(-bias[j], bias[50 + j]);
      assertTrue(bias[50 + j] >= 0 && bias[50 + j] <= Math.log(99));
      largest = Math.max(largest, bias[50 + j]);
    }
    assertTrue(largest > Math.log(50), "spread over the time scales");
  }
}
