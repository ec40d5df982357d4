package dev.unroll.tests;

import dev.unroll.engine.Backend;
import dev.unroll.engine.ModelFile;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Unrolled;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Outputs and gradients of every recurrent module computed with PyTorch in float64. */
class GoldenVectorsTest {

  static Stream<Path> files() {
    return Golden.files("torch");
  }

  @ParameterizedTest
  @MethodSource("files")
  void outputsAndGradientsAgree(Path path) throws IOException {
    Golden golden = new Golden(path);
    Network network = ModelFile.load(path, ModelFile.Options.DEFAULT).network();
    NetworkSpec spec = network.spec();
    int time = golden.shape("input").get(0).intValue();
    int batch = golden.shape("input").get(1).intValue();
    Unrolled unrolled = new Unrolled(network, Backend.preferred(), batch, time, true);
    if (golden.has("lengths")) {
      unrolled.setLengths(golden.ints("lengths"));
    }
    unrolled.setState(time, golden.floats("h0"), cellState(golden, "c0"));
    unrolled.forward(time, golden.floats("input"));
    float[] output = new float[time * batch * spec.networkOutputSize()];
    float[] hn = new float[batch * spec.hiddenStateSize()];
    float[] cn = new float[batch * spec.cellStateSize()];
    unrolled.output(output);
    unrolled.finalState(hn, cn);
    Near.outputs(golden.doubles("output"), output, 2e-5, "output");
    Near.outputs(golden.doubles("h_n"), hn, 2e-5, "h_n");
    if (cn.length > 0) {
      Near.outputs(golden.doubles("c_n"), cn, 2e-5, "c_n");
    }

    unrolled.backward(
        golden.floats("grad_output"), golden.floats("grad_h_n"), cellState(golden, "grad_c_n"));
    float[] dx = new float[time * batch * spec.inputSize()];
    unrolled.inputGradient(dx);
    unrolled.stateGradient(hn, cn);
    Near.relative(golden.doubles("grad.input"), dx, 1e-4, "grad.input");
    Near.relative(golden.doubles("grad.h0"), hn, 1e-4, "grad.h0");
    if (cn.length > 0) {
      Near.relative(golden.doubles("grad.c0"), cn, 1e-4, "grad.c0");
    }
    for (Parameter p : network.parameters()) {
      String name = "grad." + p.name();
      Near.relative(golden.doubles(name), unrolled.gradient(p.name()), 1e-4, name);
    }
  }

  private static float[] cellState(Golden golden, String name) {
    return golden.has(name) ? golden.floats(name) : new float[0];
  }
}
