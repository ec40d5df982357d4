package dev.unroll.cli;

import dev.unroll.engine.ModelFile;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Safetensors;
import dev.unroll.engine.Unrolled;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "run",
    description = {
      "Runs a model over whole sequences.",
      "Reads input [T,B,I], optional h0, c0, lengths; writes output, h_n, c_n."
    },
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
  @Mixin private ModelChoice model;
  @Mixin private KernelChoice kernels;
  @Mixin private WeightChoice weights;
  @Mixin private Files files;

  /** The options {@code --input} and {@code --output}. */
  static final class Files {
    @Option(
        names = "--input",
        required = true,
        paramLabel = "IN",
        description = "A safetensors file with the sequences.")
    private Path input;

    @Option(
        names = "--output",
        required = true,
        paramLabel = "OUT",
        description = "The safetensors file to write.")
    private Path output;

    @SuppressWarnings("NullAway.Init")
    Files() {}

    SequenceFile open(ModelFile model, boolean allowNonFinite) throws IOException {
      Set<String> parameters =
          model.network().parameters().stream().map(Parameter::name).collect(Collectors.toSet());
      return new SequenceFile(input, model.network().spec(), parameters, allowNonFinite);
    }

    void write(Map<String, Safetensors.Tensor> tensors) throws IOException {
      Safetensors.write(output, Map.of(), tensors);
    }
  }

  @SuppressWarnings("NullAway.Init")
  RunCommand() {}

  @Override
  public Integer call() throws IOException {
    ModelFile file = model.load();
    try (SequenceFile sequences = files.open(file, model.allowsNonFinite())) {
      Unrolled network = unroll(weights.apply(file.network()), sequences, kernels, false);
      sequences.runForward(network);
      if (weights.isReduced()) {
        reportAccuracy(network, file.network(), sequences);
      }
      files.write(results(network, sequences, file.network().spec()));
    }
    return 0;
  }

  private void reportAccuracy(Unrolled reduced, Network network, SequenceFile sequences)
      throws IOException {
    Unrolled exact = unroll(network, sequences, kernels, false);
    sequences.runForward(exact);
    float[] y = new float[Math.multiplyExact(sequences.rows(), reduced.outputSize())];
    float[] expected = new float[y.length];
    reduced.output(y);
    exact.output(expected);
    weights.compare(y, expected);
    weights.report();
  }

  static Unrolled unroll(
      Network network, SequenceFile sequences, KernelChoice kernels, boolean training) {
    int batch = sequences.batch();
    int time = sequences.time();
    Sizes.checkHeap(Unrolled.bytesNeeded(network, batch, time, training));
    return new Unrolled(network, kernels.backend(), batch, time, training);
  }

  private static Map<String, Safetensors.Tensor> results(
      Unrolled network, SequenceFile sequences, NetworkSpec spec) {
    int outputs = spec.networkOutputSize();
    float[] output = new float[Math.multiplyExact(sequences.rows(), outputs)];
    network.output(output);
    float[] hn = new float[sequences.batch() * spec.hiddenStateSize()];
    float[] cn = new float[sequences.batch() * spec.cellStateSize()];
    network.finalState(hn, cn);
    Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
    List<Integer> shape = List.of(sequences.time(), sequences.batch(), outputs);
    tensors.put("output", new Safetensors.Tensor(shape, output, 0));
    tensors.put("h_n", new Safetensors.Tensor(sequences.hiddenShape(), hn, 0));
    if (cn.length > 0) {
      tensors.put("c_n", new Safetensors.Tensor(sequences.cellShape(), cn, 0));
    }
    return tensors;
  }
}
