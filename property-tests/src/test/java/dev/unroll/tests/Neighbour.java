package dev.unroll.tests;

import com.sun.management.ThreadMXBean;
import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Stream;
import java.lang.management.ManagementFactory;

/**
 * A program that counts the bytes of the steps of a stream on compiled kernels while those of
 * another network are compiled, which may be the same kernels on other ways through them.
 */
final class Neighbour {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Neighbour() {}

  /** Cell, inputs, hidden size and layers, and those of the other network. */
  public static void main(String[] args) throws InterruptedException {
    Network network = network(args, 0);
    Network other = network(args, 4);
    Stream stream = new Stream(network);
    float[] x = new float[network.spec().inputSize()];
    float[] y = new float[network.spec().networkOutputSize()];
    Backend.warmUp();
    Thread idle = new Thread(() -> {});
    run(stream, x, y, idle, 500_000_000L);
    Thread neighbour = new Thread(() -> use(other));
    neighbour.start();
    System.out.println(run(stream, x, y, neighbour, 0) + " bytes");
  }

  private static Network network(String[] args, int at) {
    int inputs = Integer.parseInt(args[at + 1]);
    LayerSpec layer = LayerSpec.of(CellKind.valueOf(args[at]), Integer.parseInt(args[at + 2]));
    NetworkSpec spec = NetworkSpec.recurrent(inputs, Integer.parseInt(args[at + 3]), layer);
    return Network.create(spec, Initialization.PYTORCH, 1);
  }

  private static void use(Network network) {
    try {
      Stream stream = new Stream(network);
      Backend.warmUp();
      float[] x = new float[network.spec().inputSize()];
      stream.step(x, new float[network.spec().networkOutputSize()]);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /* For so long at least, and as long as the thread lives. */
  private static long run(Stream stream, float[] x, float[] y, Thread thread, long nanos) {
    long end = System.nanoTime() + nanos;
    long bytes = THREADS.getCurrentThreadAllocatedBytes();
    do {
      stream.step(x, y);
    } while (thread.isAlive() || System.nanoTime() < end);
    return THREADS.getCurrentThreadAllocatedBytes() - bytes;
  }
}
