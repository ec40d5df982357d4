package dev.unroll.cli;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.GradientFlow;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Loss;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Optimizer;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Topology;
import dev.unroll.engine.Trainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "gradient-flow",
    description = {
      "Shows how gradients vanish or explode on their way back through time.",
      "Untrained networks see the same random sequences; the loss looks at the last step only. For each"
          + " step t the norm of dL/dh_t in the lowest layer is compared with that of the top layer's"
          + " last step. Writes a CSV file and a picture, and says in words what happens."
    },
    showDefaultValues = true,
    mixinStandardHelpOptions = true)
final class GradientFlowCommand implements Callable<Integer> {
  private static final int INPUTS = 8;
  private static final double LOST = 1e-3;
  private static final double GROWN = 10;

  @Spec private CommandSpec spec;
  @Mixin private KernelChoice kernels;

  @Option(
      names = "--networks",
      split = ",",
      paramLabel = "NETWORK",
      description = {
        "rnn:R and relu:R (R = spectral radius of the recurrent weights), lstm:B (B = bias of the"
            + " forget gates), gru, irnn (ReLU from the identity); a prefix 3x stacks three layers, 3x+ with residual connections."
      })
  private List<String> networks =
      List.of(
          "rnn:0.5",
          "rnn:1.0",
          "rnn:1.5",
          "relu:2.0",
          "irnn",
          "lstm:0",
          "lstm:1",
          "lstm:3",
          "gru",
          "3xrnn:1.0",
          "3x+rnn:1.0");

  @Option(names = "--time", paramLabel = "T", description = "Steps of a sequence.")
  private int time = 100;

  @Option(names = "--hidden", paramLabel = "H", description = "Hidden size.")
  private int hidden = 64;

  @Option(names = "--batch", paramLabel = "B", description = "Sequences.")
  private int batch = 16;

  @Option(names = "--seed", paramLabel = "SEED", description = "Seed of weights and sequences.")
  private long seed = 1;

  @Option(
      names = "--csv",
      paramLabel = "FILE",
      description = "Numbers: network, layer, step, norms.")
  private Path csv = Path.of("gradient-flow.csv");

  @Option(names = "--plot", paramLabel = "FILE", description = "Picture, .png or .svg.")
  private Path plot = Path.of("gradient-flow.png");

  @SuppressWarnings("NullAway.Init")
  GradientFlowCommand() {}

