package dev.unroll.cli;

import dev.unroll.engine.ModelFile;
import dev.unroll.engine.Network;
import dev.unroll.engine.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The loop of {@code unroll train}: steps, looks at the validation part, checkpoints, curves. */
final class Training {
  private static final int CURVE_POINTS = 200;

  /** How to go about it. */
  record Plan(
      int steps,
      int validateEvery,
      int stopAfter,
      boolean stopOnNonFinite,
      @Nullable Path checkpoint,
      int checkpointEvery,
      List<Path> curves,
      Path out,
      String run) {

    /** Reads a checkpoint of this very run that has steps left to go. */
    Checkpoint open(Path path) throws IOException {
      Checkpoint from = Checkpoint.load(path);
      String theirs = from.numbers().getOrDefault("run", "");
      if (!theirs.equals(run)) {
        throw new UsageException(path + " belongs to another run: " + firstDifference(theirs, run));
      }
      String step = from.numbers().getOrDefault("step", "");
      if (step.matches("\\d{1,9}") && Integer.parseInt(step) >= steps) {
        throw new UsageException(
            path + " is at step " + step + " already; give more with --steps, now " + steps);
      }
      return from;
    }
  }

  private record Point(int step, double train, double validation) {}

  private final Network network;
  private final Trainer trainer;
  private final TrainingData data;
  private final OptimizerChoice optimizer;
  private final Plan plan;
  private final GradientWatch watch;

  private int step;
  private int skipped;
  private int looksWithoutGain;
  private double smooth = Double.NaN;
  private double best = Double.POSITIVE_INFINITY;
  private int bestStep;
  private Map<String, float[]> bestParameters = Map.of();
  private final List<Point> curve = new ArrayList<>();
  private String ending = "";

  Training(
      Network network, Trainer trainer, TrainingData data, OptimizerChoice optimizer, Plan plan) {
    this.network = network;
    this.trainer = trainer;
    this.data = data;
    this.optimizer = optimizer;
    this.plan = plan;
    watch = new GradientWatch(optimizer.clip());
  }

  /** Goes on where a checkpoint was taken. */
  void resume(Checkpoint from, Path path) {
    Map<String, String> n = from.numbers();
    try {
      step = Integer.parseInt(n.get("step"));
      skipped = Integer.parseInt(n.get("skipped"));
      looksWithoutGain = Integer.parseInt(n.get("looks"));
      smooth = Double.parseDouble(n.get("smooth"));
      best = Double.parseDouble(n.get("best"));
      bestStep = Integer.parseInt(n.get("bestStep"));
      data.restore(Long.parseLong(n.get("position")));
      optimizer.restoreSchedule(n.getOrDefault("schedule", ""));
      for (String line : n.getOrDefault("curve", "").lines().toList()) {
        String[] parts = line.split(",", -1);
        curve.add(
            new Point(
                Integer.parseInt(parts[0]),
                Double.parseDouble(parts[1]),
                Double.parseDouble(parts[2])));
      }
    } catch (NumberFormatException | NullPointerException | ArrayIndexOutOfBoundsException e) {
      throw new UsageException(path + " is damaged: " + e.getMessage());
    }
    Checkpoint.copy(from.parameters(), network, path);
    bestParameters = from.best();
    trainer.restore(from.progress());
    System.err.println("resumed " + path + " after step " + step);
  }

  private static String firstDifference(String theirs, String ours) {
    List<String> a = theirs.lines().toList();
    List<String> b = ours.lines().toList();
    for (int i = 0; i < Math.max(a.size(), b.size()); i++) {
      String left = i < a.size() ? a.get(i) : "nothing";
      String right = i < b.size() ? b.get(i) : "nothing";
      if (!left.equals(right)) {
        return "there " + left + ", here " + right;
      }
    }
    return "its options differ";
  }

  private void saveCheckpoint() throws IOException {
    if (plan.checkpoint() == null || step % optimizer.accumulate() != 0) {
      return;
    }
    Map<String, String> n = new HashMap<>();
    n.put("run", plan.run());
    n.put("step", Integer.toString(step));
    n.put("skipped", Integer.toString(skipped));
    n.put("looks", Integer.toString(looksWithoutGain));
    n.put("smooth", Double.toString(smooth));
    n.put("best", Double.toString(best));
    n.put("bestStep", Integer.toString(bestStep));
    n.put("position", Long.toString(data.position()));
    n.put("schedule", optimizer.scheduleState());
    n.put("curve", curveRows());
    new Checkpoint(n, Checkpoint.parametersOf(network), bestParameters, trainer.progress())
        .save(plan.checkpoint());
  }

