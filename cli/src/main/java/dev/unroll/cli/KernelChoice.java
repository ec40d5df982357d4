package dev.unroll.cli;

import dev.unroll.engine.Backend;
import java.util.Locale;
import picocli.CommandLine.Option;

/** The option {@code --kernels}. */
final class KernelChoice {

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

  Backend backend() {
    if (kind == Kind.AUTO) {
      return Backend.preferred();
    }
    return Backend.choose(kind.name().toLowerCase(Locale.ROOT));
  }
}
