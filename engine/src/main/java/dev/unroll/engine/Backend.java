package dev.unroll.engine;

import dev.unroll.fallback.Fma;
import dev.unroll.fallback.KernelProvider;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.ScalarKernels;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/**
 * The kernels in use and why. The results do not depend on the choice, only the speed does.
 *
 * <p>The system property {@value #PROPERTY} forces a choice: {@code auto}, {@code simd} or {@code
 * fallback}.
 */
public final class Backend {
  /** System property that forces a choice of kernels. */
  public static final String PROPERTY = "unroll.kernels";

  private static final int MAX_THREADS = 1024;
  private static final String AUTO = "auto";
  private static final String FALLBACK = "fallback";

  private record Choice(Kernels kernels, String reason) {}

  private final Kernels starter;
  private final int threads;

  /* The backend whose choice this one shares; null if it makes its own. */
  private final @Nullable Backend origin;

  private volatile @Nullable Choice chosen;
  private @Nullable Kernels shared;

  private Backend(Kernels starter, int threads, @Nullable Choice chosen, @Nullable Backend origin) {
    this.starter = starter;
    this.threads = threads;
    this.chosen = chosen;
    this.origin = origin;
  }

  private static Backend of(Kernels starter, Choice choice) {
    return new Backend(starter, 1, choice, null);
  }

  /* Unless given made when first asked for, which takes as long as the virtual machine's start. */
  private Choice choice() {
    Choice choice = chosen;
    return choice != null ? choice : chooseOnce();
  }

  private synchronized Choice chooseOnce() {
    Choice choice = chosen;
    if (choice == null) {
      choice = origin == null ? auto() : origin.choice();
      chosen = choice;
    }
    return choice;
  }

  /**
   * The same kernels with the work of batches and of training shared by several threads. The bits
   * do not depend on their number, and nothing is allocated per step. The threads are daemons, one
   * team of a size for the whole process; a single {@link Stream} does not use them.
   *
   * @param count threads, the caller included
   * @return the backend
   * @throws IllegalArgumentException if the count is not from 1 to 1024
   */
  public Backend withThreads(int count) {
    if (count < 1 || count > MAX_THREADS) {
      throw new IllegalArgumentException(
          "threads must be from 1 to " + MAX_THREADS + ", not " + count);
    }
    return new Backend(starter, count, chosen, this);
  }

  /** The kernels for batches: those of this backend, shared by its threads. */
  synchronized Kernels batchKernels() {
    Kernels batch = shared;
    if (batch == null) {
      batch = ParallelKernels.of(kernels(), threads);
      shared = batch;
    }
    return batch;
  }

  int threads() {
    return threads;
  }

  /**
   * The kernels for batches while {@link #batchKernels} are not compiled yet. They leave a
   * processor to the compilers, or those would take twice as long.
   */
  Kernels batchStarter() {
    int others = Math.max(1, Runtime.getRuntime().availableProcessors() - 1);
    return ParallelKernels.of(starter, Math.min(threads, others));
  }

  /** The process-wide choice, made once, when first asked for. */
  private static final class Default {
    static final Backend INSTANCE = choose(System.getProperty(PROPERTY, AUTO));
  }

  /**
   * The backend of this process: the best that runs well here, or the one that {@value #PROPERTY}
   * names.
   *
   * @return the same instance each time
   * @throws UnsupportedOperationException if the property names kernels that cannot be had
   */
  public static Backend preferred() {
    return Default.INSTANCE;
  }

  /**
   * Chooses kernels by name.
   *
   * @param name {@code auto}, {@code simd} or {@code fallback}
   * @return the backend
   * @throws IllegalArgumentException if the name is none of these
   * @throws UnsupportedOperationException if the named kernels cannot be had, with the reason
   */
  public static Backend choose(String name) {
    return switch (name) {
      case FALLBACK -> of(ScalarKernels.instance(), scalar("asked for"));
      case AUTO -> new Backend(ScalarKernels.instance(), 1, null, null);
      case "simd" -> of(ScalarKernels.instance(), forced(name));
      default ->
          throw new IllegalArgumentException(
              "unknown kernels '" + name + "'; choose auto, simd or fallback");
    };
  }

