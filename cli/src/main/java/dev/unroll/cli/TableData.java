package dev.unroll.cli;

import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Trainer;

/** Batches of windows of a table: drawn at random from its first part, validated on the rest. */
abstract class TableData implements TrainingData {
  static final double TRAINING_PART = 0.8;

  final int batch;
  private Rng rng;

  TableData(int batch, long seed) {
    this.batch = batch;
    rng = new Rng(seed ^ 0x5DEECE66DL);
  }

  /** Windows to train on. */
  abstract int trainingWindows();

  /** Windows to validate on. */
  abstract int validationWindows();

  /** Takes all targets of the last batch away. */
  abstract void clear();

  /** Puts a window to train on into a row of the batch. */
  abstract void fillTraining(int row, int number);

  /** The same of one to validate on. */
  abstract void fillValidation(int row, int number);

  /** A training step on the batch. */
  abstract double stepOn(Trainer trainer);

  /** Mean loss of the batch. */
  abstract double evaluateOn(Trainer trainer);

  @Override
  public final double step(Trainer trainer) {
    clear();
    for (int row = 0; row < batch; row++) {
      fillTraining(row, rng.nextInt(trainingWindows()));
    }
    return stepOn(trainer);
  }

  @Override
  public final double validate(Trainer trainer) {
    int count = validationWindows();
    double sum = 0;
    for (int first = 0; first < count; first += batch) {
      int taken = Math.min(batch, count - first);
      clear();
      for (int row = 0; row < taken; row++) {
        fillValidation(row, first + row);
      }
      sum += taken * evaluateOn(trainer);
    }
    return sum / count;
  }

  @Override
  public final NetworkSpec.Input input() {
    return NetworkSpec.Input.FEATURES;
  }

  @Override
  public final long position() {
    return rng.state();
  }

  @Override
  public final void restore(long position) {
    rng = new Rng(position);
  }
}
