package dev.unroll.cli;

import dev.unroll.engine.Backend;
import java.util.Locale;
import picocli.CommandLine.Option;

/** The options {@code --kernels} and {@code --threads}. */
final class KernelChoice {

  private static final int MOST_THREADS = 8;

  /** The implementations to choose from. */
  enum Kind {
    AUTO,
    SIMD,
    FALLBACK
  }

  @Option(
      names = "--kernels",
      paramLabel = "auto|simd|fallback",
      description = "Which kernels to use; the results do not depend on it (default: auto).")
  private Kind kind = Kind.AUTO;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Threads for batches and training; the results do not depend on it (default: one a"
              + " processor, 8 at most).")
  private int threads = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());

  Backend backend() {
    Backend one =
        kind == Kind.AUTO
            ? Backend.preferred()
            : Backend.choose(kind.name().toLowerCase(Locale.ROOT));
    return one.withThreads(threads);
  }
}
