package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Loss;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Optimizer;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Regularization;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Stream;
import dev.unroll.engine.StreamBatch;
import dev.unroll.engine.Topology;
import dev.unroll.engine.Trainer;
import dev.unroll.engine.Unrolled;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/**
 * Wrong calls are refused by name before anything changes; sizes are known before they are
 * allocated.
 */
class ApiChecksTest {
  private final NetworkSpec spec = NetworkSpec.recurrent(3, 1, LayerSpec.of(CellKind.LSTM, 5));
  private final Network network = Network.create(spec, Initialization.PYTORCH, 1);
  private final Backend backend = Backend.preferred();

  private static void refused(String part, Executable call) {
    RuntimeException e = assertThrows(RuntimeException.class, call);
    assertTrue(String.valueOf(e.getMessage()).contains(part), String.valueOf(e.getMessage()));
  }

  @Test
  void aRestoredStateHasNoDenormals() {
    float[] h = {0f, 1e-40f, -1e-40f, 1e-20f, -1f};
    float[] c = {1e-35f, Float.MIN_VALUE, 2f, -1e-31f, Float.NaN};
    Stream stream = new Stream(network);
    StreamBatch batch = new StreamBatch(network, backend, 2);
    stream.restoreState(h, c);
    batch.restoreState(1, h, c);
    float[] hs = new float[5];
    float[] cs = new float[5];
    stream.saveState(hs, cs);
    assertArrayEquals(new float[] {0f, 0f, 0f, 1e-20f, -1f}, hs);
    assertArrayEquals(new float[] {0f, 0f, 2f, 0f, Float.NaN}, cs);
    batch.saveState(1, hs, cs);
    assertArrayEquals(new float[] {0f, 0f, 0f, 1e-20f, -1f}, hs);
    assertArrayEquals(new float[] {0f, 0f, 2f, 0f, Float.NaN}, cs);
  }

  @Test
  void aStreamKeepsTheParametersThatItWasMadeOf() throws InterruptedException {
    NetworkSpec embedded = spec.withEmbedding(4).withHead(2);
    Network original = Network.create(embedded, Initialization.PYTORCH, 1);
    Network changing = Network.create(embedded, Initialization.PYTORCH, 1);
    Stream stream = new Stream(changing);
    Stream reference = new Stream(original, Backend.choose("fallback"));
    for (Parameter p : changing.parameters()) {
      changing.set(p.name(), new float[p.size()]);
    }
    float[] y = new float[2];
    float[] expected = new float[2];
    for (int i = 0; i < 6; i++) {
      if (i == 3) {
        Backend.warmUp();
      }
      stream.step(i % 3, y);
      reference.step(i % 3, expected);
      assertArrayEquals(expected, y, "step " + i);
    }
  }

  /* What has kernels compiled before the first training step is a network of few units. */
  @Test
  void aSmallNetworkStandsInForAnyOther() {
    List<LayerSpec> differing =
        List.of(
            new LayerSpec(CellKind.LSTM, 100, 31, true),
            new LayerSpec(CellKind.LSTM, 33, 31, true),
            LayerSpec.of(CellKind.RNN_TANH, 31),
            LayerSpec.of(CellKind.GRU, 31));
    trainsLikeScalar(residual(differing), 3, 2);
    List<LayerSpec> large =
        List.of(
            new LayerSpec(CellKind.LSTM, 512, 40, true),
            new LayerSpec(CellKind.LSTM, 256, 40, true),
            LayerSpec.of(CellKind.LSTM, 40));
    trainsLikeScalar(residual(large), 24, 120);
  }

  private static NetworkSpec residual(List<LayerSpec> layers) {
    Topology topology = new Topology(false, false, true, false, false);
    return new NetworkSpec(
        NetworkSpec.Input.FEATURES, 20, 0, layers, topology, Regularization.NONE, 3);
  }

  private void trainsLikeScalar(NetworkSpec given, int batch, int time) {
    Network trained = Network.create(given, Initialization.PYTORCH, 1);
    float[] x = Networks.random(batch * 20, new Rng(2));
    float[] y = new float[batch * 3];
    float[] expected = new float[batch * 3];
    Unrolled vector = new Unrolled(trained, backend, batch, time, true);
    vector.forward(1, x);
    vector.output(y);
    Unrolled scalar = new Unrolled(trained, Backend.choose("fallback"), batch, 1, true);
    scalar.forward(1, x);
    scalar.output(expected);
    assertArrayEquals(expected, y);
  }

