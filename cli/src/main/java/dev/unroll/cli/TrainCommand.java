package dev.unroll.cli;

import dev.unroll.engine.Backend;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "train",
    description = {
      "Trains a language model on text, a forecast on the columns of a table, or a classifier of"
          + " sequences.",
      "Text: the first 90%% train, the rest validates; each step takes a batch of windows from random"
          + " places, from zero state. Tables: the first 80%% of the rows (with --label, 80%% of the"
          + " sequences at random) train.",
      "The model of the last step is saved, or with --validate-every the best one."
    },
    showDefaultValues = true,
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
  /* Parameters, gradients, two moments; the packed weights and the steps come on top. */
  private static final int COPIES = 4;

  /** What to do with a step whose gradients are not finite; it never changes a parameter. */
  enum NonFinite {
    SKIP,
    STOP
  }

  @Spec private CommandSpec spec;
  @Mixin private KernelChoice kernels;
  @Mixin private NetworkChoice networkChoice;
  @Mixin private OptimizerChoice optimizerChoice;

  @Option(
      names = "--text",
      paramLabel = "FILE|DIR",
      description = "UTF-8 text, or a directory of it; may be given several times.")
  private List<Path> text = List.of();

  @Option(names = "--level", paramLabel = "char|word|byte", description = "Tokens of the text.")
  private Vocabulary.Level level = Vocabulary.Level.CHAR;

  @Option(names = "--csv", paramLabel = "FILE", description = "A table with a header.")
  private @Nullable Path csv;

  @Option(
      names = "--target",
      paramLabel = "COL",
      description = "With --csv: forecast this column's next value.")
  private @Nullable String target;

  @Option(
      names = "--label",
      paramLabel = "COL",
      description = "With --csv: tell this column's value for whole sequences.")
  private @Nullable String label;

  @Option(
      names = "--sequence",
      paramLabel = "COL",
      description = "With --label: rows with the same value here are one sequence.")
  private @Nullable String sequence;

  @Option(
      names = "--features",
      split = ",",
      paramLabel = "COL",
      description = "With --csv: columns to read (default: all that are numbers).")
  private List<String> features = List.of();

  @Option(
      names = "--window",
      paramLabel = "N",
      description = "With --csv: rows per window (default: --time; with --label the longest).")
  private int window;

  @Option(names = "--batch", paramLabel = "B", description = "Windows per step.")
  private int batch = 32;

  @Option(names = "--time", paramLabel = "T", description = "Tokens per window.")
  private int time = 64;

  @Option(names = "--steps", paramLabel = "N", description = "Training steps.")
  private int steps = 1500;

  @Option(names = "--seed", paramLabel = "SEED", description = "Seed of weights and windows.")
  private long seed = 1;

  @Option(
      names = "--validate-every",
      paramLabel = "N",
      description = "Steps between two validations; the best model is kept. 0: only at the end.")
  private int validateEvery;

  @Option(
      names = "--stop-after",
      paramLabel = "N",
      description = "Stop early after so many validations without gain; 0: never.")
  private int stopAfter;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description = "Where to keep all that is needed to go on later.")
  private @Nullable Path checkpoint;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "N",
      description = "Steps between two checkpoints.")
  private int checkpointEvery = 500;

  @Option(
      names = "--resume",
      paramLabel = "FILE",
      description =
          "Go on from a checkpoint, with the same options; the result has the same bits as without"
              + " the interruption.")
  private @Nullable Path resume;

  @Option(
      names = "--curve",
      paramLabel = "FILE",
      description = "Learning curve, .csv, .png or .svg; may be given several times.")
  private List<Path> curves = List.of();

  @Option(
      names = "--on-non-finite",
      paramLabel = "skip|stop",
      description = "What to do when gradients are not finite; no parameter is changed.")
  private NonFinite onNonFinite = NonFinite.SKIP;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "MODEL",
      description = "The safetensors file to write.")
  private Path out;

  @SuppressWarnings("NullAway.Init")
  TrainCommand() {}

  @Override
  public Integer call() throws IOException {
    check();
    Backend backend = kernels.backend();
    TrainingData data = data();
    Network network = network(data);
    Training.Plan plan =
        new Training.Plan(
            steps,
            validateEvery,
            stopAfter,
            onNonFinite == NonFinite.STOP,
            checkpoint,
            checkpointEvery,
            curves,
            out,
            describe(network, data));
    Checkpoint from = resume == null ? null : plan.open(resume);
    Trainer trainer = trainer(network, backend, data);
    Training training = new Training(network, trainer, data, optimizerChoice, plan);
    if (resume != null && from != null) {
      training.resume(from, resume);
    }
    try (Interrupt interrupt = new Interrupt()) {
      String result = training.run(interrupt);
      spec.commandLine().getOut().println(result);
      spec.commandLine().getOut().flush();
    }
    return 0;
  }

  private void check() {
    networkChoice.spec(NetworkSpec.Input.ONE_HOT, 2, 2);
    networkChoice.initialization();
    optimizerChoice.check();
    requirePositive("--batch", batch);
    requirePositive("--time", time);
    requirePositive("--steps", steps);
    requirePositive("--checkpoint-every", checkpointEvery);
    if (window < 0 || validateEvery < 0 || stopAfter < 0) {
      throw new UsageException("--window, --validate-every and --stop-after must not be negative");
    }
    if (stopAfter > 0 && validateEvery == 0) {
      throw new UsageException("--stop-after needs --validate-every");
    }
    if (text.isEmpty() == (csv == null)) {
      throw new UsageException("give either --text or --csv");
    }
    if (csv != null && (target == null) == (label == null)) {
      throw new UsageException("--csv needs either --target (forecast) or --label (classify)");
    }
    if (csv == null && (target != null || label != null || sequence != null)) {
      throw new UsageException("--target, --label and --sequence need --csv");
    }
    if ((label == null) != (sequence == null)) {
      throw new UsageException("--label and --sequence go together");
    }
    if (networkChoice.isBidirectional() && label == null) {
      throw new UsageException(
          "--bidirectional is for --label: here the network would see what it has to tell");
    }
    Output.check(out);
    if (checkpoint != null) {
      Output.check(checkpoint);
    }
    for (Path curve : curves) {
      if (curve.toString().endsWith(".csv")) {
        Output.check(curve);
      } else {
        Chart.check(curve);
      }
    }
  }

  private static void requirePositive(String option, int value) {
    if (value < 1) {
      throw new UsageException(option + " must be at least 1, not " + value);
    }
  }

  private TrainingData data() throws IOException {
    if (csv == null) {
      return new TextData(Corpus.read(text), level, batch, time, seed);
    }
    Table table = new Table(csv);
    List<String> columns = features.isEmpty() ? numeric(table) : features;
    if (columns.isEmpty()) {
      throw new UsageException(csv + " has no column of numbers among " + table.columns());
    }
    if (target != null) {
      return new SeriesData(table, target, columns, batch, window > 0 ? window : time, seed);
    }
    if (label == null || sequence == null) {
      throw new IllegalStateException("checked above");
    }
    return new LabelledData(table, label, sequence, columns, batch, window, seed);
  }

  private List<String> numeric(Table table) {
    return table.columns().stream()
        .filter(c -> !c.equals(label) && !c.equals(sequence) && table.isNumeric(c))
        .toList();
  }

  /* Everything that the result depends on but the number of steps, a line each. */
  private String describe(Network network, TrainingData data) {
    return String.join(
        "\n",
        "network " + network.spec(),
        "start " + networkChoice.initialization() + " seed " + seed,
        "data " + Long.toHexString(data.fingerprint()) + " batch " + batch + " time " + data.time(),
        "optimizer " + optimizerChoice.describe(steps),
        "validation every " + validateEvery);
  }

  private Network network(TrainingData data) {
    NetworkSpec architecture = networkChoice.spec(data.input(), data.inputs(), data.outputs());
    Sizes.checkHeap(COPIES * Network.bytesNeeded(architecture));
    return Network.create(architecture, networkChoice.initialization(), seed);
  }

  private Trainer trainer(Network network, Backend backend, TrainingData data) {
    Trainer.Options options =
        new Trainer.Options(batch, data.time(), data.loss(), optimizerChoice.optimizer(), false);
    long bytes = Trainer.bytesNeeded(network, options);
    Sizes.checkHeap(bytes);
    System.err.printf(
        Locale.ROOT,
        "%s; %d parameters; workspace %s%n",
        data.summary(),
        network.parameterCount(),
        Sizes.bytes(bytes));
    System.err.println(backend.describe());
    Trainer trainer = new Trainer(network, backend, options);
    trainer.setNoiseSeed(seed);
    optimizerChoice.configure(trainer, steps);
    return trainer;
  }
}
