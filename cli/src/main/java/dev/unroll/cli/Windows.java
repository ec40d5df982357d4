package dev.unroll.cli;

import dev.unroll.engine.Rng;
import dev.unroll.engine.Trainer;
import java.util.Arrays;

/** Windows of a text, as batches of inputs and of targets one character later. */
final class Windows {
  private final int[] ids;
  private final int split;
  private final int batch;
  private final int time;
  private Rng rng;
  private final int[] inputs;
  private final int[] targets;

  /** Training takes windows of the first {@code split} characters, validation of the others. */
  Windows(int[] ids, int split, int batch, int time, long seed) {
    this.ids = ids;
    this.split = split;
    this.batch = batch;
    this.time = time;
    rng = new Rng(seed ^ 0x5DEECE66DL);
    inputs = new int[Math.multiplyExact(batch, time)];
    targets = new int[inputs.length];
  }

  /** Characters [T, B]. */
  int[] inputs() {
    return inputs;
  }

  /** The characters after them [T, B]. */
  int[] targets() {
    return targets;
  }

  /** Fills the batch with windows from uniformly random places of the training part. */
  void next() {
    for (int row = 0; row < batch; row++) {
      fill(row, rng.nextInt(split - time));
    }
  }

  long position() {
    return rng.state();
  }

  void restore(long position) {
    rng = new Rng(position);
  }

  private void fill(int row, int start) {
    for (int t = 0; t < time; t++) {
      inputs[t * batch + row] = ids[start + t];
      targets[t * batch + row] = ids[start + t + 1];
    }
  }

  /** Mean loss over the consecutive windows of the validation part, each from zero state. */
  double validate(Trainer trainer) {
    int count = (ids.length - split - 1) / time;
    double sum = 0;
    for (int first = 0; first < count; first += batch) {
      int rows = Math.min(batch, count - first);
      Arrays.fill(targets, -1);
      for (int row = 0; row < rows; row++) {
        fill(row, split + (first + row) * time);
      }
      sum += rows * trainer.evaluate(inputs, targets);
    }
    return sum / count;
  }
}
