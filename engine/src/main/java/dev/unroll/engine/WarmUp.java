package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Makes a stream's layers on the vector kernels in a thread of low priority, after it has had the
 * kernels compiled for such networks by idle calls and by steps on scratch data. Vector code that
 * C2 has not compiled yet is a hundred times slower than scalar code and allocates; it is ready
 * when batches of steps allocate nothing and get no faster. Loading and choosing the vector kernels
 * takes long enough that it is done here too.
 */
final class WarmUp {
  /*
   * Idle steps before a real one. With more of them C2 takes what a kernel does for rare, and spills
   * registers inside its loops.
   */
  private static final int IDLE_STEPS = 8;

  /* Then real steps only, for what is never called idly. */
  private static final int MOST_ROUNDS = 1000;

  /*
   * Rests between them and after loading, in times of the work: the fewer steps before C2 is done,
   * the less of the callers' time goes to them. Only as long as the work while somebody waits, or
   * when the network is so large that its scalar steps cost the callers more.
   */
  private static final int LONG_REST = 3;
  private static final long LONGEST_REST_NANOS = 50_000_000L;
  private static final AtomicInteger WAITING = new AtomicInteger();

  /*
   * Before the first warm-up: C2 compiles the callers' scalar steps meanwhile, which would wait in its
   * queue behind what the warm-up has it compile. Unless somebody waits.
   */
  private static final long FIRST_REST_NANOS = 200_000_000L;

  private static final int STEPS = 100;

  /*
   * Steps after each batch, from a place that C2 does not compile. The batch may be fast because C2
   * has made all of a step part of its loop, while the parts on their own, which a caller finds after
   * the hand-over, still wait for their compilation and allocate.
   */
  private static final int PROBES = 3;
  private static final int QUIET_BATCHES = 8;
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  /*
   * After working for so long the thread rests for as long: where cores are few, it would take time
   * from the callers, and from the compiler that it waits for.
   */
  private static final long SHIFT_NANOS = 500_000L;

  private record Key(NetworkSpec spec, Kernels kernels) {}

  /* The kinds of networks whose kernels are compiled. */
  private static final Set<Key> WARM = ConcurrentHashMap.newKeySet();
  private static final Set<WarmUp> PENDING = ConcurrentHashMap.newKeySet();
  private static final LinkedBlockingQueue<WarmUp> QUEUE = new LinkedBlockingQueue<>();

  /** Started with the first warm-up. */
  private static final class Worker extends Thread {
    private static final Worker INSTANCE = new Worker();

    static {
      INSTANCE.start();
    }

    /* The priority is only courtesy: the warm-up is right at any. */
    @SuppressWarnings("ThreadPriorityCheck")
    private Worker() {
      super("unroll-warm-up");
      setDaemon(true);
      setPriority(MIN_PRIORITY);
    }

    @Override
    public void run() {
      work();
    }

    static void ensureStarted() {}

    static void wake() {
      LockSupport.unpark(INSTANCE);
    }
  }

  private final Backend backend;

  /* Until the layers are made: the network as it was when the stream was. */
  private @Nullable Network network;

  private final CountDownLatch ready = new CountDownLatch(1);
  private @Nullable StreamLayers layers;
  private volatile boolean done;

  private WarmUp(Network network, Backend backend) {
    this.network = network;
    this.backend = backend;
  }

  private static Key key(Network network, Backend backend) {
    return new Key(network.spec(), backend.kernels().with(network.weightFormat()));
  }

  /** Whether a stream may begin with the backend's own kernels. */
  static boolean isOver(Network network, Backend backend) {
    return backend.isChosen() && (!backend.needsWarmUp() || WARM.contains(key(network, backend)));
  }

  /** Begins to make the layers of a stream. */
  static WarmUp begin(Network network, Backend backend) {
    WarmUp task = new WarmUp(network.copy(), backend);
    PENDING.add(task);
    QUEUE.add(task);
    Worker.ensureStarted();
    return task;
  }

  /** Whether {@link #layers} are ready. */
  boolean isDone() {
    return done;
  }

