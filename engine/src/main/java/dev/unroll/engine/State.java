package dev.unroll.engine;

import static dev.unroll.fallback.ScalarMath.flush;

import dev.unroll.fallback.Kernels;

/**
 * Slots of hidden state h [slots, batch, paddedOutput] and cell state c [slots, batch,
 * paddedHidden].
 */
final class State {
  final int batch;
  final int paddedOutput;
  final int paddedHidden;

  /** Slots of h; a single one behind room for a step's input where W_ih and W_hh are joined. */
  final float[] h;

  final float[] c;
  final LayerSpec layer;

  /** What the recurrent product sees: {@link #h}, or a masked copy of it with the same slots. */
  final float[] recurrent;

  /** Locked mask of the recurrent input [batch, paddedOutput], or empty. */
  final float[] mask;

  private final int room;
  private final boolean locked;
  private final float[] initialHidden;
  private final float[] initialCell;

  /* Slot whose state slot 0 is to have; 0 if it has it. */
  private int carriedSlot;

  State(LayerWeights weights, int slots, int batch, boolean locked, Memory memory) {
    this.batch = batch;
    layer = weights.layer;
    paddedOutput = weights.paddedOutput;
    paddedHidden = weights.paddedHidden;
    room = weights.isJoined() && slots == 1 ? weights.inputSize : 0;
    h = memory.floats(1, room + (long) slots * batch * paddedOutput);
    c = memory.floats(layer.cell().hasCellState() ? (long) slots * batch : 0, paddedHidden);
    this.locked = locked;
    recurrent = locked ? memory.floats((long) slots * batch, paddedOutput) : h;
    mask = memory.floats(locked ? batch : 0, paddedOutput);
    initialHidden = weights.initialHidden;
    initialCell = weights.initialCell;
  }

  boolean isLocked() {
    return locked;
  }

  /** Masks some rows of a slot's h for the recurrent product. */
  void lock(int slot, Kernels kernels, int first, int n) {
    if (isLocked()) {
      int own = first * paddedOutput;
      int at = hidden(slot) + own;
      kernels.elements().multiply(n * paddedOutput, h, at, mask, own, recurrent, at);
    }
  }

  /** Turns some rows of the gradient of the recurrent product's input into that of h. */
  void maskGradient(float[] dh, Kernels kernels, int first, int n) {
    if (isLocked()) {
      int own = first * paddedOutput;
      kernels.elements().multiply(n * paddedOutput, dh, own, mask, own, dh, own);
    }
  }

  /** Index of a slot's first h. */
  int hidden(int slot) {
    return room + slot * batch * paddedOutput;
  }

  /** Index of a slot's first c. */
  int cell(int slot) {
    return slot * batch * paddedHidden;
  }

  /** Sets a slot to the initial state: zero, or what was learned. */
  void clear(int slot) {
    for (int row = 0; row < batch; row++) {
      clear(slot, row);
    }
  }

  /** The same for one row. */
  void clear(int slot, int row) {
    settle();
    System.arraycopy(initialHidden, 0, h, hidden(slot) + row * paddedOutput, paddedOutput);
    if (c.length > 0) {
      System.arraycopy(initialCell, 0, c, cell(slot) + row * paddedHidden, paddedHidden);
    }
  }

  /** Copies some rows of the batch from slot to slot. */
  void copyRows(int from, int to, int first, int n) {
    copyRows(this, from, to, first, n);
  }

  /** The same from another state of the same layer and batch. */
  void copyRows(State other, int from, int to, int first, int n) {
    int ho = first * paddedOutput;
    System.arraycopy(other.h, other.hidden(from) + ho, h, hidden(to) + ho, n * paddedOutput);
    if (c.length > 0) {
      int co = first * paddedHidden;
      System.arraycopy(other.c, other.cell(from) + co, c, cell(to) + co, n * paddedHidden);
    }
  }

  /**
   * Gives slot 0 the state of another one. The rows are copied when they are needed: by the next
   * pass, each by the thread that works on it and has it in its cache, or by {@link #settle}.
   */
  void carry(int from) {
    carriedSlot = from;
  }

  /** Copies some of the rows that {@link #carry} promised. */
  void takeCarried(int first, int n) {
    if (carriedSlot > 0) {
      copyRows(carriedSlot, 0, first, n);
    }
  }

  /** All of them have been taken. */
  void endCarry() {
    carriedSlot = 0;
  }

  /** Copies all that are still missing. */
  void settle() {
    takeCarried(0, batch);
    endCarry();
  }

  void copySlot(int from, int to) {
    settle();
    copyRows(from, to, 0, batch);
  }

  /** Reads h [batch, outputSize] and c [batch, hidden] from dense arrays. */
  void set(int slot, float[] hs, int ho, float[] cs, int co) {
    for (int row = 0; row < batch; row++) {
      setRow(slot, row, hs, ho + row * layer.outputSize(), cs, co + row * layer.hidden());
    }
  }

  /** Reads h [outputSize] and c [hidden] of one row, rid of denormals as after a step. */
  void setRow(int slot, int row, float[] hs, int ho, float[] cs, int co) {
    settle();
    int at = hidden(slot) + row * paddedOutput;
    for (int j = 0; j < layer.outputSize(); j++) {
      h[at + j] = flush(hs[ho + j]);
    }
    if (c.length > 0) {
      int from = cell(slot) + row * paddedHidden;
      for (int j = 0; j < layer.hidden(); j++) {
        c[from + j] = flush(cs[co + j]);
      }
    }
  }

  /** Writes h [batch, outputSize] and c [batch, hidden] to dense arrays. */
  void get(int slot, float[] hs, int ho, float[] cs, int co) {
    for (int row = 0; row < batch; row++) {
      getRow(slot, row, hs, ho + row * layer.outputSize(), cs, co + row * layer.hidden());
    }
  }

  /** Writes h [outputSize] and c [hidden] of one row. */
  void getRow(int slot, int row, float[] hs, int ho, float[] cs, int co) {
    settle();
    System.arraycopy(h, hidden(slot) + row * paddedOutput, hs, ho, layer.outputSize());
    if (c.length > 0) {
      System.arraycopy(c, cell(slot) + row * paddedHidden, cs, co, layer.hidden());
    }
  }
}
