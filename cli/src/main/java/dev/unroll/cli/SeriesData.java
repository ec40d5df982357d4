package dev.unroll.cli;

import dev.unroll.engine.Loss;
import dev.unroll.engine.Trainer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Forecasting: windows of consecutive rows of a table; at each row the target column's value in the
 * next row is wanted. Columns are scaled by mean and deviation of the training part.
 */
final class SeriesData extends TableData {
  /** Keys of the model file's attributes. */
  static final String TARGET = "csv.target";

  private final String target;
  private final Scaling scaling;
  private final float[][] rows;
  private final int column;
  private final int split;
  private final int window;
  private final float[] x;
  private final float[] y;
  private final boolean[] mask;

  SeriesData(Table table, String target, List<String> features, int batch, int window, long seed) {
    super(batch, seed);
    table.numbers(target); // refuses a column that is missing or no number
    this.target = target;
    this.window = window;
    split = (int) (table.rows() * TRAINING_PART);
    if (split < window + 2 || table.rows() - split < window + 1) {
      throw new UsageException(
          "the table has "
              + table.rows()
              + " rows; windows of "
              + window
              + " need at least "
              + 5 * (window + 2)
              + ": give more rows or a smaller --window");
    }
    if (!features.contains(target)) {
      throw new UsageException("the target '" + target + "' is not among the features " + features);
    }
    scaling = Scaling.of(table, features, split);
    rows = scaling.apply(table);
    column = features.indexOf(target);
    Sizes.checkBatch(batch, window, features.size());
    x = new float[batch * window * features.size()];
    y = new float[batch * window];
    mask = new boolean[batch * window];
  }

  private void fill(int row, int start) {
    int width = scaling.columns().size();
    for (int t = 0; t < window; t++) {
      System.arraycopy(rows[start + t], 0, x, (t * batch + row) * width, width);
      y[t * batch + row] = rows[start + t + 1][column];
      mask[t * batch + row] = true;
    }
  }

  @Override
  int trainingWindows() {
    return split - window;
  }

  @Override
  int validationWindows() {
    return (rows.length - split - 1) / window;
  }

  @Override
  void clear() {
    Arrays.fill(mask, false);
  }

  @Override
  void fillTraining(int row, int number) {
    fill(row, number);
  }

  @Override
  void fillValidation(int row, int number) {
    fill(row, split + number * window);
  }

  @Override
  double stepOn(Trainer trainer) {
    return trainer.step(x, y, mask);
  }

  @Override
  double evaluateOn(Trainer trainer) {
    return trainer.evaluate(x, y, mask);
  }

  @Override
  public int inputs() {
    return scaling.columns().size();
  }

  @Override
  public int outputs() {
    return 1;
  }

  @Override
  public Loss loss() {
    return Loss.MEAN_SQUARED_ERROR;
  }

  @Override
  public int time() {
    return window;
  }

  @Override
  public long perStep() {
    return (long) batch * window;
  }

  @Override
  public String unit() {
    return "rows";
  }

  @Override
  public String describe(double loss) {
    double error = Math.sqrt(loss) * scaling.deviation()[column];
    return String.format(Locale.ROOT, "MSE %.4g scaled, RMSE %.4g in %s", loss, error, target);
  }

  @Override
  public String summary() {
    return String.format(
        Locale.ROOT,
        "%d rows (%d to train on) of %s; the next value of %s is wanted",
        rows.length,
        split,
        scaling.columns(),
        target);
  }

  @Override
  public Map<String, String> attributes() {
    Map<String, String> map = new HashMap<>(scaling.attributes());
    map.put(TARGET, target);
    return map;
  }

  @Override
  public long fingerprint() {
    return Arrays.deepHashCode(rows);
  }
}
