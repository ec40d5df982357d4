package dev.unroll.engine;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Zoneout (Krueger et al. 2017): s_t = k # s_{t-1} + (1 - k) # s̃_t for hidden and cell state,
 * where k is 0 or 1 at random in training, and the probability itself otherwise.
 */
final class Zoneout {
  private final State state;
  private final float hiddenProbability;
  private final float cellProbability;

  /* k for every step, row and unit; in a stream for its one step. */
  private final float[] keepHidden;
  private final float[] keepCell;

  /* The state before a step in place, or the gradients that pass a step by. */
  private final float[] aside;
  private final float[] asideCell;

  Zoneout(State state, Regularization noise, int time, Memory memory) {
    this.state = state;
    hiddenProbability = noise.zoneoutHidden();
    cellProbability = noise.zoneoutCell();
    boolean cells = state.layer.cell().hasCellState();
    keepHidden = memory.floats((long) time * state.batch, state.paddedOutput);
    keepCell = memory.floats(cells ? (long) time * state.batch : 0, state.paddedHidden);
    aside = memory.floats(state.batch, state.paddedOutput);
    asideCell = memory.floats(cells ? state.batch : 0, state.paddedHidden);
    draw(null);
  }

  static boolean isUsed(Regularization noise) {
    return noise.zoneoutHidden() > 0 || noise.zoneoutCell() > 0;
  }

  /** Draws k for all steps, or sets it to the probabilities. */
  void draw(@Nullable Rng rng) {
    Arrays.fill(keepHidden, hiddenProbability);
    Arrays.fill(keepCell, cellProbability);
    if (rng != null) {
      choose(rng, hiddenProbability, keepHidden);
      choose(rng, cellProbability, keepCell);
    }
  }

  private static void choose(Rng rng, float p, float[] keep) {
    for (int i = 0; i < keep.length; i++) {
      keep[i] = rng.nextDouble() < p ? 1f : 0f;
    }
  }

  /** Keeps the state of a stream before its step in place. */
  void remember() {
    System.arraycopy(state.h, state.hidden(0), aside, 0, aside.length);
    System.arraycopy(state.c, 0, asideCell, 0, asideCell.length);
  }

  /** Mixes a stream's state after its step. */
  void mixRemembered() {
    mix(aside.length, keepHidden, 0, aside, 0, state.h, state.hidden(0));
    mix(asideCell.length, keepCell, 0, asideCell, 0, state.c, 0);
  }

  /** Mixes some rows of slot {@code previous} into slot {@code next} after step t. */
  void forward(int t, int previous, int next, int first, int rows) {
    float[] h = state.h;
    int own = first * state.paddedOutput;
    int k = t * aside.length + own;
    int from = state.hidden(previous) + own;
    mix(rows * state.paddedOutput, keepHidden, k, h, from, h, state.hidden(next) + own);
    if (asideCell.length > 0) {
      float[] c = state.c;
      own = first * state.paddedHidden;
      k = t * asideCell.length + own;
      from = state.cell(previous) + own;
      mix(rows * state.paddedHidden, keepCell, k, c, from, c, state.cell(next) + own);
    }
  }

  private static void mix(int n, float[] k, int ko, float[] from, int fo, float[] to, int to0) {
    for (int i = 0; i < n; i++) {
      to[to0 + i] = k[ko + i] * from[fo + i] + (1f - k[ko + i]) * to[to0 + i];
    }
  }

  /** Sets aside what passes step t by, of some rows. */
  void beforeBackward(int t, float[] dh, float[] dc, int first, int rows) {
    split(aside, keepHidden, t * aside.length, dh, first, rows);
    split(asideCell, keepCell, t * asideCell.length, dc, first, rows);
  }

  private void split(float[] aside, float[] k, int ko, float[] d, int first, int rows) {
    int width = aside.length / state.batch;
    for (int i = first * width; i < (first + rows) * width; i++) {
      aside[i] = k[ko + i] * d[i];
      d[i] = (1f - k[ko + i]) * d[i];
    }
  }

  /** Adds it to the gradients of the state before. */
  void afterBackward(float[] dh, float[] dc, int first, int rows) {
    join(aside, dh, first, rows);
    join(asideCell, dc, first, rows);
  }

  private void join(float[] aside, float[] d, int first, int rows) {
    int width = aside.length / state.batch;
    for (int i = first * width; i < (first + rows) * width; i++) {
      d[i] += aside[i];
    }
  }
}
