package dev.unroll.tests;

import com.sun.management.ThreadMXBean;
import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Stream;
import dev.unroll.engine.StreamBatch;
import dev.unroll.fallback.WeightFormat;
import java.lang.management.ManagementFactory;

/**
 * A program that counts the bytes of the steps of a stream, or of a batch of them, from the first
 * one, over the hand-over, until everything is compiled.
 */
final class HandOver {

  /* Apart, since the virtual machine makes the strings of a class before it compiles a method. */
  static final class Caller {
    static Runnable of(Network network, Backend backend, int batch, float[] x, float[] y) {
      if (batch == 0) {
        Stream stream = new Stream(network, backend);
        return () -> stream.step(x, y);
      }
      StreamBatch streams = new StreamBatch(network, backend, batch);
      return () -> streams.step(x, y);
    }

    static long run(Runnable step, long nanos, ThreadMXBean threads) {
      long end = System.nanoTime() + nanos;
      long bytes = threads.getCurrentThreadAllocatedBytes();
      do {
        step.run();
      } while (System.nanoTime() < end);
      return threads.getCurrentThreadAllocatedBytes() - bytes;
    }
  }

  private HandOver() {}

  /**
   * Cell, hidden size, projection (0 for none), layers, weight format, streams (0 for one alone).
   */
  public static void main(String[] args) throws InterruptedException {
    int hidden = Integer.parseInt(args[1]);
    int projection = Integer.parseInt(args[2]);
    LayerSpec layer = new LayerSpec(CellKind.valueOf(args[0]), hidden, projection, true);
    NetworkSpec spec = NetworkSpec.recurrent(21, Integer.parseInt(args[3]), layer).withHead(5);
    Network network = Network.create(spec, Initialization.PYTORCH, 1);
    network = network.quantize(WeightFormat.valueOf(args[4]));
    int batch = Integer.parseInt(args[5]);
    float[] x = new float[Math.max(1, batch) * 21];
    float[] y = new float[Math.max(1, batch) * 5];
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Backend scalar = Backend.choose("fallback");
    Caller.run(Caller.of(network, scalar, batch, x, y), 0, threads); // loads the program's classes
    Runnable step = Caller.of(network, Backend.preferred(), batch, x, y);
    long bytes = Caller.run(step, 300_000_000L, threads);
    Backend.warmUp();
    bytes += Caller.run(step, 500_000_000L, threads);
    System.out.println(bytes + " bytes");
  }
}
