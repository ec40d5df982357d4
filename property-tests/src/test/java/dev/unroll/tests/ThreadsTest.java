package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import dev.unroll.engine.Rng;
import dev.unroll.engine.StreamBatch;
import dev.unroll.engine.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Threads change the time only: sizes here are large enough that all kernels are shared. */
class ThreadsTest {
  private static final int BATCH = 43;
  private static final int TIME = 5;
  private static final int INPUTS = 310;
  private static final int OUTPUTS = 40;
  private static final Backend VECTORS = Backend.of(Backend.preferred().kernels());

  private static NetworkSpec spec(CellKind cell) {
    return NetworkSpec.recurrent(INPUTS, 2, LayerSpec.of(cell, 100)).withHead(OUTPUTS);
  }

  private static Trainer trainer(Network network, Backend backend) {
    Trainer trainer =
        new Trainer(
            network,
            backend,
            new Trainer.Options(
                BATCH, TIME, Loss.SOFTMAX_CROSS_ENTROPY, Optimizer.Adam.defaults(), true));
    trainer.setClipNorm(0.5f);
    return trainer;
  }

  /* Losses and parameters of some training steps on features and on class ids. */
  private static List<float[]> train(Network network, Network ofIds, Backend backend) {
    Trainer trainer = trainer(network, backend);
    Trainer trainerOfIds = trainer(ofIds, backend);
    Rng rng = new Rng(5);
    int[] ids = new int[BATCH * TIME];
    int[] target = new int[BATCH * TIME];
    List<float[]> results = new ArrayList<>();
    for (int step = 0; step < 4; step++) {
      float[] x = Networks.random(BATCH * TIME * INPUTS, rng);
      Arrays.setAll(ids, i -> rng.nextInt(INPUTS));
      Arrays.setAll(target, i -> rng.nextInt(OUTPUTS));
      float loss = (float) trainer.step(x, target);
      results.add(new float[] {loss, (float) trainerOfIds.step(ids, target)});
    }
    network.parameters().forEach(p -> results.add(network.get(p.name())));
    ofIds.parameters().forEach(p -> results.add(ofIds.get(p.name())));
    return results;
  }

  /* Of training, and the outputs of a batch of streams. */
  private static List<float[]> train(CellKind cell, Backend backend) {
    Network network = Network.create(spec(cell), Initialization.PYTORCH, 3);
    Network ofIds =
        Network.create(
            NetworkSpec.recurrent(INPUTS, 1, LayerSpec.of(cell, 333))
                .withOneHotInput()
                .withHead(OUTPUTS),
            Initialization.PYTORCH,
            3);
    List<float[]> results = train(network, ofIds, backend);
    Rng rng = new Rng(4);
    StreamBatch streams = new StreamBatch(network, backend, BATCH);
    float[] h = new float[network.spec().hiddenStateSize()];
    float[] c = new float[network.spec().cellStateSize()];
    for (int step = 0; step < 4; step++) {
      float[] y = new float[BATCH * OUTPUTS];
      streams.step(Networks.random(BATCH * INPUTS, rng), y);
      results.add(y);
      if (step == 1) {
        streams.saveState(BATCH - 1, h, c);
        streams.restoreState(2, h, c);
        streams.reset(1);
      }
    }
    results.add(h);
    results.add(c);
    return results;
  }

  private static void assertSame(List<float[]> expected, List<float[]> actual, String what) {
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i), what + ", result " + i);
    }
  }

  @ParameterizedTest
  @EnumSource
  void anyNumberOfThreadsGivesTheSameBits(CellKind cell) {
    List<float[]> expected = train(cell, Backend.choose("fallback"));
    for (int threads : new int[] {1, 2, 3, 7}) {
      assertSame(expected, train(cell, VECTORS.withThreads(threads)), threads + "");
    }
  }

  @ParameterizedTest
  @EnumSource
  void streamsOnThreadsChangeOverWithTheSameBits(CellKind cell) throws InterruptedException {
    Network network = Network.create(spec(cell), Initialization.PYTORCH, 3);
    StreamBatch scalar = new StreamBatch(network, Backend.choose("fallback"), BATCH);
    StreamBatch begun = new StreamBatch(network, Backend.preferred().withThreads(3), BATCH);
    Rng rng = new Rng(4);
    float[] expected = new float[BATCH * OUTPUTS];
    float[] y = new float[BATCH * OUTPUTS];
    for (int step = 0; step < 6; step++) {
      if (step == 3) {
        Backend.warmUp();
      }
      float[] x = Networks.random(BATCH * INPUTS, rng);
      scalar.step(x, expected);
      begun.step(x, y);
      assertArrayEquals(expected, y, "step " + step);
    }
  }

  @Test
  void trainersMayShareATeam() throws Exception {
    List<float[]> expected = train(CellKind.LSTM, VECTORS);
    ExecutorService callers = Executors.newFixedThreadPool(3);
    try {
      List<Future<List<float[]>>> results = new ArrayList<>();
      for (int i = 0; i < 9; i++) {
        results.add(callers.submit(() -> train(CellKind.LSTM, VECTORS.withThreads(2))));
      }
      for (Future<List<float[]>> result : results) {
        assertSame(expected, result.get(), "trainers at the same time");
      }
    } finally {
      callers.shutdown();
    }
  }

  @Test
  void aBadNumberOfThreadsIsNamed() {
    for (int count : new int[] {0, -1, 5000}) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> Backend.preferred().withThreads(count))
              .getMessage();
      assertTrue(message.contains("threads must be from 1") && message.contains("" + count));
    }
  }
}
