package dev.unroll.simd;

import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.ReducedAffine;
import dev.unroll.fallback.ReducedMatrix;
import dev.unroll.fallback.WeightFormat;
import java.lang.ref.Reference;

/** The walk over the panels of reduced weights. */
abstract class VectorReduced extends ReducedAffine {
  VectorReduced(WeightFormat format, AffineKernels wide) {
    super(format, wide);
  }

  /** z = b + W x for the rows of panel i; b and z at the first of them. */
  abstract void panel(WordPanels m, int i, float[] x, int xo, float[] b, int bo, float[] z, int zo);

  @Override
  protected final void multiply(
      ReducedMatrix w, float[] x, int xo, float[] b, int bo, float[] z, int zo) {
    WordPanels m = (WordPanels) w;
    int panels = m.starts.length - 1;
    boolean backwards = m.sweep.turn();
    try {
      for (int j = 0; j < panels; j++) {
        int i = Sweep.panel(backwards, j, panels);
        int r = m.starts[i];
        panel(m, i, x, xo, b, bo + r, z, zo + r);
      }
    } finally {
      Reference.reachabilityFence(m);
    }
  }
}
