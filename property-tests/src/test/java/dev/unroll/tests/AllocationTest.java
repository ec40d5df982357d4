package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Loss;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Optimizer;
import dev.unroll.engine.Stream;
import dev.unroll.engine.Trainer;
import dev.unroll.engine.Unrolled;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 0 bytes per step, sequence and training step, once C2 has compiled the kernels. */
class AllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int CALLS = 200;
  private static final long PATIENCE_NANOS = 30_000_000_000L;

  /* Until compiled, vector code boxes; a round without any byte proves that it no longer does. */
  private static void assertNoBytes(Runnable action) {
    long least = Long.MAX_VALUE;
    long start = System.nanoTime();
    while (least > 0 && System.nanoTime() - start < PATIENCE_NANOS) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < CALLS; i++) {
        action.run();
      }
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    assertEquals(0, least, "bytes in " + CALLS + " calls");
  }

  private static Network network(CellKind cell) {
    NetworkSpec spec = NetworkSpec.recurrent(20, 2, LayerSpec.of(cell, 40)).withHead(10);
    return Network.create(spec, Initialization.PYTORCH, 1);
  }

  @ParameterizedTest
  @EnumSource(CellKind.class)
  void aStepAllocatesNothing(CellKind cell) {
    Stream stream = new Stream(network(cell));
    float[] x = new float[20];
    float[] y = new float[10];
    assertNoBytes(() -> stream.step(x, y));
  }

  @ParameterizedTest
  @EnumSource(CellKind.class)
  void aSequenceAndItsBpttAllocateNothing(CellKind cell) {
    Network network = network(cell);
    Unrolled unrolled = new Unrolled(network, Backend.preferred(), 5, 3, true);
    float[] x = new float[5 * 3 * 20];
    float[] dy = new float[5 * 3 * 10];
    float[] dh = new float[5 * network.spec().hiddenStateSize()];
    float[] dc = new float[5 * network.spec().cellStateSize()];
    assertNoBytes(
        () -> {
          unrolled.forward(3, x);
          unrolled.output(dy);
          unrolled.backward(dy, dh, dc);
        });
  }

  @ParameterizedTest
  @EnumSource(CellKind.class)
  void aTrainingStepAllocatesNothing(CellKind cell) {
    Trainer trainer =
        new Trainer(
            network(cell),
            Backend.preferred(),
            new Trainer.Options(4, 3, Loss.SOFTMAX_CROSS_ENTROPY, Optimizer.Adam.defaults(), true));
    float[] x = new float[4 * 3 * 20];
    int[] target = new int[4 * 3];
    trainer.setClipNorm(0.1f);
    assertNoBytes(() -> trainer.step(x, target));
  }
}
