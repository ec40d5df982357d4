package dev.unroll.engine;

/**
 * SplitMix64 (Steele, Lea &amp; Flood 2014): a small generator whose sequence is the same on every
 * JDK.
 *
 * <p>Not safe for use by several threads.
 */
public final class Rng {
  private long state;

  /**
   * Starts a sequence.
   *
   * @param seed any number
   */
  public Rng(long seed) {
    state = seed;
  }

  /**
   * The whole state.
   *
   * @return a seed that continues the sequence
   */
  public long state() {
    return state;
  }

  /**
   * The next 64 bits.
   *
   * @return uniform over all longs
   */
  public long nextLong() {
    state += 0x9E3779B97F4A7C15L;
    long z = state;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /**
   * A double in [0, 1).
   *
   * @return a multiple of 2^-53
   */
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1p-53;
  }

  /**
   * A float in [low, high).
   *
   * @param low lower bound
   * @param high upper bound
   * @return uniform
   */
  public float uniform(float low, float high) {
    return low + (float) nextDouble() * (high - low);
  }

  /**
   * An int in [0, bound).
   *
   * @param bound at least 1
   * @return uniform up to a bias of bound / 2^63
   */
  public int nextInt(int bound) {
    return (int) ((nextLong() >>> 1) % bound);
  }

  /**
   * A sample of the standard normal distribution (Box &amp; Muller 1958).
   *
   * @return mean 0, variance 1
   */
  public float gaussian() {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - nextDouble()));
    return (float) (radius * StrictMath.cos(2 * StrictMath.PI * nextDouble()));
  }
}
