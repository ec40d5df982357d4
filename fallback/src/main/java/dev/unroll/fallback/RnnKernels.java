package dev.unroll.fallback;

import java.util.Optional;

/**
 * Pointwise part of the simple recurrent cell (Elman 1990): h_t = tanh(z_t) or h_t = max(0, z_t),
 * where z_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh.
 */
public interface RnnKernels {

  /**
   * h = flush(tanh(z)).
   *
   * @param n number of elements
   * @param z pre-activations. Not modified.
   * @param zo first index
   * @param h hidden state. Modified.
   * @param ho first index
   */
  void forwardTanh(int n, float[] z, int zo, float[] h, int ho);

  /**
   * Steps of one sequence with their product: z_t = b + W [x, h_{t-1}] and {@link #forwardTanh} or
   * {@link #forwardRelu} of it.
   *
   * @param relu whether h_t = max(0, z_t) instead of tanh(z_t)
   * @param w [W_ih, W_hh] and the sum of the biases
   * @param hidden number of units, the columns of W_hh
   * @param z scratch [rows of w]; may be modified
   * @param h h_{t-1} [p]; holds h_t after a step. As many floats as there are inputs before it, if
   *     there are, hold x_t then
   * @param ho first index
   * @return empty if the two kernels are to be called
   */
  default Optional<StepAtOnce> atOnce(
      boolean relu, PackedMatrix w, int hidden, float[] z, float[] h, int ho) {
    return Optional.empty();
  }

  /**
   * h = flush(max(0, z)); NaN stays NaN.
   *
   * @param n number of elements
   * @param z pre-activations. Not modified.
   * @param zo first index
   * @param h hidden state. Modified.
   * @param ho first index
   */
  void forwardRelu(int n, float[] z, int zo, float[] h, int ho);

  /**
   * dz = flush(dh (1 - h²)).
   *
   * @param n number of elements
   * @param h hidden state of the forward pass. Not modified.
   * @param ho first index
   * @param dh gradient of the hidden state. Not modified.
   * @param dho first index
   * @param dz gradient of the pre-activations. Modified.
   * @param dzo first index
   */
  void backwardTanh(int n, float[] h, int ho, float[] dh, int dho, float[] dz, int dzo);

  /**
   * dz = flush(dh) where h &gt; 0, else 0.
   *
   * @param n number of elements
   * @param h hidden state of the forward pass. Not modified.
   * @param ho first index
   * @param dh gradient of the hidden state. Not modified.
   * @param dho first index
   * @param dz gradient of the pre-activations. Modified.
   * @param dzo first index
   */
  void backwardRelu(int n, float[] h, int ho, float[] dh, int dho, float[] dz, int dzo);
}
