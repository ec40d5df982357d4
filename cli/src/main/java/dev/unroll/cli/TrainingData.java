package dev.unroll.cli;

import dev.unroll.engine.Loss;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Trainer;
import java.util.Map;

/** What a network is trained on: batches for steps, and a part that only validates. */
interface TrainingData {
  /** One batch, one training step. Returns the loss before the update. */
  double step(Trainer trainer);

  /** Mean loss over the validation part. */
  double validate(Trainer trainer);

  /** Kind of input, and how many inputs and outputs a step has. */
  NetworkSpec.Input input();

  int inputs();

  int outputs();

  Loss loss();

  /** Steps of a sequence. */
  int time();

  /** What {@link #step} consumes, in the unit of {@link #unit}. */
  long perStep();

  /** For example characters. */
  String unit();

  /** A loss for people, with whatever else it means. */
  String describe(double loss);

  /** One line about the data. */
  String summary();

  /** What the model file has to keep. */
  Map<String, String> attributes();

  /** A number that tells these data from others. */
  long fingerprint();

  /** State of the generator that chooses batches. */
  long position();

  void restore(long position);
}
