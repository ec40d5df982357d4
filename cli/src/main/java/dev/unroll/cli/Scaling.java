package dev.unroll.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Columns of numbers and how to bring them to mean 0 and standard deviation 1; kept in the model.
 */
record Scaling(List<String> columns, float[] mean, float[] deviation) {
  private static final String COLUMNS = "csv.columns";
  private static final String MEAN = "csv.mean";
  private static final String DEVIATION = "csv.deviation";
  private static final char SEPARATOR = '\n';

  /** Of some rows of a table, the first ones. */
  static Scaling of(Table table, List<String> columns, int rows) {
    float[] mean = new float[columns.size()];
    float[] deviation = new float[columns.size()];
    for (int c = 0; c < mean.length; c++) {
      float[] values = table.numbers(columns.get(c));
      double sum = 0;
      for (int i = 0; i < rows; i++) {
        sum += values[i];
      }
      double squares = 0;
      for (int i = 0; i < rows; i++) {
        double d = values[i] - sum / rows;
        squares += d * d;
      }
      mean[c] = (float) (sum / rows);
      /* A constant column stays 0. */
      deviation[c] = squares == 0 ? 1f : (float) Math.sqrt(squares / rows);
    }
    return new Scaling(columns, mean, deviation);
  }

  /** Scaled rows [row][column]. */
  float[][] apply(Table table) {
    float[][] scaled = new float[table.rows()][columns.size()];
    for (int c = 0; c < columns.size(); c++) {
      float[] values = table.numbers(columns.get(c));
      for (int i = 0; i < values.length; i++) {
        scaled[i][c] = (values[i] - mean[c]) / deviation[c];
      }
    }
    return scaled;
  }

  Map<String, String> attributes() {
    Map<String, String> map = new HashMap<>();
    map.put(COLUMNS, String.join(String.valueOf(SEPARATOR), columns));
    map.put(MEAN, join(mean));
    map.put(DEVIATION, join(deviation));
    return map;
  }

  /** The scaling of a model trained on a table. */
  static Scaling of(Map<String, String> attributes, String model) {
    String columns = attributes.get(COLUMNS);
    if (columns == null) {
      throw new UsageException(
          model + " was not trained on a table; make such a model with unroll train --csv");
    }
    List<String> names = List.of(columns.split(String.valueOf(SEPARATOR), -1));
    float[] mean = split(attributes.getOrDefault(MEAN, ""), model);
    float[] deviation = split(attributes.getOrDefault(DEVIATION, ""), model);
    if (mean.length != names.size() || deviation.length != names.size()) {
      throw new UsageException(model + ": the scaling of its columns is damaged");
    }
    return new Scaling(names, mean, deviation);
  }

  private static String join(float[] values) {
    List<String> parts = new ArrayList<>();
    for (float v : values) {
      parts.add(Float.toString(v));
    }
    return String.join(" ", parts);
  }

  private static float[] split(String text, String model) {
    String[] parts = text.split(" ", -1);
    float[] values = new float[parts.length];
    try {
      for (int i = 0; i < parts.length; i++) {
        values[i] = Float.parseFloat(parts[i]);
      }
    } catch (NumberFormatException e) {
      throw new UsageException(model + ": the scaling of its columns is damaged");
    }
    return values;
  }
}
