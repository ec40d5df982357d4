package dev.unroll.engine;

/** Copies between matrices of different row strides. */
final class Rows {
  private Rows() {}

  /** Copies n rows of some columns; strides and offsets in floats. */
  static void copy(int n, int columns, float[] from, int fo, int fs, float[] to, int to0, int ts) {
    for (int i = 0; i < n; i++) {
      System.arraycopy(from, fo + i * fs, to, to0 + i * ts, columns);
    }
  }

  /** Adds n rows of some columns. */
  static void add(int n, int columns, float[] from, int fo, int fs, float[] to, int to0, int ts) {
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < columns; k++) {
        to[to0 + i * ts + k] += from[fo + i * fs + k];
      }
    }
  }
}