  private String curveRows() {
    StringBuilder rows = new StringBuilder();
    for (Point p : curve) {
      rows.append(p.step()).append(',').append(p.train()).append(',').append(p.validation());
      rows.append('\n');
    }
    return rows.toString();
  }

  /** Trains to the end, or until stopped; saves the model. Returns what to print. */
  String run(Interrupt interrupt) throws IOException {
    long start = System.nanoTime();
    int before = step;
    int everyPoint = Math.max(1, plan.steps() / CURVE_POINTS);
    try (Progress progress = new Progress("train", plan.steps())) {
      while (step < plan.steps() && !interrupt.requested() && ending.isEmpty()) {
        step(everyPoint);
        if (progress.wants(step)) {
          double seconds = (System.nanoTime() - start) / 1e9;
          progress.show(step, message((step - before) / seconds));
        }
        if (plan.checkpoint() != null && step % plan.checkpointEvery() == 0) {
          saveCheckpoint();
        }
      }
    }
    if (interrupt.requested()) {
      saveCheckpoint();
      saveModel(false);
      return String.format(
          Locale.ROOT, "stopped after step %d; the model is in %s", step, plan.out());
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    double validation = data.validate(trainer);
    if (plan.validateEvery() > 0 && validation < best) {
      best = validation;
      bestStep = step;
      bestParameters = Checkpoint.parametersOf(network);
    }
    if (curve.isEmpty() || curve.get(curve.size() - 1).step() < step) {
      curve.add(new Point(step, smooth, validation));
    }
    saveCheckpoint();
    boolean older = plan.validateEvery() > 0 && bestStep < step;
    saveModel(older);
    writeCurves();
    if (skipped > 0) {
      System.err.println(
          skipped
              + " steps were skipped because their gradients were not finite;"
              + " try a smaller --lr or --clip");
    }
    return String.format(
        Locale.ROOT,
        "%strained %d steps in %.1f s: train loss %s, validation loss %s; saved %s%s",
        ending,
        step - before,
        seconds,
        data.describe(smooth),
        data.describe(older ? best : validation),
        plan.out(),
        older ? ", the best model, of step " + bestStep : "");
  }

  private void step(int everyPoint) throws IOException {
    double loss = data.step(trainer);
    step++;
    if (trainer.lastStepSkipped()) {
      skipped++;
      if (plan.stopOnNonFinite()) {
        ending = "stopped because the gradients are not finite; ";
      }
    }
    if (step % optimizer.accumulate() == 0) {
      watch.observe(step, trainer.gradientNorm());
    }
    if (Double.isFinite(loss)) {
      smooth = Double.isNaN(smooth) ? loss : 0.98 * smooth + 0.02 * loss;
    }
    optimizer.observe(step, smooth);
    boolean look = plan.validateEvery() > 0 && step % plan.validateEvery() == 0;
    double validation = look ? data.validate(trainer) : Double.NaN;
    if (look || step % everyPoint == 0) {
      curve.add(new Point(step, smooth, validation));
    }
    if (look) {
      judge(validation);
    }
  }

  private void judge(double validation) {
    if (validation < best) {
      best = validation;
      bestStep = step;
      looksWithoutGain = 0;
      bestParameters = Checkpoint.parametersOf(network);
      return;
    }
    looksWithoutGain++;
    if (plan.stopAfter() > 0 && looksWithoutGain >= plan.stopAfter()) {
      ending =
          "stopped early, no gain since step " + bestStep + " (" + looksWithoutGain + " looks); ";
    }
  }

  private String message(double stepsPerSecond) {
    return String.format(
        Locale.ROOT,
        "loss %s  %.0f %s/s  |g| %.2f%s",
        data.describe(smooth),
        stepsPerSecond * data.perStep(),
        data.unit(),
        trainer.gradientNorm(),
        best < Double.POSITIVE_INFINITY
            ? String.format(Locale.ROOT, "  best validation %.4f", best)
            : "");
  }

  private void saveModel(boolean older) throws IOException {
    if (older) {
      bestParameters.forEach(network::set);
    }
    new ModelFile(network, data.attributes()).save(plan.out());
  }

  private void writeCurves() throws IOException {
    for (Path path : plan.curves()) {
      if (path.toString().endsWith(".csv")) {
        Output.write(path, "step,train_loss,validation_loss\n" + curveRows());
        continue;
      }
      Chart chart = new Chart("Learning curve", "training step", "loss", false);
      List<Double> steps = new ArrayList<>();
      List<Double> train = new ArrayList<>();
      List<Double> validation = new ArrayList<>();
      for (Point p : curve) {
        steps.add((double) p.step());
        train.add(p.train());
        validation.add(p.validation());
      }
      chart.add("training", steps, train);
      chart.add("validation", steps, validation);
      chart.save(path);
    }
  }
}
