package dev.unroll.simd;

import static dev.unroll.simd.Lanes.LENGTH;

import dev.unroll.fallback.StepAtOnce;
import dev.unroll.fallback.StepInput;

/**
 * What steps of all cells have in common: the state h that they replace, and where else it goes.
 */
abstract class VectorStep implements StepAtOnce {
  /* Makes kernels idle. */
  static final float[] NOTHING = {};

  final float[] h;
  final int ho;

  /* h_t where nobody wants it, or not whole vectors of it. */
  private final float[] unwanted;

  VectorStep(int hidden, float[] h, int ho) {
    this.h = h;
    this.ho = ho;
    unwanted = new float[Math.ceilDiv(hidden, LENGTH) * LENGTH];
  }

  @Override
  public final void step(float[] x, int xo, float[] y) {
    boolean whole = y.length == unwanted.length;
    run(false, x, xo, whole ? y : unwanted);
    if (!whole) {
      System.arraycopy(h, ho, y, 0, y.length);
    }
  }

  @Override
  public final void idle() {
    run(true, h, 0, h);
  }

  /**
   * A step, which writes h_t to {@code out} too, in whole vectors; or idle calls of its kernels.
   */
  abstract void run(boolean idle, float[] x, int xo, float[] out);

  /** z = b + W [x, h_{t-1}] for as many inputs as there is room for before h: x is put there. */
  final void multiply(boolean idle, Panels w, int inputs, float[] x, int xo, float[] z) {
    int o = idle ? 0 : ho - inputs;
    if (!idle) {
      StepInput.copy(inputs, x, xo, h, o);
    }
    SlabGemv.affine(w, h, o, w.bias, 0, idle ? NOTHING : z, 0);
  }
}
