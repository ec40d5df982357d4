package dev.unroll.fallback;

import java.util.Optional;

/**
 * Pointwise part of the LSTM cell (Hochreiter &amp; Schmidhuber 1997, with the forget gate of Gers
 * et al. 2000), gates in PyTorch's order i, f, g, o:
 *
 * <pre>
 *   z_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
 *   i = sigmoid(z_i)   f = sigmoid(z_f)   g = tanh(z_g)   o = sigmoid(z_o)
 *   c_t = f # c_{t-1} + i # g
 *   h_t = o # tanh(c_t)
 * </pre>
 */
public interface LstmKernels {

  /**
   * One step for n rows. Magnitudes of c_t and h_t below {@link FloatMath#FLUSH} become 0; tanh
   * takes c_t as it was before.
   *
   * @param n number of rows
   * @param units units of a row: the hidden size; the last vector's worth may end in the padding
   * @param stride from gate to gate in z, and from row to row elsewhere: the padded hidden size p,
   *     or for one row that of {@link #stepStride}
   * @param z pre-activations [n, 4p]; holds the activated gates afterwards. Modified.
   * @param zo first index
   * @param cPrev c_{t-1} [n, p]. Not modified.
   * @param cpo first index
   * @param c c_t [n, p]; may be {@code cPrev} itself. Modified.
   * @param co first index
   * @param tanhC tanh(c_t) [n, p]. Modified.
   * @param tco first index
   * @param h h_t [n, p]. Modified.
   * @param ho first index
   */
  void forward(
      int n,
      int units,
      int stride,
      float[] z,
      int zo,
      float[] cPrev,
      int cpo,
      float[] c,
      int co,
      float[] tanhC,
      int tco,
      float[] h,
      int ho);

  /**
   * From gate to gate in the pre-activations of a step. Less than the padded hidden size leaves out
   * most of the padding, so that the product has fewer rows. Behind the units of a gate {@link
   * #forward} then reads and overwrites the next one: z is 3 stride + p long, holds no gates
   * afterwards, and the padding of c and h no zeros.
   *
   * @param hidden number of units
   * @param columns inputs and units
   * @return from {@code hidden} to the padded hidden size
   */
  default int stepStride(int hidden, int columns) {
    return hidden;
  }

  /**
   * Steps of one sequence with their product, z = b + W [x, h_{t-1}]. The bits are those of {@link
   * AffineKernels#affine} and {@link #forward}.
   *
   * @param stride from gate to gate, {@link #stepStride} or the padded hidden size
   * @param w [W_ih, W_hh] and the sum of the biases
   * @param hidden number of units, the columns of W_hh
   * @param z scratch [3 stride + p, at least the rows of w]; may be modified
   * @param c c_{t-1} [p]; holds c_t after a step
   * @param co first index
   * @param tanhC scratch [p]; may be modified
   * @param h h_{t-1} [p]; holds h_t after a step. As many floats as there are inputs before it, if
   *     there are, hold x_t then
   * @param ho first index
   * @return empty if the two kernels are to be called
   */
  default Optional<StepAtOnce> atOnce(
      int stride,
      PackedMatrix w,
      int hidden,
      float[] z,
      float[] c,
      int co,
      float[] tanhC,
      float[] h,
      int ho) {
    return Optional.empty();
  }

  /**
   * BPTT through one step for n rows:
   *
   * <pre>
   *   dc   = dc_t + dh # o # (1 - tanh²(c_t))
   *   dz_i = dc # g # i # (1-i)         dz_f = dc # c_{t-1} # f # (1-f)
   *   dz_g = dc # i # (1-g²)            dz_o = dh # tanh(c_t) # o # (1-o)
   *   dc_{t-1} = dc # f
   * </pre>
   *
   * @param n number of rows
   * @param units units of a row, as in {@link #forward}
   * @param p padded hidden size
   * @param z activated gates [n, 4p]; holds dz afterwards. Modified.
   * @param zo first index
   * @param cPrev c_{t-1} [n, p]. Not modified.
   * @param cpo first index
   * @param tanhC tanh(c_t) [n, p]. Not modified.
   * @param tco first index
   * @param dh gradient of h_t [n, p]. Not modified.
   * @param dho first index
   * @param dc gradient of c_t from later steps [n, p]; holds that of c_{t-1} afterwards. Modified.
   * @param dco first index
   */
  void backward(
      int n,
      int units,
      int p,
      float[] z,
      int zo,
      float[] cPrev,
      int cpo,
      float[] tanhC,
      int tco,
      float[] dh,
      int dho,
      float[] dc,
      int dco);
}
