package dev.unroll.tests;

import com.sun.management.ThreadMXBean;
import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Loss;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Optimizer;
import dev.unroll.engine.Trainer;
import java.lang.management.ManagementFactory;

/** A program that counts the bytes of training steps, round by round, until there are none. */
final class TrainingBytes {
  private static final int STEPS = 100;
  private static final long PATIENCE_NANOS = 30_000_000_000L;

  private TrainingBytes() {}

  /** Cell, hidden size, batch, most rounds. */
  public static void main(String[] args) {
    int batch = Integer.parseInt(args[2]);
    LayerSpec layer = LayerSpec.of(CellKind.valueOf(args[0]), Integer.parseInt(args[1]));
    NetworkSpec spec = NetworkSpec.recurrent(21, 2, layer).withHead(5);
    Trainer trainer =
        new Trainer(
            Network.create(spec, Initialization.PYTORCH, 1),
            Backend.preferred(),
            new Trainer.Options(
                batch, 6, Loss.SOFTMAX_CROSS_ENTROPY, Optimizer.Adam.defaults(), false));
    float[] x = new float[batch * 6 * 21];
    int[] target = new int[batch * 6];
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    trainer.step(x, target); // loads classes
    long start = System.nanoTime();
    long bytes;
    int rounds = 0;
    do {
      bytes = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < STEPS; i++) {
        trainer.step(x, target);
      }
      bytes = threads.getCurrentThreadAllocatedBytes() - bytes;
      rounds++;
    } while (bytes > 0
        && rounds < Integer.parseInt(args[3])
        && System.nanoTime() - start < PATIENCE_NANOS);
    System.out.println(bytes + " bytes");
  }
}
