package dev.unroll.cli;

import dev.unroll.engine.Backend;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "experiment",
    description = {
      "Trains several networks on a classic task of long-term dependencies and compares them.",
      "Writes NAME.csv (learning curves), NAME.png and NAME.md (a table) to a directory. A network is"
          + " tested on 1,000 unseen sequences now and then, and on 10,000 at the end; training stops"
          + " when the task is solved."
    },
    showDefaultValues = true,
    mixinStandardHelpOptions = true)
final class ExperimentCommand implements Callable<Integer> {
  private static final String ALL = "all";
  private static final int LONG_TIME = 400;
  private static final int LONG_STEPS = 8000;
  private static final String HEADING =
      """
      # Experiments

      Classic tasks of long-term dependencies, each network from the same seed on the same sequences, all of
      it made by `unroll experiment all`. Seconds are those of the machine that made the document, one
      thread; everything else has the same bits on every machine.
      """;

  @Spec private CommandSpec spec;
  @Mixin private KernelChoice kernels;

  @Parameters(
      paramLabel = "NAME",
      description =
          "adding, multiplication, temporal-order, temporal-order-3, copy, clipping, char-lm, or all for every"
              + " one and a document of them.")
  private String name;

  @Option(
      names = "--time",
      paramLabel = "T",
      description = "Steps of a sequence (copy: of silence); 0 for the usual number.")
  private int time;

  @Option(names = "--text", paramLabel = "FILE|DIR", description = "char-lm: the text.")
  private List<Path> text = List.of();

  @Option(names = "--steps", paramLabel = "N", description = "Training steps at most; 0: usual.")
  private int steps;

  @Option(names = "--every", paramLabel = "N", description = "Training steps between two looks.")
  private int every = 100;

  @Option(names = "--seed", paramLabel = "SEED", description = "Seed of weights and sequences.")
  private long seed = 1;

  @Option(
      names = "--only",
      split = ",",
      paramLabel = "NETWORK",
      description = "Only these networks, for example LSTM,RNN.")
  private List<String> only = List.of();

  @Option(names = "--out", paramLabel = "DIR", description = "Directory for the results.")
  private Path out = Path.of("experiments");

  @SuppressWarnings("NullAway.Init")
  ExperimentCommand() {}

  @Override
  public Integer call() throws IOException {
    if (time < 0 || steps < 0 || every < 1) {
      throw new UsageException("--time and --steps must not be negative, --every at least 1");
    }
    Backend backend = kernels.backend();
    try (Interrupt interrupt = new Interrupt()) {
      if (name.equals(ALL)) {
        if (time > 0 || steps > 0 || !only.isEmpty() || !text.isEmpty()) {
          throw new UsageException(
              "'all' has its own --time, --steps and --only, and takes no --text");
        }
        runAll(backend, interrupt);
      } else {
        Study study = study();
        chosen(study);
        Output.directory(out);
        print(run(study, backend, interrupt));
      }
    }
    return 0;
  }

  private Study study() throws IOException {
    if (name.equals(Study.TEXT) == text.isEmpty()) {
      throw new UsageException(
          text.isEmpty() ? Study.TEXT + " needs --text" : "--text is for " + Study.TEXT);
    }
    return text.isEmpty() ? Study.of(name, time) : Study.ofText(Corpus.read(text), time);
  }

  /* Those of the document, one after the other, and the document. */
  private void runAll(Backend backend, Interrupt interrupt) throws IOException {
    Output.directory(out);
    StringBuilder document = new StringBuilder(HEADING);
    for (String each : Study.NAMES) {
      name = each;
      document.append('\n').append(run(Study.of(each, 0), backend, interrupt));
      if (each.equals("adding")) {
        time = LONG_TIME;
        steps = LONG_STEPS;
        only = List.of("LSTM", "RNN");
        document.append('\n').append(run(Study.of(each, time), backend, interrupt));
        time = 0;
        steps = 0;
        only = List.of();
      }
    }
    if (interrupt.requested()) {
      return;
    }
    Output.write(out.resolve("experiments.md"), document.toString());
    print(document.toString());
  }

  private void print(String text) {
    PrintWriter writer = spec.commandLine().getOut();
    writer.print(text);
    writer.flush();
  }

