package dev.unroll.cli;

import dev.unroll.engine.Rng;
import java.util.Arrays;

/**
 * A task of the literature on long-term dependencies: sequences made at random, and what to say at
 * some of their steps.
 */
interface Task {
  /** Features per step. */
  int inputs();

  /** Outputs per step: a number, or a score for each class. */
  int outputs();

  /** Steps of a sequence. */
  int time();

  /** Whether targets are classes; else numbers. */
  boolean classes();

  /** Error of an answer that does not look at the input: mean squared error or cross-entropy. */
  double baseline();

  /** The same task on sequences that never train. */
  default Task test() {
    return this;
  }

  /** Whether a sequence is right or wrong as a whole. */
  default boolean exact() {
    return classes();
  }

  /** Makes one sequence in a row of an emptied batch. */
  void fill(Rng rng, Batch batch, int row);

  /** Inputs [T, B, I], and targets with a mask of the steps that count [T, B]. */
  final class Batch {
    final int size;
    final int inputs;
    final float[] x;
    final float[] numbers;
    final int[] classes;
    final boolean[] mask;

    Batch(Task task, int size) {
      this.size = size;
      inputs = task.inputs();
      int rows = Math.multiplyExact(task.time(), size);
      x = new float[Math.multiplyExact(rows, inputs)];
      numbers = new float[task.classes() ? 0 : Math.multiplyExact(rows, task.outputs())];
      classes = new int[task.classes() ? rows : 0];
      mask = new boolean[rows];
    }

    void next(Task task, Rng rng) {
      Arrays.fill(x, 0f);
      Arrays.fill(numbers, 0f);
      Arrays.fill(classes, -1);
      Arrays.fill(mask, false);
      for (int row = 0; row < size; row++) {
        task.fill(rng, this, row);
      }
    }

    void set(int t, int row, int feature, float value) {
      x[(t * size + row) * inputs + feature] = value;
    }

    void answer(int t, int row, float value) {
      numbers[t * size + row] = value;
      mask[t * size + row] = true;
    }

    void answer(int t, int row, int label) {
      classes[t * size + row] = label;
      mask[t * size + row] = true;
    }
  }

  /**
   * Adding or multiplying two marked numbers out of many (Hochreiter &amp; Schmidhuber 1997, in the
   * form of Le, Jaitly &amp; Hinton 2015): numbers uniform in [0, 1), one mark in each half, the
   * answer after the last step.
   */
  record Arithmetic(int time, boolean product) implements Task {
    @Override
    public int inputs() {
      return 2;
    }

    @Override
    public int outputs() {
      return 1;
    }

    @Override
    public boolean classes() {
      return false;
    }

    /* Variance of the answer: of a sum 1/6, of a product 1/9 - 1/16. */
    @Override
    public double baseline() {
      return product ? 7.0 / 144 : 1.0 / 6;
    }

    @Override
    public void fill(Rng rng, Batch batch, int row) {
      int first = rng.nextInt(time / 2);
      int second = time / 2 + rng.nextInt(time - time / 2);
      float a = 0;
      float b = 0;
      for (int t = 0; t < time; t++) {
        float value = (float) rng.nextDouble();
        batch.set(t, row, 0, value);
        a = t == first ? value : a;
        b = t == second ? value : b;
      }
      batch.set(first, row, 1, 1f);
      batch.set(second, row, 1, 1f);
      batch.answer(time - 1, row, product ? a * b : a + b);
    }
  }

  /**
   * Temporal order (Hochreiter &amp; Schmidhuber 1997; Pascanu, Mikolov &amp; Bengio 2013): two or
   * three symbols out of X and Y at random places among distractors; name their order after the
   * last step.
   */
  record TemporalOrder(int time, int symbols) implements Task {
    private static final int DISTRACTORS = 4;

    /* X and Y, distractors, begin and end. */
    @Override
    public int inputs() {
      return 2 + DISTRACTORS + 2;
    }

    @Override
    public int outputs() {
      return 1 << symbols;
    }

    @Override
    public boolean classes() {
      return true;
    }

