package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.OptimizerKernels;
import org.jspecify.annotations.Nullable;

/** Applies an {@link Optimizer} to a flat parameter array, with its moments and step count. */
final class OptimizerState {
  private final Optimizer optimizer;
  private final OptimizerKernels kernels;
  private final @Nullable Team team;
  private final Team.Task part = this::updatePart;
  private final float[] first;
  private final float[] second;
  private final OptimizerKernels.AdamStep adam = new OptimizerKernels.AdamStep();
  private long step;

  /* Arguments of an update. */
  private float[] w = Cell.NOTHING;
  private float[] g = Cell.NOTHING;
  private float lr;

  OptimizerState(Optimizer optimizer, Kernels kernels, int size, Memory memory) {
    this.optimizer = optimizer;
    this.kernels = kernels.optimizer();
    team = ParallelKernels.team(kernels);
    first = memory.floats(optimizer.slots() > 0 ? 1 : 0, size);
    second = memory.floats(optimizer.slots() > 1 ? 1 : 0, size);
  }

  /** Number of updates so far. */
  long step() {
    return step;
  }

  Trainer.Progress progress(long noise) {
    return new Trainer.Progress(first.clone(), second.clone(), step, noise);
  }

  void restore(Trainer.Progress p) {
    if (p.first().length != first.length || p.second().length != second.length) {
      throw new IllegalArgumentException(
          "the moments have "
              + p.first().length
              + " and "
              + p.second().length
              + " elements; this optimizer keeps "
              + first.length
              + " and "
              + second.length);
    }
    System.arraycopy(p.first(), 0, first, 0, first.length);
    System.arraycopy(p.second(), 0, second, 0, second.length);
    step = p.updates();
  }

  void update(float[] w, float[] g, float lr) {
    step++;
    this.w = w;
    this.g = g;
    this.lr = lr;
    if (optimizer instanceof Optimizer.Adam a) {
      adam.beta1 = a.beta1();
      adam.beta2 = a.beta2();
      adam.eps = a.eps();
      adam.keep = a.decoupled() ? 1f - lr * a.weightDecay() : 1f;
      adam.decay = a.decoupled() ? 0f : a.weightDecay();
      adam.stepSize = (float) (lr / (1 - power(a.beta1(), step)));
      adam.rootCorrection2 = (float) Math.sqrt(1 - power(a.beta2(), step));
    }
    Team.share(team, w.length >= ParallelKernels.SMALL_MATRIX, part);
  }

  /** By squaring: StrictMath.pow leaves arrays behind until C2 has compiled its caller. */
  static double power(double base, long exponent) {
    double product = 1;
    double square = base;
    for (long n = exponent; n > 0; n >>= 1, square *= square) {
      if ((n & 1) != 0) {
        product *= square;
      }
    }
    return product;
  }

  private void updatePart(int part, int parts) {
    int from = ParallelKernels.first(part, parts, w.length, Kernels.LANES);
    int to = ParallelKernels.first(part + 1, parts, w.length, Kernels.LANES);
    if (optimizer instanceof Optimizer.Adam) {
      kernels.adam(from, to, w, g, first, second, adam);
    } else if (optimizer instanceof Optimizer.RmsProp r) {
      kernels.rmsProp(from, to, w, g, first, lr, r.alpha(), r.eps(), r.weightDecay());
    } else if (optimizer instanceof Optimizer.Sgd s && s.momentum() == 0) {
      kernels.sgd(from, to, w, g, lr, s.weightDecay());
    } else if (optimizer instanceof Optimizer.Sgd s) {
      kernels.momentum(from, to, w, g, first, lr, s.momentum(), s.nesterov(), s.weightDecay());
    }
  }
}
