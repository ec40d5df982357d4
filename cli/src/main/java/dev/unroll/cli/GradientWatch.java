package dev.unroll.cli;

import java.util.Locale;

/** Says in plain words, once each, when the gradients of a run go wrong, and what to try. */
final class GradientWatch {
  /* Norms that deserve a word: far above what clipping leaves, or too small to move anything. */
  private static final double EXPLODED = 20;
  private static final double VANISHED = 1e-6;

  /* Steps in a row. */
  private static final int PERSISTENT = 20;

  private final double clip;
  private int large;
  private int small;
  private boolean saidNotFinite;
  private boolean saidLarge;
  private boolean saidSmall;

  GradientWatch(double clip) {
    this.clip = clip;
  }

  void observe(long step, double norm) {
    if (!Double.isFinite(norm)) {
      if (!saidNotFinite) {
        say(
            step,
            "the gradients are not finite; the step changed no parameter. Try a smaller --lr, a"
                + " smaller --clip, or --recurrent-init orthogonal");
      }
      saidNotFinite = true;
      return;
    }
    double limit = Double.isFinite(clip) ? EXPLODED * clip : 1000;
    large = norm > limit ? large + 1 : 0;
    small = norm < VANISHED ? small + 1 : 0;
    if (large == PERSISTENT && !saidLarge) {
      saidLarge = true;
      say(
          step,
          String.format(
              Locale.ROOT,
              "the gradients explode: norm %.3g for %d steps in a row. Try --clip 1, a smaller --lr,"
                  + " shorter --time, or --cell lstm or gru",
              norm,
              PERSISTENT));
    }
    if (small == PERSISTENT && !saidSmall) {
      saidSmall = true;
      say(
          step,
          String.format(
              Locale.ROOT,
              "the gradients vanish: norm %.3g for %d steps in a row, so nothing is learnt. Try --cell"
                  + " lstm with --forget-bias or --chrono, --cell gru, --recurrent-init orthogonal, or"
                  + " --residual between layers",
              norm,
              PERSISTENT));
    }
  }

  private static void say(long step, String what) {
    System.err.println("step " + step + ": " + what);
  }
}
