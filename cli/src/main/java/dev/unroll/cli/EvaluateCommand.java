package dev.unroll.cli;

import dev.unroll.engine.Backend;
import dev.unroll.engine.ModelFile;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Unrolled;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "evaluate",
    description = {
      "Measures a model of unroll train on text or on a table.",
      "A language model: cross-entropy, perplexity, accuracy. A forecast: MSE and RMSE, beside those of"
          + " the last value taken for the next. A classifier: accuracy and cross-entropy. The state runs"
          + " through the whole text or table, as in a stream."
    },
    showDefaultValues = true,
    mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {
  private static final int PIECE = 256;
  private static final int BATCH = 32;
  private static final double NATS_PER_BIT = StrictMath.log(2);

  @Spec private CommandSpec spec;
  @Mixin private ModelChoice model;
  @Mixin private KernelChoice kernels;

  @Option(names = "--text", paramLabel = "FILE|DIR", description = "Text for a language model.")
  private List<Path> text = List.of();

  @Option(names = "--csv", paramLabel = "FILE", description = "Table for a model of a table.")
  private @Nullable Path csv;

  @SuppressWarnings("NullAway.Init")
  EvaluateCommand() {}

  @Override
  public Integer call() throws IOException {
    if (text.isEmpty() == (csv == null)) {
      throw new UsageException("give either --text or --csv");
    }
    ModelFile file = model.load();
    if (file.network().spec().outputSize() == 0) {
      throw new UsageException(model.path() + " has no head; unroll run shows its states");
    }
    Backend backend = kernels.backend();
    PrintWriter out = spec.commandLine().getOut();
    if (csv == null) {
      out.println(evaluateText(file, backend));
    } else if (file.attributes().containsKey(LabelledData.LABELS)) {
      out.println(evaluateLabels(file, new Table(csv), backend));
    } else {
      out.println(evaluateSeries(file, new Table(csv), backend));
    }
    out.flush();
    return 0;
  }

  private String evaluateText(ModelFile file, Backend backend) throws IOException {
    Vocabulary vocabulary = Vocabulary.of(file.attributes(), model.path().toString());
    Network network = file.network();
    if (network.spec().inputSize() != vocabulary.size()
        || network.spec().outputSize() != vocabulary.size()) {
      throw new UsageException(model.path() + ": vocabulary and network have different sizes");
    }
    int[] ids = vocabulary.encode(Corpus.read(text));
    if (ids.length < 2) {
      throw new UsageException("two " + vocabulary.level().plural() + " at least are needed");
    }
    int n = vocabulary.size();
    double sum = 0;
    long right = 0;
    Unrolled unrolled = new Unrolled(network, backend, 1, PIECE, false);
    int count = ids.length - 1;
    for (int at = 0; at < count; at += PIECE) {
      int steps = Math.min(PIECE, count - at);
      int[] piece = new int[steps];
      System.arraycopy(ids, at, piece, 0, steps);
      if (at > 0) {
        unrolled.carryState();
      }
      unrolled.forward(steps, piece);
      float[] y = new float[steps * n];
      unrolled.output(y);
      for (int t = 0; t < steps; t++) {
        int wanted = ids[at + t + 1];
        sum += Scores.crossEntropy(y, t * n, n, wanted);
        right += Scores.best(y, t * n, n) == wanted ? 1 : 0;
      }
    }
    double loss = sum / count;
    return String.format(
        Locale.ROOT,
        "%d %s: cross-entropy %.4f nats (%.3f bits), perplexity %.3f, accuracy %.2f%%",
        count,
        vocabulary.level().plural(),
        loss,
        loss / NATS_PER_BIT,
        StrictMath.exp(loss),
        100.0 * right / count);
  }

  private String evaluateSeries(ModelFile file, Table table, Backend backend) {
    Map<String, String> attributes = file.attributes();
    Scaling scaling = Scaling.of(attributes, model.path().toString());
    String target = attributes.getOrDefault(SeriesData.TARGET, "");
    int column = scaling.columns().indexOf(target);
    NetworkSpec network = file.network().spec();
    if (column < 0
        || network.input() != NetworkSpec.Input.FEATURES
        || network.inputSize() != scaling.columns().size()) {
      throw new UsageException(model.path() + ": its columns do not fit its network");
    }
    float[][] rows = scaling.apply(table);
    int width = scaling.columns().size();
    int count = rows.length - 1;
    if (count < 1) {
      throw new UsageException(csv + " has one row; two at least are needed");
    }
    Unrolled unrolled = new Unrolled(file.network(), backend, 1, PIECE, false);
    double model = 0;
    double naive = 0;
    for (int at = 0; at < count; at += PIECE) {
      int steps = Math.min(PIECE, count - at);
      float[] x = new float[steps * width];
      for (int t = 0; t < steps; t++) {
        System.arraycopy(rows[at + t], 0, x, t * width, width);
      }
      if (at > 0) {
        unrolled.carryState();
      }
      unrolled.forward(steps, x);
      float[] y = new float[steps];
      unrolled.output(y);
      for (int t = 0; t < steps; t++) {
        double next = rows[at + t + 1][column];
        model += (y[t] - next) * (y[t] - next);
        naive += (rows[at + t][column] - next) * (rows[at + t][column] - next);
      }
    }
    double unit = scaling.deviation()[column];
    return String.format(
        Locale.ROOT,
        "%d forecasts of %s: MSE %.4g scaled, RMSE %.4g; the last value taken for the next: MSE %.4g"
            + " scaled, RMSE %.4g",
        count,
        target,
        model / count,
        Math.sqrt(model / count) * unit,
        naive / count,
        Math.sqrt(naive / count) * unit);
  }

  private String evaluateLabels(ModelFile file, Table table, Backend backend) {
    Map<String, String> attributes = file.attributes();
    Scaling scaling = Scaling.of(attributes, model.path().toString());
    List<String> labels = List.of(attributes.getOrDefault(LabelledData.LABELS, "").split("\n", -1));
    int window = window(attributes);
    NetworkSpec network = file.network().spec();
    if (network.outputSize() != labels.size()
        || network.input() != NetworkSpec.Input.FEATURES
        || network.inputSize() != scaling.columns().size()) {
      throw new UsageException(model.path() + ": its labels or columns do not fit its network");
    }
    List<List<Integer>> groups =
        LabelledData.groups(table, attributes.getOrDefault(LabelledData.SEQUENCE, ""));
    List<String> wanted =
        LabelledData.labels(table, attributes.getOrDefault(LabelledData.LABEL, ""), groups);
    float[][] rows = scaling.apply(table);
    Unrolled unrolled = new Unrolled(file.network(), backend, BATCH, window, false);
    float[] x = new float[window * BATCH * scaling.columns().size()];
    float[] y = new float[window * BATCH * labels.size()];
    int right = 0;
    double sum = 0;
    for (int first = 0; first < groups.size(); first += BATCH) {
      int taken = Math.min(BATCH, groups.size() - first);
      for (int row = 0; row < taken; row++) {
        float[][] own = groups.get(first + row).stream().map(r -> rows[r]).toArray(float[][]::new);
        LabelledData.place(own, window, BATCH, row, x);
      }
      unrolled.clearState();
      unrolled.forward(window, x);
      unrolled.output(y);
      for (int row = 0; row < taken; row++) {
        int label = labels.indexOf(wanted.get(first + row));
        if (label < 0) {
          throw new UsageException(
              "the model does not know the label '"
                  + wanted.get(first + row)
                  + "'; it knows "
                  + labels);
        }
        int at = ((window - 1) * BATCH + row) * labels.size();
        right += Scores.best(y, at, labels.size()) == label ? 1 : 0;
        sum += Scores.crossEntropy(y, at, labels.size(), label);
      }
    }
    return String.format(
        Locale.ROOT,
        "%d sequences: accuracy %.2f%%, cross-entropy %.4f nats",
        groups.size(),
        100.0 * right / groups.size(),
        sum / groups.size());
  }

  private int window(Map<String, String> attributes) {
    try {
      return Integer.parseInt(attributes.getOrDefault(LabelledData.WINDOW, ""));
    } catch (NumberFormatException e) {
      throw new UsageException(model.path() + ": the length of its window is damaged");
    }
  }
}
