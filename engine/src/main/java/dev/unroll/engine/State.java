package dev.unroll.engine;

/**
 * Slots of hidden state h [slots, batch, paddedOutput] and cell state c [slots, batch,
 * paddedHidden].
 */
final class State {
  final int batch;
  final int paddedOutput;
  final int paddedHidden;
  final float[] h;
  final float[] c;
  final LayerSpec layer;

  State(LayerWeights weights, int slots, int batch, Memory memory) {
    this.batch = batch;
    layer = weights.layer;
    paddedOutput = weights.paddedOutput;
    paddedHidden = weights.paddedHidden;
    h = memory.floats((long) slots * batch, paddedOutput);
    c = memory.floats(layer.cell().hasCellState() ? (long) slots * batch : 0, paddedHidden);
  }

  /** Index of a slot's first h. */
  int hidden(int slot) {
    return slot * batch * paddedOutput;
  }

  /** Index of a slot's first c. */
  int cell(int slot) {
    return slot * batch * paddedHidden;
  }

  void clear(int slot) {
    java.util.Arrays.fill(h, hidden(slot), hidden(slot + 1), 0f);
    if (c.length > 0) {
      java.util.Arrays.fill(c, cell(slot), cell(slot + 1), 0f);
    }
  }

  /** Copies one row of the batch from slot to slot. */
  void copyRow(int from, int to, int row) {
    int ho = row * paddedOutput;
    System.arraycopy(h, hidden(from) + ho, h, hidden(to) + ho, paddedOutput);
    if (c.length > 0) {
      int co = row * paddedHidden;
      System.arraycopy(c, cell(from) + co, c, cell(to) + co, paddedHidden);
    }
  }

  void copySlot(int from, int to) {
    for (int row = 0; row < batch; row++) {
      copyRow(from, to, row);
    }
  }

  /** Reads h [batch, outputSize] and c [batch, hidden] from dense arrays. */
  void set(int slot, float[] hs, int ho, float[] cs, int co) {
    Rows.copy(batch, layer.outputSize(), hs, ho, layer.outputSize(), h, hidden(slot), paddedOutput);
    if (c.length > 0) {
      Rows.copy(batch, layer.hidden(), cs, co, layer.hidden(), c, cell(slot), paddedHidden);
    }
  }

  /** Writes h [batch, outputSize] and c [batch, hidden] to dense arrays. */
  void get(int slot, float[] hs, int ho, float[] cs, int co) {
    Rows.copy(batch, layer.outputSize(), h, hidden(slot), paddedOutput, hs, ho, layer.outputSize());
    if (c.length > 0) {
      Rows.copy(batch, layer.hidden(), c, cell(slot), paddedHidden, cs, co, layer.hidden());
    }
  }
}
