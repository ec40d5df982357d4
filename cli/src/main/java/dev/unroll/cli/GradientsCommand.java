package dev.unroll.cli;

import dev.unroll.engine.ModelFile;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Safetensors;
import dev.unroll.engine.Unrolled;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
    name = "gradients",
    description = {
      "Runs a model forward and backward through time.",
      "Reads what run reads, and grad_output, grad_h_n, grad_c_n (absent = zero);",
      "writes grad.<name> for input, h0, c0 and every parameter."
    },
    mixinStandardHelpOptions = true)
final class GradientsCommand implements Callable<Integer> {
  @Mixin private ModelChoice model;
  @Mixin private KernelChoice kernels;
  @Mixin private RunCommand.Files files;

  @SuppressWarnings("NullAway.Init")
  GradientsCommand() {}

  @Override
  public Integer call() throws IOException {
    ModelFile file = model.load();
    try (SequenceFile sequences = files.open(file, model.allowsNonFinite())) {
      Unrolled network = RunCommand.unroll(file.network(), sequences, kernels, true);
      sequences.runForward(network);
      sequences.runBackward(network);
      files.write(results(network, sequences, file));
    }
    return 0;
  }

  private static Map<String, Safetensors.Tensor> results(
      Unrolled network, SequenceFile sequences, ModelFile file) {
    NetworkSpec spec = file.network().spec();
    int time = sequences.time();
    int batch = sequences.batch();
    Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
    if (spec.input() == NetworkSpec.Input.FEATURES) {
      float[] dx = new float[Math.multiplyExact(time * batch, spec.inputSize())];
      network.inputGradient(dx);
      List<Integer> shape = List.of(time, batch, spec.inputSize());
      tensors.put("grad.input", new Safetensors.Tensor(shape, dx, 0));
    }
    float[] dh0 = new float[batch * spec.hiddenStateSize()];
    float[] dc0 = new float[batch * spec.cellStateSize()];
    network.stateGradient(dh0, dc0);
    tensors.put("grad.h0", new Safetensors.Tensor(sequences.hiddenShape(), dh0, 0));
    if (dc0.length > 0) {
      tensors.put("grad.c0", new Safetensors.Tensor(sequences.cellShape(), dc0, 0));
    }
    for (Parameter p : file.network().parameters()) {
      float[] gradient = network.gradient(p.name());
      tensors.put("grad." + p.name(), new Safetensors.Tensor(p.shape(), gradient, 0));
    }
    return tensors;
  }
}