    @Override
    public double baseline() {
      return symbols * StrictMath.log(2);
    }

    @Override
    public void fill(Rng rng, Batch batch, int row) {
      int label = 0;
      int[] at = new int[symbols];
      int[] which = new int[symbols];
      for (int s = 0; s < symbols; s++) {
        /* Tenths 1, 4 and (of three) 7, as in the papers. */
        int from = (1 + 3 * s) * time / 10;
        at[s] = from + rng.nextInt(Math.max(1, time / 10));
        which[s] = rng.nextInt(2);
        label = 2 * label + which[s];
      }
      for (int t = 1; t < time - 1; t++) {
        int symbol = 2 + rng.nextInt(DISTRACTORS);
        for (int s = 0; s < symbols; s++) {
          symbol = at[s] == t ? which[s] : symbol;
        }
        batch.set(t, row, symbol, 1f);
      }
      batch.set(0, row, 2 + DISTRACTORS, 1f);
      batch.set(time - 1, row, 2 + DISTRACTORS + 1, 1f);
      batch.answer(time - 1, row, label);
    }
  }

  /**
   * A character language model: windows of a text, at every step the next character is wanted.
   * Trains on the first nine tenths.
   */
  record Characters(int[] ids, int from, int to, int inputs, int time) implements Task {
    private static final double TRAINING_PART = 0.9;

    static Characters of(String text, int time) {
      Vocabulary vocabulary = Vocabulary.of(text, Vocabulary.Level.CHAR);
      int[] ids = vocabulary.encode(text);
      int split = (int) (ids.length * TRAINING_PART);
      if (split < time + 2 || ids.length - split < time + 2) {
        throw new UsageException(
            "the text has "
                + ids.length
                + " characters; windows of "
                + time
                + " need at least "
                + 10 * (time + 2));
      }
      return new Characters(ids, 0, split, vocabulary.size(), time);
    }

    @Override
    public Task test() {
      return new Characters(ids, to, ids.length, inputs, time);
    }

    @Override
    public int outputs() {
      return inputs;
    }

    @Override
    public boolean classes() {
      return true;
    }

    @Override
    public boolean exact() {
      return false;
    }

    /* All characters alike. */
    @Override
    public double baseline() {
      return StrictMath.log(inputs);
    }

    @Override
    public void fill(Rng rng, Batch batch, int row) {
      int start = from + rng.nextInt(to - from - time);
      for (int t = 0; t < time; t++) {
        batch.set(t, row, ids[start + t], 1f);
        batch.answer(t, row, ids[start + t + 1]);
      }
    }
  }

  /**
   * Copy memory (Arjovsky, Shah &amp; Bengio 2016): ten symbols out of eight, a silence, a call,
   * and then the same symbols are wanted.
   */
  record Copy(int delay) implements Task {
    private static final int LENGTH = 10;
    private static final int ALPHABET = 8;
    private static final int BLANK = ALPHABET;
    private static final int CALL = ALPHABET + 1;

    @Override
    public int inputs() {
      return ALPHABET + 2;
    }

    @Override
    public int outputs() {
      return ALPHABET + 1;
    }

    @Override
    public int time() {
      return delay + 2 * LENGTH;
    }

    @Override
    public boolean classes() {
      return true;
    }

    /* Blank while it is silent, and then a guess. */
    @Override
    public double baseline() {
      return LENGTH * StrictMath.log(ALPHABET) / time();
    }

    @Override
    public void fill(Rng rng, Batch batch, int row) {
      int time = time();
      for (int t = 0; t < time; t++) {
        batch.answer(t, row, BLANK);
      }
      for (int i = 0; i < LENGTH; i++) {
        int symbol = rng.nextInt(ALPHABET);
        batch.set(i, row, symbol, 1f);
        batch.answer(time - LENGTH + i, row, symbol);
      }
      for (int t = LENGTH; t < time; t++) {
        batch.set(t, row, t == time - LENGTH - 1 ? CALL : BLANK, 1f);
      }
    }
  }
}