  private String run(Study study, Backend backend, Interrupt interrupt) throws IOException {
    String file = study.name() + (time == 0 ? "" : "-" + time);
    int most = steps == 0 ? study.steps() : steps;
    Map<Variant, Experiment.Result> results = new LinkedHashMap<>();
    for (Variant variant : chosen(study)) {
      if (!interrupt.requested()) {
        Experiment experiment = new Experiment(study, variant, backend, seed);
        results.put(variant, experiment.run(most, every, interrupt));
      }
    }
    return write(study, file, results, most);
  }

  private List<Variant> chosen(Study study) {
    List<String> known = study.variants().stream().map(Variant::name).toList();
    for (String wanted : only) {
      if (!known.contains(wanted)) {
        throw new UsageException("no network '" + wanted + "'; there are " + known);
      }
    }
    return study.variants().stream()
        .filter(v -> only.isEmpty() || only.contains(v.name()))
        .toList();
  }

  private String write(Study study, String file, Map<Variant, Experiment.Result> results, int most)
      throws IOException {
    StringBuilder csv =
        new StringBuilder("network,step,train_loss,test_loss,errors,norm,seconds\n");
    String loss = study.task().classes() ? "cross-entropy (nats)" : "mean squared error";
    Chart chart = new Chart(study.title(), "training step", "test " + loss, true);
    int last = 1;
    for (Map.Entry<Variant, Experiment.Result> e : results.entrySet()) {
      List<Double> x = new ArrayList<>();
      List<Double> y = new ArrayList<>();
      for (Experiment.Point p : e.getValue().points()) {
        x.add((double) p.step());
        y.add(p.testLoss());
        last = Math.max(last, p.step());
        csv.append(
            String.format(
                Locale.ROOT,
                "\"%s\",%d,%.6g,%.6g,%d,%.6g,%.2f%n",
                e.getKey().name(),
                p.step(),
                p.trainLoss(),
                p.testLoss(),
                p.errors(),
                p.norm(),
                p.seconds()));
      }
      chart.add(e.getKey().name(), x, y);
    }
    double baseline = study.task().baseline();
    chart.add("baseline", List.of(1.0, (double) last), List.of(baseline, baseline));
    Output.write(out.resolve(file + ".csv"), csv.toString());
    chart.save(out.resolve(file + ".png"));
    String table = table(study, results, most, file);
    Output.write(out.resolve(file + ".md"), table);
    return table;
  }

  private String table(
      Study study, Map<Variant, Experiment.Result> results, int most, String file) {
    boolean classes = study.task().classes();
    StringBuilder text = new StringBuilder();
    text.append("## ").append(study.title()).append("\n\n").append(study.paper()).append(". ");
    text.append(
        String.format(
            Locale.ROOT,
            "Baseline: %s %.4g.%s Batch %d, at most %d steps, seed %d; tested on"
                + " %d unseen sequences.%n%n",
            classes ? "cross-entropy" : "mean squared error",
            study.task().baseline(),
            study.solved() == 0
                ? ""
                : String.format(
                    Locale.ROOT,
                    " Solved: below %.3g%s.",
                    study.solved(),
                    study.task().exact() ? " and no error" : ""),
            study.batch(),
            most,
            seed,
            Experiment.TEST));
    text.append("    unroll experiment ").append(study.name());
    text.append(this.text.isEmpty() ? "" : " --text FILE");
    text.append(time == 0 ? "" : " --time " + time);
    text.append(only.isEmpty() ? "" : " --only " + String.join(",", only));
    text.append(steps == 0 ? "" : " --steps " + steps).append("\n\n");
    text.append(
        "| network | parameters | solved at step | test loss | wrong | skipped | seconds |\n");
    text.append("|---|---|---|---|---|---|---|\n");
    for (Map.Entry<Variant, Experiment.Result> e : results.entrySet()) {
      Experiment.Result r = e.getValue();
      text.append(
          String.format(
              Locale.ROOT,
              "| %s, %d units | %d | %s | %.4g | %s | %d | %.0f |%n",
              e.getKey().name(),
              e.getKey().hidden(),
              r.parameters(),
              study.solved() == 0 ? "" : r.solvedAt() < 0 ? "not" : Integer.toString(r.solvedAt()),
              r.loss(),
              study.task().exact() ? r.errors() + " of " + Experiment.TEST : "",
              r.skipped(),
              r.seconds()));
    }
    text.append("\n![learning curves](").append(file).append(".png)\n");
    return text.toString();
  }
}