  /** The layers on the backend's kernels, or null if the stream is to keep those that it has. */
  @Nullable StreamLayers layers() {
    return layers;
  }

  /** Waits for every warm-up begun so far. */
  static void awaitAll() throws InterruptedException {
    WAITING.incrementAndGet();
    try {
      for (WarmUp task : PENDING) {
        Worker.wake();
        task.ready.await();
      }
    } finally {
      WAITING.decrementAndGet();
    }
  }

  private static void work() {
    LockSupport.parkNanos(WAITING.get() > 0 ? 0 : FIRST_REST_NANOS);
    while (true) {
      try {
        QUEUE.take().run();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException | Error e) {
        /* That stream keeps its kernels. */
        Thread thread = Thread.currentThread();
        thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
      }
    }
  }

  private void run() {
    try {
      Network given = Memory.require(network, "a warm-up runs once");
      long awake = System.nanoTime();
      if (backend.needsWarmUp()) {
        LockSupport.parkNanos(longRest(System.nanoTime() - awake));
        awake = System.nanoTime();
        StreamLayers made = new StreamLayers(given, backend.kernels());
        Key key = key(given, backend);
        if (!WARM.contains(key)) {
          LockSupport.parkNanos(longRest(System.nanoTime() - awake));
          compile(given.spec(), new StreamLayers(given, backend.kernels(), made));
          WARM.add(key);
        }
        layers = made;
      }
    } finally {
      network = null;
      done = true;
      PENDING.remove(this);
      ready.countDown();
    }
  }

  /** Nanoseconds of rest after so much work, none while somebody waits. */
  private static long longRest(long work) {
    return WAITING.get() > 0 ? 0 : Math.max(work, Math.min(LONG_REST * work, LONGEST_REST_NANOS));
  }

  private static void compile(NetworkSpec spec, StreamLayers scratch) {
    ThreadMXBean bean = ManagementFactory.getThreadMXBean();
    float[] x = new float[spec.inputSize()];
    float[] y = new float[spec.networkOutputSize()];
    long start = System.nanoTime();
    beginIdly(scratch, bean);
    long fastest = Long.MAX_VALUE;
    int quiet = 0;
    while (quiet < QUIET_BATCHES && System.nanoTime() - start < PATIENCE_NANOS) {
      long bytes = allocatedBytes(bean);
      long nanos = runBatch(spec, scratch, x, y);
      for (int i = 0; i < PROBES; i++) {
        scratch.rehearse(x, y);
      }
      boolean settled = nanos > fastest - fastest / 10;
      fastest = Math.min(fastest, nanos);
      quiet = settled && allocatedBytes(bean) == bytes ? quiet + 1 : 0;
    }
  }

  /*
   * C2 compiles what has been called some thousand times. Until then every vector operation is a
   * loop of calls, all of which C2 would compile first. So most calls do nothing, and a few show C2
   * which way a step goes.
   */
  private static void beginIdly(StreamLayers scratch, ThreadMXBean bean) {
    boolean quiet = false;
    for (int round = 0; round < MOST_ROUNDS && !quiet; round++) {
      long awake = System.nanoTime();
      for (int i = 0; i < IDLE_STEPS; i++) {
        scratch.callKernels(true);
      }
      long bytes = allocatedBytes(bean);
      scratch.callKernels(false);
      quiet = allocatedBytes(bean) == bytes;
      long work = System.nanoTime() - awake;
      LockSupport.parkNanos(Math.max(work, longRest(work)));
    }
  }

  /** Nanoseconds that the steps took, without the rests. */
  private static long runBatch(NetworkSpec spec, StreamLayers scratch, float[] x, float[] y) {
    long nanos = 0;
    long awake = System.nanoTime();
    for (int i = 0; i < STEPS; i++) {
      step(spec, scratch, i, x, y);
      long shift = System.nanoTime() - awake;
      if (shift > SHIFT_NANOS || i == STEPS - 1) {
        nanos += shift;
        LockSupport.parkNanos(shift);
        awake = System.nanoTime();
      }
    }
    return nanos;
  }

  private static void step(NetworkSpec spec, StreamLayers scratch, int i, float[] x, float[] y) {
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
