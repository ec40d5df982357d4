package dev.unroll.fallback;

/**
 * One step of one sequence with its products, for cells so small that calls and memory between
 * product and gates would take as long as the arithmetic, and others whose output comes from the
 * registers that way. It is bound to weights, state and the kernel that takes them, as choosing
 * among kernels would stand between two steps, and a processor multiplies the next inputs during
 * the last activations only if little stands there.
 */
public interface StepAtOnce {

  /**
   * Replaces the state of t - 1 by that of t.
   *
   * @param x x_t. Not modified.
   * @param xo first index
   * @param y h_t once more, [hidden], straight from the registers: to load what has just been
   *     stored would keep a processor waiting; or empty. Modified.
   */
  void step(float[] x, int xo, float[] y);

  /** Calls the kernels idly, see {@link Kernels}. */
  void idle();
}