  @Override
  public Integer call() throws IOException {
    if (time < 2 || hidden < 1 || batch < 1) {
      throw new UsageException("--time must be at least 2, --hidden and --batch at least 1");
    }
    Output.check(csv);
    Chart.check(plot);
    List<Network> made = networks.stream().map(this::network).toList();
    Backend backend = kernels.backend();
    StringBuilder rows = new StringBuilder("network,layer,step,norm_dh,norm_dc,relative_dh\n");
    Chart chart =
        new Chart(
            "Gradient of the loss at step " + time + " with respect to h_t",
            "step t",
            "|dL/dh_t| / |dL/dh_T|",
            true);
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        Locale.ROOT,
        "%-12s %-10s %-10s %s%n",
        "network",
        "radius",
        "saturated",
        "gradient at step 1");
    for (int i = 0; i < made.size(); i++) {
      measure(networks.get(i), made.get(i), backend, rows, chart, out);
    }
    Output.write(csv, rows.toString());
    chart.save(plot);
    out.printf(Locale.ROOT, "numbers in %s, picture in %s%n", csv, plot);
    out.flush();
    return 0;
  }

  private void measure(
      String name,
      Network network,
      Backend backend,
      StringBuilder rows,
      Chart chart,
      PrintWriter out) {
    Trainer.Options options =
        new Trainer.Options(
            batch, time, Loss.MEAN_SQUARED_ERROR, new Optimizer.Sgd(0, false, 0), false);
    Sizes.checkHeap(Trainer.bytesNeeded(network, options));
    Trainer trainer = new Trainer(network, backend, options);
    trainer.setLearningRate(0);
    GradientFlow flow = new GradientFlow(network, time);
    trainer.observe(flow);
    double[] radius = GradientFlow.spectralRadius(network, recurrentWeight(network, 0));
    step(trainer);
    int top = network.spec().layers().size() - 1;
    double last = flow.hiddenNorm(top, 0, time - 1);
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    for (int layer = 0; layer <= top; layer++) {
      for (int t = 0; t < time; t++) {
        double norm = flow.hiddenNorm(layer, 0, t);
        rows.append(
            String.format(
                Locale.ROOT,
                "%s,%d,%d,%.6g,%.6g,%.6g%n",
                name,
                layer,
                t + 1,
                norm,
                flow.cellNorm(layer, 0, t),
                norm / last));
        if (layer == 0) {
          x.add(t + 1.0);
          y.add(norm / last);
        }
      }
    }
    chart.add(name, x, y);
    out.printf(
        Locale.ROOT,
        "%-12s %-10.3f %-10s %s%n",
        name,
        radius[radius.length - 1],
        String.format(Locale.ROOT, "%.0f%%", 100 * flow.saturation(0, 0)),
        verdict(y));
  }

  private void step(Trainer trainer) {
    Rng rng = new Rng(seed + 1);
    float[] sequences = new float[time * batch * INPUTS];
    for (int i = 0; i < sequences.length; i++) {
      sequences[i] = rng.uniform(-1f, 1f);
    }
    float[] target = new float[time * batch];
    boolean[] mask = new boolean[time * batch];
    for (int row = 0; row < batch; row++) {
      target[(time - 1) * batch + row] = rng.uniform(-1f, 1f);
      mask[(time - 1) * batch + row] = true;
    }
    trainer.step(sequences, target, mask);
  }

  /** In words: what became of the gradient, given its size at each step relative to the last. */
  static String verdict(List<Double> relative) {
    int time = relative.size();
    for (int t = time - 1; t >= 0; t--) {
      if (!Double.isFinite(relative.get(t))) {
        return "explodes: not finite at step " + (t + 1);
      }
    }
    double first = relative.get(0);
    if (first < LOST) {
      int t = time - 1;
      while (relative.get(t) >= LOST) {
        t--;
      }
      String all =
          first == 0
              ? "nothing is left at step 1"
              : String.format(Locale.ROOT, "by a factor of %.1e at step 1", 1 / first);
      return "vanishes: a factor of 1000 lost after " + (time - 1 - t) + " steps back, " + all;
    }
    if (first > GROWN) {
      return String.format(Locale.ROOT, "explodes: grown by a factor of %.1e at step 1", first);
    }
    return String.format(Locale.ROOT, "healthy: %.2g of the gradient of the last step", first);
  }

  private static String recurrentWeight(Network network, int layer) {
    return network.parameters().stream()
        .map(Parameter::name)
        .filter(n -> n.endsWith("weight_hh_l" + layer))
        .findFirst()
        .orElseThrow();
  }

  private Network network(String name) {
    String rest = name;
    int layers = 1;
    boolean residual = false;
    if (rest.startsWith("3x")) {
      layers = 3;
      residual = rest.startsWith("3x+");
      rest = rest.substring(residual ? 3 : 2);
    }
    String[] parts = rest.split(":", -1);
    CellKind cell =
        switch (parts[0]) {
          case "rnn" -> CellKind.RNN_TANH;
          case "relu" -> CellKind.RNN_RELU;
          case "lstm" -> CellKind.LSTM;
          case "gru" -> CellKind.GRU;
          case "irnn" -> CellKind.RNN_RELU;
          default -> throw unknown(name);
        };
    boolean bare = parts[0].equals("gru") || parts[0].equals("irnn");
    if (parts.length != (bare ? 1 : 2)) {
      throw unknown(name);
    }
    float number = parts.length == 2 ? number(name, parts[1]) : 1f;
    Initialization.Recurrent start =
        parts[0].equals("irnn")
            ? Initialization.Recurrent.IDENTITY
            : Initialization.Recurrent.ORTHOGONAL;
    Initialization init = new Initialization(true, start, false, 0);
    NetworkSpec architecture =
        NetworkSpec.recurrent(INPUTS, layers, LayerSpec.of(cell, hidden))
            .with(new Topology(false, false, residual, false, false))
            .withHead(1);
    Network network = Network.create(architecture, init, seed);
    for (Parameter p : network.parameters()) {
      if (cell == CellKind.LSTM && p.name().contains("bias_")) {
        network.set(p.name(), forgetBias(p, number));
      } else if (cell != CellKind.LSTM && p.name().contains("weight_hh")) {
        float[] w = network.get(p.name());
        for (int i = 0; i < w.length; i++) {
          w[i] *= number;
        }
        network.set(p.name(), w);
      }
    }
    return network;
  }

  private float[] forgetBias(Parameter p, float bias) {
    float[] values = new float[p.size()];
    for (int j = hidden; j < 2 * hidden && p.name().contains("bias_ih"); j++) {
      values[j] = bias;
    }
    return values;
  }

  private static float number(String name, String text) {
    try {
      float value = Float.parseFloat(text);
      if (Float.isFinite(value)) {
        return value;
      }
    } catch (NumberFormatException e) {
      // Reported below.
    }
    throw new UsageException("'" + name + "': '" + text + "' is no number");
  }

  private static UsageException unknown(String name) {
    return new UsageException(
        "unknown network '"
            + name
            + "'; write rnn:1.0, relu:1.0, lstm:1, gru, irnn, 3xrnn:1.0 or"
            + " 3x+rnn:1.0");
  }
}
