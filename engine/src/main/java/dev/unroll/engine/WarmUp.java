package dev.unroll.engine;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Makes the layers of a stream or of sequences on the vector kernels in a thread of low priority,
 * after it has had the kernels compiled for such networks by idle calls and by steps on scratch
 * data. Vector code that C2 has not compiled yet is a hundred times slower than scalar code and
 * allocates; it is ready when batches of steps allocate nothing and get no faster. Where that never
 * comes, as C2 refuses a kernel, callers keep the scalar ones. Loading and choosing the vector
 * kernels takes long enough that it is done here too.
 *
 * @param <T> what is made
 */
final class WarmUp<T> {

  /** What is to be made, and how to try it out. */
  interface Plan<T> {
    /** The kernels that it is for. */
    Backend backend();

    /** Equal for plans that call the same kernels in the same way; asked for in the background. */
    Object key();

    /** Whether to rest little, as callers want many steps more than even ones. */
    boolean isHurried();

    /** Makes it on the kernels of the backend. */
    T make();

    /** The same on scratch data. */
    Scratch scratch(T made);
  }

  /** Steps on scratch data. */
  interface Scratch {
    /** Steps of about as much work as {@link #STEPS} of a stream. */
    default int steps() {
      return STEPS;
    }

    /**
     * Calls of the kernels of a step for C2 to count, with as little work as can be; each until
     * what it calls is compiled, before the next.
     */
    List<Runnable> calls();

    /** What comes before a batch of steps and may allocate. */
    default void prepare() {}

    /** One step, as the caller would. */
    void step(int i);

    /** The same, called from a place that C2 does not compile. */
    void probe();
  }

  /* Of first calls; then steps only, for what those never call. */
  private static final int MOST_ROUNDS = 1000;

  /* Those of training. */
  private static final int REHEARSALS = 1500;

  /*
   * Rests between them, in times of the work: the fewer steps before C2 is done, the less of the
   * callers' time goes to them. Only as long as the work while somebody waits, or when the network
   * is so large that its scalar steps cost the callers more.
   */
  private static final int LONG_REST = 3;
  private static final long LONGEST_REST_NANOS = 50_000_000L;
  private static final AtomicInteger WAITING = new AtomicInteger();

  /*
   * Before the first warm-up of a stream: C2 compiles the callers' scalar steps meanwhile, which would
   * wait in its queue behind what the warm-up has it compile. Unless somebody waits.
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

  /* Fewer if they take longer, as callers lose more then; but more than one could be by chance. */
  private static final int LEAST_QUIET_BATCHES = 3;
  private static final long QUIET_NANOS = 100_000_000L;
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  /* Bytes of a step that may be an agent's: one that is not compiled makes ten times as many at least. */
  private static final long LITTLE_GARBAGE = 1024;

  /*
   * After working for so long the thread rests for as long: where cores are few, it would take time
   * from the callers, and from the compiler that it waits for.
   */
  private static final long SHIFT_NANOS = 500_000L;

  /* The part of their work that hurried plans rest. */
  private static final int HURRY = 4;

  /* Keys of the plans whose kernels are compiled. */
  private static final Set<Object> WARM = ConcurrentHashMap.newKeySet();

