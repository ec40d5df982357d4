package dev.unroll.engine;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Threads that share one piece of work after the other: the caller and workers that spin for a
 * moment after each piece, then park. Handing work out allocates nothing.
 */
final class Team {
  /** Work in parts. */
  interface Task {
    /** Does one part; the parts run at the same time. */
    void run(int part, int parts);
  }

  /* About a tenth of a millisecond: the gap between two kernels of a training step. */
  private static final int SPINS_BEFORE_PARKING = 5_000;
  private static final int SPINS_BEFORE_YIELDING = 1_000;

  private static final Map<Integer, Team> TEAMS = new ConcurrentHashMap<>();

  private final ReentrantLock lock = new ReentrantLock();
  private final Worker[] workers;
  private final AtomicInteger running = new AtomicInteger();
  private volatile int round;
  private @Nullable Task task;
  private volatile @Nullable Throwable failure;

  private Team(int threads) {
    workers = new Worker[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Worker(i + 1);
      workers[i].start();
    }
  }

  /** Runs all parts by a team, or as one part in the caller where that is null or busy. */
  static void share(@Nullable Team team, boolean worthwhile, Task work) {
    if (team == null || !worthwhile || !team.acquire()) {
      work.run(0, 1);
    } else {
      team.run(work);
    }
  }

  /** The team of so many threads, the caller included; one for the whole process. */
  static Team of(int threads) {
    return TEAMS.computeIfAbsent(threads, Team::new);
  }

  /**
   * Whether the caller may hand out work now; if so it must {@link #run} it. Not from inside a
   * part.
   */
  boolean acquire() {
    return !lock.isHeldByCurrentThread() && lock.tryLock();
  }

  int size() {
    return workers.length + 1;
  }

  /** Runs all parts, one of them in the caller, waits for them and gives the team back. */
  void run(Task work) {
    try {
      runParts(work);
    } finally {
      lock.unlock();
    }
  }

  private void runParts(Task work) {
    task = work;
    running.set(workers.length);
    next();
    for (Worker worker : workers) {
      if (worker.parked) {
        LockSupport.unpark(worker);
      }
    }
    try {
      work.run(0, workers.length + 1);
    } finally {
      awaitWorkers();
    }
    Throwable thrown = failure;
    if (thrown != null) {
      failure = null;
      throw new IllegalStateException("a worker failed", thrown);
    }
  }

  /* Only the holder of the lock writes it. */
  @SuppressWarnings("NonAtomicVolatileUpdate")
  private void next() {
    round++;
  }

  @SuppressWarnings(
      "ThreadPriorityCheck") // gives way where there are fewer processors than threads
  private void awaitWorkers() {
    for (int spins = 0; running.get() > 0; spins++) {
      if (spins < SPINS_BEFORE_YIELDING) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  private final class Worker extends Thread {
    private final int part;
    volatile boolean parked;

    Worker(int part) {
      super("unroll-worker-" + part);
      this.part = part;
      setDaemon(true);
    }

    @Override
    public void run() {
      int seen = 0;
      while (true) {
        await(seen);
        seen = round;
        try {
          Memory.require(task, "a round has a task").run(part, workers.length + 1);
        } catch (Throwable e) {
          failure = e;
        }
        running.decrementAndGet();
      }
    }

    private void await(int seen) {
      int spins = 0;
      while (round == seen) {
        if (spins < SPINS_BEFORE_PARKING) {
          spins++;
          Thread.onSpinWait();
        } else {
          parked = true;
          if (round == seen) {
            LockSupport.park(this);
          }
          parked = false;
        }
      }
    }
  }
}
