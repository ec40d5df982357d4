package dev.unroll.cli;

import dev.unroll.engine.ModelFile;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The option {@code --model} and how to read it. */
final class ModelChoice {

  /** The nonlinearities that a bare state dict of an nn.RNN does not name. */
  enum Nonlinearity {
    TANH,
    RELU
  }

  /** What to accept. */
  static final class Reading {
    @Option(
        names = "--nonlinearity",
        paramLabel = "tanh|relu",
        description = "For a bare PyTorch state dict of an nn.RNN (default: tanh).")
    private Nonlinearity nonlinearity = Nonlinearity.TANH;

    @Option(names = "--allow-non-finite", description = "Accept NaN and infinite numbers.")
    private boolean allowNonFinite;

    ModelFile.Options options() {
      return new ModelFile.Options(allowNonFinite, nonlinearity == Nonlinearity.RELU);
    }
  }

  @Option(
      names = "--model",
      required = true,
      paramLabel = "MODEL",
      description =
          "A safetensors file: of unroll train, or a bare PyTorch state dict of one recurrent module.")
  private Path path;

  @Mixin private Reading reading;

  @SuppressWarnings("NullAway.Init")
  ModelChoice() {}

  ModelFile load() throws IOException {
    return ModelFile.load(path, reading.options());
  }

  Path path() {
    return path;
  }

  boolean allowsNonFinite() {
    return reading.allowNonFinite;
  }
}
