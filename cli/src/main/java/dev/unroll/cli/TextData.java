package dev.unroll.cli;

import dev.unroll.engine.Loss;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Trainer;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/** A language model: windows of a text, each token to be told from those before it. */
final class TextData implements TrainingData {
  private static final double TRAINING_PART = 0.9;
  private static final double NATS_PER_BIT = StrictMath.log(2);

  private final Vocabulary vocabulary;
  private final int[] ids;
  private final int split;
  private final int batch;
  private final int time;
  private final Windows windows;

  TextData(String text, Vocabulary.Level level, int batch, int time, long seed) {
    vocabulary = Vocabulary.of(text, level);
    ids = vocabulary.encode(text);
    split = (int) (ids.length * TRAINING_PART);
    if (split < time + 2 || ids.length - split < time + 2) {
      throw new UsageException(
          "the text has "
              + ids.length
              + " "
              + unit()
              + "; windows of "
              + time
              + " need at least "
              + 10 * (time + 2)
              + ": give more text or a smaller --time");
    }
    this.batch = batch;
    this.time = time;
    Sizes.checkBatch(batch, time, 1);
    windows = new Windows(ids, split, batch, time, seed);
  }

  @Override
  public double step(Trainer trainer) {
    windows.next();
    return trainer.step(windows.inputs(), windows.targets());
  }

  @Override
  public double validate(Trainer trainer) {
    return windows.validate(trainer);
  }

  @Override
  public NetworkSpec.Input input() {
    return NetworkSpec.Input.ONE_HOT;
  }

  @Override
  public int inputs() {
    return vocabulary.size();
  }

  @Override
  public int outputs() {
    return vocabulary.size();
  }

  @Override
  public Loss loss() {
    return Loss.SOFTMAX_CROSS_ENTROPY;
  }

  @Override
  public int time() {
    return time;
  }

  @Override
  public long perStep() {
    return (long) batch * time;
  }

  @Override
  public String unit() {
    return vocabulary.level().plural();
  }

  @Override
  public String describe(double loss) {
    String per =
        vocabulary.level() == Vocabulary.Level.CHAR ? "char" : vocabulary.level().singular();
    return String.format(Locale.ROOT, "%.4f nats (%.3f bits/%s)", loss, loss / NATS_PER_BIT, per);
  }

  @Override
  public String summary() {
    return String.format(
        Locale.ROOT,
        "%d %s (%d to train on), vocabulary %d",
        ids.length,
        unit(),
        split,
        vocabulary.size());
  }

  @Override
  public Map<String, String> attributes() {
    return vocabulary.attributes();
  }

  @Override
  public long fingerprint() {
    return Arrays.hashCode(ids);
  }

  @Override
  public long position() {
    return windows.position();
  }

  @Override
  public void restore(long position) {
    windows.restore(position);
  }
}