  @Test
  void wrongShapesAreRefused() {
    Stream stream = new Stream(network);
    refused("x must have 3", () -> stream.step(new float[2], new float[5]));
    refused("y must have 5", () -> stream.step(new float[3], new float[4]));
    refused("feature vectors", () -> stream.step(1, new float[5]));
    refused("5 hidden", () -> stream.restoreState(new float[4], new float[5]));
    Unrolled unrolled = new Unrolled(network, backend, 2, 4, false);
    refused("from 1 to 4", () -> unrolled.forward(5, new float[30]));
    refused("24 elements", () -> unrolled.forward(4, new float[23]));
    refused("lengths[1]", () -> unrolled.setLengths(new int[] {1, 5}));
    refused("inference only", () -> unrolled.clearGradients());
    refused("head", () -> new Trainer(network, backend, options(2, 4)));
    refused("weight_hh_l0 has shape [20, 5]", () -> network.set("weight_hh_l0", new float[3]));
    refused("no parameter 'w'", () -> network.get("w"));
    refused("bidirectional", () -> new Stream(new Network(spec.bothDirections())));
    refused("at least 1", () -> LayerSpec.of(CellKind.GRU, 0));
    refused("only LSTM", () -> new LayerSpec(CellKind.GRU, 4, 2, true));
  }

  private static Trainer.Options options(int batch, int time) {
    return new Trainer.Options(
        batch, time, Loss.SOFTMAX_CROSS_ENTROPY, Optimizer.Adam.defaults(), false);
  }

  @Test
  void targetsAreCheckedBeforeAnythingChanges() {
    Network headed = Network.create(spec.withHead(4), Initialization.PYTORCH, 1);
    Trainer trainer = new Trainer(headed, backend, options(1, 2));
    float[] before = headed.get("linear.weight");
    refused("target[1] is class 4", () -> trainer.step(new float[6], new int[] {0, 4}));
    refused("MEAN_SQUARED_ERROR", () -> trainer.step(new float[6], new float[8]));
    refused("all targets are left out", () -> trainer.step(new float[6], new int[] {-1, -1}));
    assertArrayEquals(before, headed.get("linear.weight"));
  }

  @Test
  void aNonFiniteStepChangesNoParameter() {
    Network headed = Network.create(spec.withHead(4), Initialization.PYTORCH, 1);
    Trainer trainer = new Trainer(headed, backend, options(1, 2));
    float[] before = headed.get("linear.weight");
    float[] x = {0, 0, Float.NaN, 0, 0, 0};
    trainer.step(x, new int[] {0, 1});
    assertTrue(trainer.lastStepSkipped());
    assertArrayEquals(before, headed.get("linear.weight"));
  }

  @Test
  void theAnnouncedSizeIsTheAllocatedOne() {
    long announced = Unrolled.bytesNeeded(network, 7, 9, true);
    assertEquals(announced, new Unrolled(network, backend, 7, 9, true).bytes());
    refused("2^31", () -> Unrolled.bytesNeeded(network, 1 << 20, 1 << 20, true));
    NetworkSpec huge = NetworkSpec.recurrent(1, 1, LayerSpec.of(CellKind.LSTM, 1 << 20));
    refused("2^31 parameters", () -> new Network(huge));
  }

  @Test
  void aTrainerTakesTheAnnouncedMemory() {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    for (int layers = 1; layers <= 2; layers++) {
      NetworkSpec large = NetworkSpec.recurrent(90, layers, LayerSpec.of(CellKind.GRU, 60));
      Network headed = Network.create(large.withHead(4), Initialization.PYTORCH, 1);
      Backend heap = Backend.choose("fallback");
      double announced = Trainer.bytesNeeded(headed, options(16, 20));
      long before = threads.getCurrentThreadAllocatedBytes();
      Trainer trainer = new Trainer(headed, heap, options(16, 20));
      long allocated = threads.getCurrentThreadAllocatedBytes() - before;
      assertEquals(0, trainer.updates());
      assertEquals(1, allocated / announced, 0.02, layers + " layers");
    }
  }

  @Test
  void initialisationIsAsNamed() {
    NetworkSpec big = NetworkSpec.recurrent(4, 1, LayerSpec.of(CellKind.LSTM, 24));
    Network plain = Network.create(big, Initialization.PYTORCH, 9);
    for (float v : plain.get("weight_ih_l0")) {
      assertTrue(Math.abs(v) <= 1 / Math.sqrt(24));
    }
    Network special =
        Network.create(
            big, new Initialization(false, Initialization.Recurrent.ORTHOGONAL, true, 0), 9);
    float[] w = special.get("weight_hh_l0");
    for (int gate = 0; gate < 4; gate++) {
      for (int a = 0; a < 24; a++) {
        for (int b = 0; b < 24; b++) {
          double dot = 0;
          for (int i = 0; i < 24; i++) {
            dot += (double) w[(gate * 24 + i) * 24 + a] * w[(gate * 24 + i) * 24 + b];
          }
          assertEquals(a == b ? 1 : 0, dot, 1e-5);
        }
      }
    }
    float[] ih = special.get("bias_ih_l0");
    float[] hh = special.get("bias_hh_l0");
    for (int j = 24; j < 48; j++) {
      assertEquals(1f, ih[j] + hh[j]);
    }
  }
}
