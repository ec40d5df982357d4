package dev.unroll.cli;

import dev.unroll.engine.Backend;
import dev.unroll.engine.Loss;
import dev.unroll.engine.Network;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Trainer;
import dev.unroll.engine.Unrolled;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Trains one network of a study and measures it on sequences it has never seen. */
final class Experiment {
  /** Test sequences of a look. */
  static final int LOOK = 1000;

  /** Test sequences of the last word. */
  static final int TEST = 10_000;

  private static final long TEST_SEED = 0x7E57_5EEDL;

  /** One look at the network. */
  record Point(
      int step, double trainLoss, double testLoss, int errors, double norm, double seconds) {}

  /**
   * What came of it.
   *
   * @param points the learning curve
   * @param solvedAt step at which the study's mark was reached, or -1
   * @param loss mean over {@link #TEST} sequences
   * @param errors sequences with a wrong class among these
   * @param skipped steps without update, because gradients were not finite
   * @param parameters number of parameters
   * @param seconds time of training
   */
  record Result(
      List<Point> points,
      int solvedAt,
      double loss,
      int errors,
      int skipped,
      long parameters,
      double seconds) {}

  private record Score(double loss, int errors) {}

  private final Study study;
  private final Variant variant;
  private final Network network;
  private final Trainer trainer;
  private final Unrolled tester;
  private final Task.Batch batch;
  private final float[] outputs;
  private final Rng rng;

  Experiment(Study study, Variant variant, Backend backend, long seed) {
    this.study = study;
    this.variant = variant;
    Task task = study.task();
    network = variant.network(task, seed);
    Loss loss = task.classes() ? Loss.SOFTMAX_CROSS_ENTROPY : Loss.MEAN_SQUARED_ERROR;
    Trainer.Options options =
        new Trainer.Options(study.batch(), task.time(), loss, variant.optimizer(), false);
    Sizes.checkHeap(Trainer.bytesNeeded(network, options));
    trainer = new Trainer(network, backend, options);
    trainer.setLearningRate(variant.learningRate());
    trainer.setClipNorm(variant.clip());
    tester = new Unrolled(network, backend, study.batch(), task.time(), false);
    batch = new Task.Batch(task, study.batch());
    outputs = new float[task.time() * study.batch() * task.outputs()];
    rng = new Rng(seed * 31 + 17);
  }

  /** Trains until solved, or for the given number of steps, looking now and then. */
  Result run(int steps, int every, Interrupt interrupt) {
    List<Point> points = new ArrayList<>();
    long start = System.nanoTime();
    double smooth = Double.NaN;
    int skipped = 0;
    int solvedAt = -1;
    int step = 0;
    try (Progress progress = new Progress(variant.name(), steps)) {
      while (step < steps && solvedAt < 0 && !interrupt.requested()) {
        batch.next(study.task(), rng);
        double loss =
            study.task().classes()
                ? trainer.step(batch.x, batch.classes)
                : trainer.step(batch.x, batch.numbers, batch.mask);
        step++;
        skipped += trainer.lastStepSkipped() ? 1 : 0;
        smooth = Double.isNaN(smooth) ? loss : 0.95 * smooth + 0.05 * loss;
        if (step % every == 0 || step == 1) {
          Score score = test(LOOK);
          double seconds = (System.nanoTime() - start) / 1e9;
          points.add(
              new Point(
                  step, smooth, score.loss(), score.errors(), trainer.gradientNorm(), seconds));
          solvedAt = solved(score) && solved(test(TEST)) ? step : -1;
          if (progress.wants(step)) {
            progress.show(step, String.format(Locale.ROOT, "test loss %.4g", score.loss()));
          }
        }
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    Score last = test(TEST);
    return new Result(
        points, solvedAt, last.loss(), last.errors(), skipped, network.parameterCount(), seconds);
  }

  private boolean solved(Score score) {
    return score.loss() < study.solved() && (!study.task().exact() || score.errors() == 0);
  }

  /* The same sequences every time. */
  private Score test(int count) {
    tester.refresh();
    tester.clearState();
    Rng unseen = new Rng(TEST_SEED);
    Task task = study.task().test();
    double sum = 0;
    long counted = 0;
    int errors = 0;
    for (int done = 0; done < count; done += batch.size) {
      batch.next(task, unseen);
      tester.clearState();
      tester.forward(task.time(), batch.x);
      tester.output(outputs);
      for (int row = 0; row < Math.min(batch.size, count - done); row++) {
        boolean right = true;
        for (int t = 0; t < task.time(); t++) {
          int i = t * batch.size + row;
          if (batch.mask[i]) {
            int n = task.outputs();
            sum +=
                task.classes()
                    ? Scores.crossEntropy(outputs, i * n, n, batch.classes[i])
                    : squaredError(i);
            counted++;
            right &= !task.exact() || Scores.best(outputs, i * n, n) == batch.classes[i];
          }
        }
        errors += right ? 0 : 1;
      }
    }
    return new Score(sum / counted, errors);
  }

  private double squaredError(int i) {
    double error = (double) outputs[i] - batch.numbers[i];
    return error * error;
  }
}
