package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.OptimizerKernels;

/** Applies an {@link Optimizer} to a flat parameter array, with its moments and step count. */
final class OptimizerState {
  private final Optimizer optimizer;
  private final OptimizerKernels kernels;
  private final float[] first;
  private final float[] second;
  private final OptimizerKernels.AdamStep adam = new OptimizerKernels.AdamStep();
  private long step;

  OptimizerState(Optimizer optimizer, Kernels kernels, int size, Memory memory) {
    this.optimizer = optimizer;
    this.kernels = kernels.optimizer();
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
    int n = w.length;
    if (optimizer instanceof Optimizer.Sgd sgd) {
      if (sgd.momentum() == 0) {
        kernels.sgd(n, w, g, lr, sgd.weightDecay());
      } else {
        kernels.momentum(n, w, g, first, lr, sgd.momentum(), sgd.nesterov(), sgd.weightDecay());
      }
    } else if (optimizer instanceof Optimizer.Adam a) {
      adam.beta1 = a.beta1();
      adam.beta2 = a.beta2();
      adam.eps = a.eps();
      adam.keep = a.decoupled() ? 1f - lr * a.weightDecay() : 1f;
      adam.decay = a.decoupled() ? 0f : a.weightDecay();
      adam.stepSize = (float) (lr / (1 - StrictMath.pow(a.beta1(), (double) step)));
      adam.rootCorrection2 = (float) Math.sqrt(1 - StrictMath.pow(a.beta2(), (double) step));
      kernels.adam(n, w, g, first, second, adam);
    } else if (optimizer instanceof Optimizer.RmsProp r) {
      kernels.rmsProp(n, w, g, first, lr, r.alpha(), r.eps(), r.weightDecay());
    }
  }
}