  /**
   * A backend over given kernels, for tests and measurements.
   *
   * @param kernels the kernels
   * @return the backend
   */
  public static Backend of(Kernels kernels) {
    return of(kernels, new Choice(kernels, "given by the caller"));
  }

  private static Choice scalar(String reason) {
    return new Choice(ScalarKernels.instance(), reason);
  }

  /** Whether {@link #kernels} are known without delay. */
  boolean isChosen() {
    return chosen != null;
  }

  /** The kernels for the first steps, while {@link #kernels} are not compiled yet. */
  Kernels starter() {
    return starter;
  }

  /** Whether a stream has to start on other kernels. */
  boolean needsWarmUp() {
    return !starter.name().equals(kernels().name());
  }

  /**
   * Waits until all streams, batches of them and {@link Unrolled} sequences for inference made so
   * far may change over to the compiled vector kernels; they do so with their next step.
   *
   * @throws InterruptedException if the thread is interrupted meanwhile
   */
  public static void warmUp() throws InterruptedException {
    WarmUp.awaitAll();
  }

  private static Choice auto() {
    List<String> obstacles = new ArrayList<>();
    for (KernelProvider provider : providers(obstacles)) {
      String obstacle = provider.obstacle();
      if (obstacle.isEmpty()) {
        return new Choice(provider.kernels(), "the fastest that runs here");
      }
      obstacles.add(provider.name() + " not used: " + obstacle);
    }
    if (obstacles.isEmpty()) {
      obstacles.add("simd not used: module dev.unroll.simd is missing");
    }
    return scalar(String.join("; ", obstacles));
  }

  private static Choice forced(String name) {
    List<String> obstacles = new ArrayList<>();
    for (KernelProvider provider : providers(obstacles)) {
      if (provider.name().equals(name)) {
        String obstacle = provider.obstacle();
        if (!obstacle.isEmpty()) {
          throw new UnsupportedOperationException(name + " kernels cannot be had: " + obstacle);
        }
        return new Choice(provider.kernels(), "asked for");
      }
    }
    String why = obstacles.isEmpty() ? "module dev.unroll.simd is missing" : obstacles.get(0);
    throw new UnsupportedOperationException(name + " kernels cannot be had: " + why);
  }

  /* A provider compiled for a newer JDK or for an absent module fails to load; that is a reason, no error. */
  private static List<KernelProvider> providers(List<String> obstacles) {
    List<KernelProvider> found = new ArrayList<>();
    Iterator<KernelProvider> services =
        ServiceLoader.load(KernelProvider.class, Backend.class.getClassLoader()).iterator();
    while (true) {
      try {
        if (!services.hasNext()) {
          return found;
        }
        found.add(services.next());
      } catch (UnsupportedClassVersionError e) {
        obstacles.add("simd not used: it needs JDK 25, this is " + Runtime.version().feature());
        return found;
      } catch (ServiceConfigurationError | LinkageError e) {
        obstacles.add("simd not used: " + rootMessage(e));
        return found;
      }
    }
  }

  private static String rootMessage(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = String.valueOf(cause.getMessage());
    if (message.contains("jdk/incubator/vector") || message.contains("jdk.incubator.vector")) {
      return "module jdk.incubator.vector is not resolved; start java with"
          + " --add-modules jdk.incubator.vector";
    }
    return message;
  }

  /**
   * The kernels.
   *
   * @return the kernels of this backend
   */
  public Kernels kernels() {
    return choice().kernels();
  }

  /**
   * Names the kernels, the lane width and the reason for the choice, in one line.
   *
   * @return for example {@code simd kernels, 512-bit lanes (the fastest that runs here)}
   */
  public String describe() {
    Kernels kernels = kernels();
    String lanes = kernels.laneBits() == Float.SIZE ? "scalar" : kernels.laneBits() + "-bit lanes";
    String bits =
        Fma.isFast() ? "" : "; without fused multiply-add the bits may differ from other machines";
    String team = threads == 1 ? "" : ", " + threads + " threads";
    return kernels.name() + " kernels, " + lanes + team + " (" + choice().reason() + ")" + bits;
  }
}
