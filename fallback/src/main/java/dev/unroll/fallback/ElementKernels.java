package dev.unroll.fallback;

/**
 * Element-wise operations over ranges whose length is a multiple of {@link Kernels#LANES}, unless
 * said otherwise. An output range may be the same as an input range; it must not overlap one
 * partly.
 */
public interface ElementKernels {

  /**
   * Logistic function y = 1 / (1 + exp(-x)): at most 2.5 ulp off, 0 at -Inf, 1 at +Inf, NaN for
   * NaN.
   *
   * @param n number of elements
   * @param x input. Not modified.
   * @param xo its first index
   * @param y output. Modified.
   * @param yo its first index
   */
  void sigmoid(int n, float[] x, int xo, float[] y, int yo);

  /**
   * Hyperbolic tangent: at most 2.7 ulp off, odd in every bit, ±1 at ±Inf, NaN for NaN.
   *
   * @param n number of elements
   * @param x input. Not modified.
   * @param xo its first index
   * @param y output. Modified.
   * @param yo its first index
   */
  void tanh(int n, float[] x, int xo, float[] y, int yo);

  /**
   * Exponential: at most 1.5 ulp off, 0 at -Inf, +Inf past 88.7, NaN for NaN.
   *
   * @param n number of elements
   * @param x input. Not modified.
   * @param xo its first index
   * @param y output. Modified.
   * @param yo its first index
   */
  void exp(int n, float[] x, int xo, float[] y, int yo);

  /**
   * y = x, for ranges of any length that do not overlap.
   *
   * @param n number of elements
   * @param x input. Not modified.
   * @param xo its first index
   * @param y output. Modified.
   * @param yo its first index
   */
  void copy(int n, float[] x, int xo, float[] y, int yo);

  /**
   * y += a x.
   *
   * @param n number of elements
   * @param a the factor
   * @param x summand. Not modified.
   * @param xo its first index
   * @param y sum. Modified.
   * @param yo its first index
   */
  void axpy(int n, float a, float[] x, int xo, float[] y, int yo);

  /**
   * y = a + b.
   *
   * @param n number of elements
   * @param a first summand. Not modified.
   * @param ao its first index
   * @param b second summand. Not modified.
   * @param bo its first index
   * @param y sum. Modified.
   * @param yo its first index
   */
  void add(int n, float[] a, int ao, float[] b, int bo, float[] y, int yo);

  /**
   * y = a b, element by element (Hadamard product).
   *
   * @param n number of elements
   * @param a first factor. Not modified.
   * @param ao its first index
   * @param b second factor. Not modified.
   * @param bo its first index
   * @param y product. Modified.
   * @param yo its first index
   */
  void multiply(int n, float[] a, int ao, float[] b, int bo, float[] y, int yo);

  /**
   * y += a b, element by element, each with one fused multiply-add.
   *
   * @param n number of elements
   * @param a first factor. Not modified.
   * @param ao its first index
   * @param b second factor. Not modified.
   * @param bo its first index
   * @param y sum. Modified.
   * @param yo its first index
   */
  void multiplyAccumulate(int n, float[] a, int ao, float[] b, int bo, float[] y, int yo);

  /**
   * x = a x.
   *
   * @param n number of elements
   * @param a the factor
   * @param x the range. Modified.
   * @param xo its first index
   */
  void scaleInPlace(int n, float a, float[] x, int xo);

  /**
   * Column sums: s[j] += sum over i of m_i[j], i ascending.
   *
   * @param n number of rows
   * @param columns number of columns
   * @param m matrix [n, columns]. Not modified.
   * @param mo its first index
   * @param ms its row stride
   * @param s sums [columns]. Modified.
   * @param so its first index
   */
  void sumRowsAccumulate(int n, int columns, float[] m, int mo, int ms, float[] s, int so);

  /**
   * Sum of squares, in blocks of {@link FloatMath#SUM_BLOCK} elements: sixteen float chains by
   * index modulo 16 in a block, reduced as {@link FloatMath#reduce} says, blocks added in double.
   *
   * @param n number of elements
   * @param x input. Not modified.
   * @param xo its first index
   * @return the sum
   */
  double sumOfSquares(int n, float[] x, int xo);
}
