package dev.unroll.cli;

import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * Shows training on standard error: a bar on a terminal, a line for every tenth of the steps
 * elsewhere.
 */
final class Progress implements AutoCloseable {
  private static final int WIDTH = 130;
  private static final int LINES = 10;

  private final @Nullable ProgressBar bar;
  private final long steps;
  private final long start = System.nanoTime();
  private long shownSteps;

  Progress(String task, long steps) {
    this.steps = steps;
    bar =
        Boolean.getBoolean("unroll.terminal")
            ? new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(200)
                .setConsumer(new ConsoleProgressBarConsumer(System.err, WIDTH))
                .build()
            : null;
  }

  /** Whether a message would be shown for this step. */
  boolean wants(long step) {
    return bar != null
        ? step % 10 == 0 || step == steps
        : step * LINES / steps > shownSteps * LINES / steps;
  }

  void show(long step, String message) {
    if (bar != null) {
      bar.setExtraMessage(" " + message);
      bar.stepTo(step);
      return;
    }
    shownSteps = step;
    double elapsed = (System.nanoTime() - start) / 1e9;
    double left = elapsed / step * (steps - step);
    System.err.printf(Locale.ROOT, "step %d/%d  %s  %.0f s left%n", step, steps, message, left);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
