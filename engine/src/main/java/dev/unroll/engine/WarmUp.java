package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Has the vector kernels compiled for one kind of network, by steps on scratch data in a thread of
 * low priority. Vector code that C2 has not compiled yet is a hundred times slower than scalar code
 * and allocates; it is ready when batches of steps allocate nothing and get no faster.
 */
final class WarmUp {
  private static final int STEPS = 100;
  private static final int QUIET_BATCHES = 8;
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  /*
   * After working for so long the thread rests for as long: where cores are few, it would take time
   * from the callers, and from the compiler that it waits for.
   */
  private static final long SHIFT_NANOS = 500_000L;

  private record Key(NetworkSpec spec, Kernels kernels) {}

  private static final Map<Key, WarmUp> KNOWN = new ConcurrentHashMap<>();
  private static final LinkedBlockingQueue<WarmUp> QUEUE = new LinkedBlockingQueue<>();

  /** Started with the first warm-up. */
  private static final class Worker {
    static final Thread THREAD = new Thread(WarmUp::work, "unroll-warm-up");

    static {
      start();
    }

    /* The priority is only courtesy: the warm-up is right at any. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static void start() {
      THREAD.setDaemon(true);
      THREAD.setPriority(Thread.MIN_PRIORITY);
      THREAD.start();
    }

    static void ensureStarted() {}
  }

  private @Nullable StreamLayers layers;
  private final NetworkSpec spec;
  private final CountDownLatch ready = new CountDownLatch(1);
  private volatile boolean done;

  private WarmUp(Network network, Kernels kernels, StreamLayers shared) {
    spec = network.spec();
    layers = new StreamLayers(network, kernels, shared);
  }

  /** The warm-up of such networks, begun with the first of them. */
  static WarmUp of(Network network, Kernels kernels, StreamLayers layers) {
    return KNOWN.computeIfAbsent(
        new Key(network.spec(), kernels.with(network.weightFormat())),
        key -> {
          WarmUp task = new WarmUp(network, kernels, layers);
          QUEUE.add(task);
          Worker.ensureStarted();
          return task;
        });
  }

  /** Whether the kernels are ready. */
  boolean isDone() {
    return done;
  }

  /** Waits for every warm-up begun so far. */
  static void awaitAll() throws InterruptedException {
    for (WarmUp task : KNOWN.values()) {
      task.ready.await();
    }
  }

  private static void work() {
    while (true) {
      try {
        QUEUE.take().run();
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void run() {
    StreamLayers scratch = Memory.require(layers, "a warm-up runs once");
    try {
      ThreadMXBean bean = ManagementFactory.getThreadMXBean();
      float[] x = new float[spec.inputSize()];
      float[] y = new float[spec.networkOutputSize()];
      long start = System.nanoTime();
      long fastest = Long.MAX_VALUE;
      int quiet = 0;
      while (quiet < QUIET_BATCHES && System.nanoTime() - start < PATIENCE_NANOS) {
        long bytes = allocatedBytes(bean);
        long nanos = runBatch(scratch, x, y);
        boolean settled = nanos > fastest - fastest / 10;
        fastest = Math.min(fastest, nanos);
        quiet = settled && allocatedBytes(bean) == bytes ? quiet + 1 : 0;
      }
    } finally {
      layers = null;
      done = true;
      ready.countDown();
    }
  }

  /** Nanoseconds that the steps took, without the rests. */
  private long runBatch(StreamLayers scratch, float[] x, float[] y) {
    long nanos = 0;
    long awake = System.nanoTime();
    for (int i = 0; i < STEPS; i++) {
      step(scratch, i, x, y);
      long shift = System.nanoTime() - awake;
      if (shift > SHIFT_NANOS || i == STEPS - 1) {
        nanos += shift;
        LockSupport.parkNanos(shift);
        awake = System.nanoTime();
      }
    }
    return nanos;
  }

  private void step(StreamLayers scratch, int i, float[] x, float[] y) {
    if (spec.input() == NetworkSpec.Input.FEATURES) {
      x[i % x.length] = (i & 15) / 16f;
      scratch.step(x, y);
    } else {
      scratch.step(i % spec.inputSize(), y);
    }
  }

  /** Bytes allocated by this thread, or 0 where the virtual machine does not count them. */
  private static long allocatedBytes(ThreadMXBean bean) {
    return bean instanceof com.sun.management.ThreadMXBean threads
        ? threads.getCurrentThreadAllocatedBytes()
        : 0;
  }
}
