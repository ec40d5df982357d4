package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Loss;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Optimizer;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Twenty steps of every optimizer with clipping, as PyTorch computed them in float64. */
class GoldenTrainingTest {

  static Stream<Path> files() {
    return Golden.files("torch-train");
  }

  private static Optimizer optimizer(Map<String, String> m) {
    float momentum = Float.parseFloat(m.getOrDefault("momentum", "0"));
    float decay = Float.parseFloat(m.getOrDefault("weight_decay", "0"));
    return switch (m.get("optimizer")) {
      case "sgd", "sgd-momentum" -> new Optimizer.Sgd(momentum, false, decay);
      case "sgd-nesterov" -> new Optimizer.Sgd(momentum, true, decay);
      case "adam" -> Optimizer.Adam.defaults();
      case "adamw" -> new Optimizer.Adam(0.9f, 0.999f, 1e-8f, decay, true);
      case "rmsprop" -> new Optimizer.RmsProp(Float.parseFloat(m.get("alpha")), 1e-8f, decay);
      default -> throw new IllegalStateException(m.get("optimizer"));
    };
  }

  @ParameterizedTest
  @MethodSource("files")
  void lossesNormsAndParametersAgree(Path path) throws IOException {
    Golden golden = new Golden(path);
    Map<String, String> m = golden.metadata();
    NetworkSpec spec = NetworkSpec.recurrent(3, 1, LayerSpec.of(CellKind.LSTM, 8)).withHead(4);
    Network network = new Network(spec);
    for (Parameter p : network.parameters()) {
      network.set(p.name(), golden.floats("initial." + p.name()));
    }
    boolean dense = m.get("loss").equals("mse");
    Loss loss = dense ? Loss.MEAN_SQUARED_ERROR : Loss.SOFTMAX_CROSS_ENTROPY;
    Trainer trainer =
        new Trainer(
            network, Backend.preferred(), new Trainer.Options(2, 6, loss, optimizer(m), false));
    trainer.setLearningRate(Float.parseFloat(m.get("lr")));
    trainer.setClipNorm(Float.parseFloat(m.get("clip_grad_norm")));
    double[] losses = golden.doubles("loss");
    double[] norms = golden.doubles("grad_norm");
    float[] input = golden.floats("input");
    for (int step = 0; step < losses.length; step++) {
      double actual =
          dense
              ? trainer.step(input, golden.floats("target"))
              : trainer.step(input, golden.ints("target"));
      assertEquals(losses[step], actual, 2e-5 * Math.max(1, losses[step]), "loss " + step);
      assertEquals(norms[step], trainer.gradientNorm(), 1e-4 * norms[step], "norm " + step);
    }
    for (Parameter p : network.parameters()) {
      Near.relative(golden.doubles("final." + p.name()), network.get(p.name()), 1e-4, p.name());
    }
  }
}
