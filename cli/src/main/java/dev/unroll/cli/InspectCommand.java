package dev.unroll.cli;

import dev.unroll.engine.CellOptions;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.ModelFile;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Regularization;
import dev.unroll.engine.Topology;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "inspect",
    description = "Prints the cells, tensors, parameter count and memory of a model file.",
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelChoice.Reading reading;
  @Mixin private KernelChoice kernels;

  @Parameters(paramLabel = "MODEL", description = "A safetensors file.")
  private Path model;

  @SuppressWarnings("NullAway.Init")
  InspectCommand() {}

  @Override
  public Integer call() throws IOException {
    kernels.backend();
    PrintWriter out = spec.commandLine().getOut();
    ModelFile file = ModelFile.load(model, reading.options());
    NetworkSpec network = file.network().spec();
    String input = network.input().name().toLowerCase(Locale.ROOT).replace('_', '-');
    out.println(
        "input       "
            + network.inputSize()
            + " "
            + input
            + (network.embeddingSize() > 0 ? " of " + network.embeddingSize() : ""));
    for (int l = 0; l < network.layers().size(); l++) {
      LayerSpec layer = network.layers().get(l);
      out.println(
          "layer "
              + l
              + "     "
              + layer.cell()
              + ", hidden "
              + layer.hidden()
              + (layer.projection() > 0 ? ", projection " + layer.projection() : "")
              + (network.bidirectional() ? ", bidirectional" : "")
              + (layer.bias() ? "" : ", no bias")
              + (layer.options().equals(CellOptions.STANDARD) ? "" : ", " + layer.options()));
    }
    if (!network.topology().equals(Topology.PLAIN)) {
      out.println("joined      " + network.topology());
    }
    if (!network.regularization().equals(Regularization.NONE)) {
      out.println("noise       " + network.regularization());
    }
    if (network.outputSize() > 0) {
      out.println("head        " + network.outputSize() + " outputs");
    }
    file.attributes()
        .forEach(
            (key, value) ->
                out.println(key + "  " + value.codePointCount(0, value.length()) + " characters"));
    out.println();
    int width = 6;
    for (Parameter p : file.network().parameters()) {
      width = Math.max(width, p.name().length());
    }
    String row = "%-" + width + "s  %-14s  %12s%n";
    out.printf(Locale.ROOT, row, "tensor", "shape", "parameters");
    for (Parameter p : file.network().parameters()) {
      out.printf(Locale.ROOT, row, p.name(), p.shape(), p.size());
    }
    long count = file.network().parameterCount();
    out.printf(Locale.ROOT, row, "total", "", count);
    out.println();
    out.println("memory      " + Sizes.bytes(count * Float.BYTES) + " as F32");
    out.flush();
    return 0;
  }
}
