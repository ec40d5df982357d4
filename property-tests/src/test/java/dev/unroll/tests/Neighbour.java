package dev.unroll.tests;

import com.sun.management.ThreadMXBean;
import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CompletableFuture;

/**
 * A program that counts the bytes of the steps of a stream on compiled kernels while those of
 * another network are compiled, which may be the same kernels on other ways through them.
 */
final class Neighbour {
  private Neighbour() {}

  /** Cell, inputs, hidden size and layers, and those of the other network. */
  public static void main(String[] args) throws InterruptedException {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Network other = network(args, 4);
    Runnable step = step(network(args, 0));
    Backend.warmUp();
    HandOver.Caller.run(step, 500_000_000L, threads);
    CompletableFuture<Void> neighbour = CompletableFuture.runAsync(() -> use(other));
    long bytes = 0;
    do {
      bytes += HandOver.Caller.run(step, 10_000_000L, threads);
    } while (!neighbour.isDone());
    neighbour.join(); // if it failed, so does this
    System.out.println(bytes + " bytes");
  }

  private static Runnable step(Network network) {
    float[] x = new float[network.spec().inputSize()];
    float[] y = new float[network.spec().networkOutputSize()];
    return HandOver.Caller.of(network, Backend.preferred(), 0, x, y);
  }

  private static Network network(String[] args, int at) {
    int inputs = Integer.parseInt(args[at + 1]);
    LayerSpec layer = LayerSpec.of(CellKind.valueOf(args[at]), Integer.parseInt(args[at + 2]));
    NetworkSpec spec = NetworkSpec.recurrent(inputs, Integer.parseInt(args[at + 3]), layer);
    return Network.create(spec, Initialization.PYTORCH, 1);
  }

  private static void use(Network network) {
    Runnable step = step(network);
    try {
      Backend.warmUp();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    step.run();
  }
}
