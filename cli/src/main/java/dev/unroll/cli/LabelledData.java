package dev.unroll.cli;

import dev.unroll.engine.Loss;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/**
 * Classification of sequences: the rows of a table with the same value in the sequence column are
 * one sequence, its label stands in each of them, and is wanted at the last. Shorter sequences
 * stand at the end of the window, after zeros; longer ones keep their end.
 */
final class LabelledData extends TableData {
  /** Keys of the model file's attributes. */
  static final String LABELS = "csv.labels";

  static final String LABEL = "csv.label";
  static final String SEQUENCE = "csv.sequence";
  static final String WINDOW = "csv.window";

  private final String label;
  private final String sequence;
  private final Scaling scaling;
  private final List<String> labels;
  private final List<float[][]> sequences;
  private final int[] classes;
  private final int split;
  private final int window;
  private final float[] x;
  private final int[] y;

  LabelledData(
      Table table,
      String label,
      String sequence,
      List<String> features,
      int batch,
      int window,
      long seed) {
    super(batch, seed);
    this.label = label;
    this.sequence = sequence;
    List<List<Integer>> groups = groups(table, sequence);
    List<String> of = labels(table, label, groups);
    labels = new ArrayList<>(new TreeSet<>(of));
    if (labels.size() < 2) {
      throw new UsageException("column '" + label + "' needs two labels at least, not " + labels);
    }
    split = (int) (groups.size() * TRAINING_PART);
    if (split < 1 || split == groups.size()) {
      throw new UsageException(
          "the table has " + groups.size() + " sequences; at least 5 are needed");
    }
    this.window = window > 0 ? window : groups.stream().mapToInt(List::size).max().orElseThrow();
    int[] shuffled = shuffled(groups.size(), seed);
    /* Labels stay unseen, so all rows may tell what is usual. */
    scaling = Scaling.of(table, features, table.rows());
    float[][] rows = scaling.apply(table);
    sequences = new ArrayList<>();
    classes = new int[groups.size()];
    for (int i = 0; i < shuffled.length; i++) {
      List<Integer> group = groups.get(shuffled[i]);
      sequences.add(group.stream().map(r -> rows[r]).toArray(float[][]::new));
      classes[i] = labels.indexOf(of.get(shuffled[i]));
    }
    Sizes.checkBatch(batch, this.window, features.size());
    x = new float[batch * this.window * features.size()];
    y = new int[batch * this.window];
  }

  /** Numbers of the rows of each sequence, in the order of their first rows. */
  static List<List<Integer>> groups(Table table, String sequence) {
    Map<String, List<Integer>> groups = new LinkedHashMap<>();
    List<String> ids = table.text(sequence);
    for (int i = 0; i < ids.size(); i++) {
      groups.computeIfAbsent(ids.get(i), key -> new ArrayList<>()).add(i);
    }
    return List.copyOf(groups.values());
  }

  /** The label of each sequence. */
  static List<String> labels(Table table, String label, List<List<Integer>> groups) {
    List<String> all = table.text(label);
    List<String> found = new ArrayList<>();
    for (List<Integer> group : groups) {
      String own = all.get(group.get(0));
      for (int row : group) {
        if (!all.get(row).equals(own)) {
          throw new UsageException(
              "the sequence that begins in row "
                  + (group.get(0) + 1)
                  + " has two labels, '"
                  + own
                  + "' and '"
                  + all.get(row)
                  + "'");
        }
      }
      found.add(own);
    }
    return found;
  }

  private static int[] shuffled(int n, long seed) {
    Rng rng = new Rng(seed);
    int[] order = new int[n];
    Arrays.setAll(order, i -> i);
    for (int i = n - 1; i > 0; i--) {
      int j = rng.nextInt(i + 1);
      int kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
    return order;
  }

  /** Puts a sequence at the end of a row of the batch. */
  static void place(float[][] sequence, int window, int batch, int row, float[] x) {
    int width = sequence[0].length;
    int length = Math.min(window, sequence.length);
    for (int t = 0; t < window; t++) {
      int to = (t * batch + row) * width;
      int from = sequence.length - window + t;
      if (t < window - length) {
        Arrays.fill(x, to, to + width, 0f);
      } else {
        System.arraycopy(sequence[from], 0, x, to, width);
      }
    }
  }

  private void fill(int row, int number) {
    place(sequences.get(number), window, batch, row, x);
    y[(window - 1) * batch + row] = classes[number];
  }

  @Override
  int trainingWindows() {
    return split;
  }

  @Override
  int validationWindows() {
    return sequences.size() - split;
  }

  @Override
  void clear() {
    Arrays.fill(y, -1);
  }

  @Override
  void fillTraining(int row, int number) {
    fill(row, number);
  }

  @Override
  void fillValidation(int row, int number) {
    fill(row, split + number);
  }

  @Override
  double stepOn(Trainer trainer) {
    return trainer.step(x, y);
  }

  @Override
  double evaluateOn(Trainer trainer) {
    return trainer.evaluate(x, y);
  }

  @Override
  public int inputs() {
    return scaling.columns().size();
  }

  @Override
  public int outputs() {
    return labels.size();
  }

  @Override
  public Loss loss() {
    return Loss.SOFTMAX_CROSS_ENTROPY;
  }

  @Override
  public int time() {
    return window;
  }

  @Override
  public long perStep() {
    return batch;
  }

  @Override
  public String unit() {
    return "sequences";
  }

  @Override
  public String describe(double loss) {
    return String.format(Locale.ROOT, "%.4f nats", loss);
  }

  @Override
  public String summary() {
    return String.format(
        Locale.ROOT,
        "%d sequences (%d to train on) of at most %d rows of %s; labels %s",
        sequences.size(),
        split,
        window,
        scaling.columns(),
        labels);
  }

  @Override
  public Map<String, String> attributes() {
    Map<String, String> map = new HashMap<>(scaling.attributes());
    map.put(LABEL, label);
    map.put(SEQUENCE, sequence);
    map.put(LABELS, String.join("\n", labels));
    map.put(WINDOW, Integer.toString(window));
    return map;
  }

  @Override
  public long fingerprint() {
    return 31L * Arrays.hashCode(classes) + Arrays.deepHashCode(sequences.toArray());
  }
}