  /* Their callers hold them; whoever is gone needs no kernels, and no memory until its turn. */
  private static final Set<WarmUp<?>> PENDING =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));
  private static final LinkedBlockingQueue<WeakReference<WarmUp<?>>> QUEUE =
      new LinkedBlockingQueue<>();

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

  /* Until it is carried out: it may hold a copy of a network. */
  private @Nullable Plan<T> plan;

  private final boolean hurried;
  private final CountDownLatch ready = new CountDownLatch(1);
  private @Nullable T made;
  private volatile boolean done;

  private WarmUp(Plan<T> plan) {
    this.plan = plan;
    hurried = plan.isHurried();
  }

  /** Whether a caller may begin with the backend's own kernels. */
  static boolean isOver(Plan<?> plan) {
    Backend backend = plan.backend();
    return backend.isChosen() && (!backend.needsWarmUp() || WARM.contains(plan.key()));
  }

  /** Begins to carry out a plan. */
  static <T> WarmUp<T> begin(Plan<T> plan) {
    WarmUp<T> task = new WarmUp<>(plan);
    PENDING.add(task);
    QUEUE.add(new WeakReference<>(task));
    Worker.ensureStarted();
    return task;
  }

  /** Whether {@link #made} is ready. */
  boolean isDone() {
    return done;
  }

  /**
   * What was made, or null if the caller is to keep what it has: it is faster, or there is no
   * other.
   */
  @Nullable T made() {
    return made;
  }

  /** Waits for every warm-up begun so far. */
  static void awaitAll() throws InterruptedException {
    WAITING.incrementAndGet();
    try {
      for (WarmUp<?> task : new ArrayList<>(PENDING)) {
        Worker.wake();
        task.ready.await();
      }
    } finally {
      WAITING.decrementAndGet();
    }
  }

  private static void work() {
    boolean rested = false;
    while (true) {
      try {
        WarmUp<?> task = QUEUE.take().get();
        if (task == null) {
          continue;
        }
        if (!rested && !task.hurried) {
          LockSupport.parkNanos(WAITING.get() > 0 ? 0 : FIRST_REST_NANOS);
          rested = true;
        }
        task.run();
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
      Plan<T> given = Memory.require(plan, "a warm-up runs once");
      if (given.backend().needsWarmUp()) {
        T result = given.make();
        Object key = given.key();
        if (!WARM.contains(key)) {
          if (!compile(given.scratch(result))) {
            return;
          }
          WARM.add(key);
        }
        made = result;
      }
    } finally {
      plan = null;
      done = true;
      PENDING.remove(this);
      ready.countDown();
    }
  }

  /** Nanoseconds of rest after so much work, none while somebody waits. */
  private static long longRest(long work) {
    return WAITING.get() > 0 ? 0 : Math.max(work, Math.min(LONG_REST * work, LONGEST_REST_NANOS));
  }

  private void rest(long work, long nanos) {
    LockSupport.parkNanos(hurried ? work / HURRY : nanos);
  }

  /* Whether the kernels are compiled in the end; where C2 refuses one, scalar kernels are faster. */
  private boolean compile(Scratch scratch) {
    ThreadMXBean bean = ManagementFactory.getThreadMXBean();
    long start = System.nanoTime();
    for (Runnable call : scratch.calls()) {
      begin(call);
    }
    long fastest = Long.MAX_VALUE;
    long garbage = 0;
    int quiet = 0;
    long quietNanos = 0;
    while (!isEnough(quiet, quietNanos) && System.nanoTime() - start < PATIENCE_NANOS) {
      scratch.prepare();
      long bytes = allocatedBytes(bean);
      long nanos = runBatch(scratch);
      for (int i = 0; i < PROBES; i++) {
        scratch.probe();
      }
      boolean settled = nanos > fastest - fastest / 10;
      fastest = Math.min(fastest, nanos);
      garbage = allocatedBytes(bean) - bytes;
      boolean calm = settled && garbage == 0;
      quiet = calm ? quiet + 1 : 0;
      quietNanos = calm ? quietNanos + nanos : 0;
    }
    return garbage < LITTLE_GARBAGE * scratch.steps();
  }

  private static boolean isEnough(int quiet, long nanos) {
    return quiet >= (nanos < QUIET_NANOS ? QUIET_BATCHES : LEAST_QUIET_BATCHES);
  }

  /*
   * C2 compiles what has been called some thousand times. Until then every vector operation is a
   * loop of calls, all of which C2 would compile first. So the first calls have little to do.
   */
  private void begin(Runnable call) {
    callUntilQuiet(
        MOST_ROUNDS,
        () -> {
          long awake = System.nanoTime();
          call.run();
          long work = System.nanoTime() - awake;
          rest(work, Math.max(work, longRest(work)));
        });
  }

  /** The same in the caller's thread, which waits for it, and not for what is called seldom. */
  static void rehearse(Runnable call) {
    callUntilQuiet(REHEARSALS, call);
  }

  /* Until a call allocates nothing, as vectors do that are not compiled. */
  private static void callUntilQuiet(int rounds, Runnable call) {
    ThreadMXBean bean = ManagementFactory.getThreadMXBean();
    boolean quiet = false;
    for (int round = 0; round < rounds && !quiet; round++) {
      long bytes = allocatedBytes(bean);
      call.run();
      quiet = allocatedBytes(bean) == bytes;
    }
  }

  /** Nanoseconds that the steps took, without the rests. */
  private long runBatch(Scratch scratch) {
    long nanos = 0;
    int steps = scratch.steps();
    long awake = System.nanoTime();
    for (int i = 0; i < steps; i++) {
      scratch.step(i);
      long shift = System.nanoTime() - awake;
      if (shift > SHIFT_NANOS || i == steps - 1) {
        nanos += shift;
        rest(shift, shift);
        awake = System.nanoTime();
      }
    }
    return nanos;
  }

  /** Bytes allocated by this thread, or 0 where the virtual machine does not count them. */
  private static long allocatedBytes(ThreadMXBean bean) {
    return bean instanceof com.sun.management.ThreadMXBean threads
        ? threads.getCurrentThreadAllocatedBytes()
        : 0;
  }
}
