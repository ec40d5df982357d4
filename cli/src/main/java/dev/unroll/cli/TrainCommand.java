package dev.unroll.cli;

import dev.unroll.engine.Backend;
import dev.unroll.engine.Loss;
import dev.unroll.engine.ModelFile;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "train",
    description = {
      "Trains a character-level language model.",
      "The first 90%% of the text train it, the rest validates it. Each step takes a batch of windows"
          + " from random places, from zero state."
    },
    showDefaultValues = true,
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
  /* Parameters, gradients, two moments; the packed weights and the steps come on top. */
  private static final int COPIES = 4;
  private static final double TRAINING_PART = 0.9;
  private static final double NATS_PER_BIT = StrictMath.log(2);

  @Spec private CommandSpec spec;
  @Mixin private KernelChoice kernels;
  @Mixin private NetworkChoice networkChoice;
  @Mixin private OptimizerChoice optimizerChoice;

  @Option(
      names = "--text",
      required = true,
      paramLabel = "FILE|DIR",
      description = "UTF-8 text, or a directory of it; may be given several times.")
  private List<Path> text;

  @Option(names = "--batch", paramLabel = "B", description = "Windows per step.")
  private int batch = 32;

  @Option(names = "--time", paramLabel = "T", description = "Characters per window.")
  private int time = 64;

  @Option(names = "--steps", paramLabel = "N", description = "Training steps.")
  private int steps = 1500;

  @Option(names = "--seed", paramLabel = "SEED", description = "Seed of weights and windows.")
  private long seed = 1;

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
    String corpus = Corpus.read(text);
    Vocabulary vocabulary = Vocabulary.of(corpus);
    int[] ids = vocabulary.encode(corpus);
    int split = (int) (ids.length * TRAINING_PART);
    if (split < time + 2 || ids.length - split < time + 2) {
      throw new UsageException(
          "the text has "
              + ids.length
              + " characters; windows of "
              + time
              + " need at least "
              + 10 * (time + 2)
              + ": give more text or a smaller --time");
    }
    Network network = network(vocabulary.size());
    Trainer trainer = trainer(network, backend, ids, split);
    Windows windows = new Windows(ids, split, batch, time, seed);
    ModelFile model = new ModelFile(network, Map.of(Vocabulary.ATTRIBUTE, vocabulary.toString()));
    try (Interrupt interrupt = new Interrupt()) {
      train(trainer, windows, interrupt, model);
    }
    return 0;
  }

  private void check() {
    networkChoice.spec(2);
    networkChoice.initialization();
    optimizerChoice.check();
    requirePositive("--batch", batch);
    requirePositive("--time", time);
    requirePositive("--steps", steps);
    Path parent = out.toAbsolutePath().getParent();
    if (Files.isDirectory(out) || parent == null || !Files.isDirectory(parent)) {
      throw new UsageException("cannot write " + out + ": it must name a file in a directory");
    }
    if (!Files.isWritable(parent)) {
      throw new UsageException("cannot write " + out + ": no permission in " + parent);
    }
  }

  private static void requirePositive(String option, int value) {
    if (value < 1) {
      throw new UsageException(option + " must be at least 1, not " + value);
    }
  }

  private Network network(int characters) {
    NetworkSpec architecture = networkChoice.spec(characters);
    Sizes.checkHeap(COPIES * Network.bytesNeeded(architecture));
    return Network.create(architecture, networkChoice.initialization(), seed);
  }

  private Trainer trainer(Network network, Backend backend, int[] ids, int split) {
    Trainer.Options options =
        new Trainer.Options(
            batch, time, Loss.SOFTMAX_CROSS_ENTROPY, optimizerChoice.optimizer(), false);
    long bytes = Trainer.bytesNeeded(network, options);
    Sizes.checkHeap(bytes);
    System.err.printf(
        Locale.ROOT,
        "%d characters (%d to train on), vocabulary %d; %d parameters; workspace %s%n",
        ids.length,
        split,
        network.spec().inputSize(),
        network.parameterCount(),
        Sizes.bytes(bytes));
    System.err.println(backend.describe());
    Trainer trainer = new Trainer(network, backend, options);
    trainer.setNoiseSeed(seed);
    optimizerChoice.configure(trainer, steps);
    return trainer;
  }

  private void train(Trainer trainer, Windows windows, Interrupt interrupt, ModelFile model)
      throws IOException {
    long start = System.nanoTime();
    double smooth = Double.NaN;
    int skipped = 0;
    int step = 0;
    try (Progress progress = new Progress("train", steps)) {
      while (step < steps && !interrupt.requested()) {
        windows.next();
        double loss = trainer.step(windows.inputs(), windows.targets());
        step++;
        skipped += trainer.lastStepSkipped() ? 1 : 0;
        smooth = Double.isNaN(smooth) ? loss : 0.98 * smooth + 0.02 * loss;
        optimizerChoice.observe(step, smooth);
        if (progress.wants(step)) {
          double seconds = (System.nanoTime() - start) / 1e9;
          progress.show(
              step,
              String.format(
                  Locale.ROOT,
                  "loss %.3f nats, %.3f bits/char  %.0f chars/s  |g| %.2f",
                  smooth,
                  smooth / NATS_PER_BIT,
                  (double) step * batch * time / seconds,
                  trainer.gradientNorm()));
        }
      }
    }
    if (interrupt.requested()) {
      model.save(out);
      System.err.printf(Locale.ROOT, "%nstopped after step %d; the model is in %s%n", step, out);
      return;
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    double validation = windows.validate(trainer);
    model.save(out);
    if (skipped > 0) {
      System.err.println(
          skipped
              + " steps were skipped because their gradients were not finite;"
              + " try a smaller --lr or --clip");
    }
    spec.commandLine()
        .getOut()
        .printf(
            Locale.ROOT,
            "trained %d steps in %.1f s: train loss %.4f nats (%.3f bits/char), validation loss"
                + " %.4f nats (%.3f bits/char); saved %s%n",
            steps,
            seconds,
            smooth,
            smooth / NATS_PER_BIT,
            validation,
            validation / NATS_PER_BIT,
            out);
    spec.commandLine().getOut().flush();
  }
}
