package dev.unroll.fallback;

import java.util.Optional;

/**
 * Pointwise part of the GRU cell (Cho et al. 2014) with the reset gate after the product, as in
 * PyTorch and cuDNN, gates in PyTorch's order r, z, n:
 *
 * <pre>
 *   x̂ = W_ih x_t + b_ih        ĥ = W_hh h_{t-1} + b_hh
 *   r = sigmoid(x̂_r + ĥ_r)     z = sigmoid(x̂_z + ĥ_z)     n = tanh(x̂_n + r # ĥ_n)
 *   h_t = n + z # (h_{t-1} - n)
 * </pre>
 */
public interface GruKernels {

  /**
   * One step for m rows.
   *
   * @param m number of rows
   * @param units units of a row: the hidden size; the last vector's worth may end in the padding
   * @param stride from gate to gate in gx and gh, and from row to row in h: the padded hidden size
   *     p, or for one row that of {@link #stepStride}
   * @param gx x̂ [m, 3p]; holds r, z, n afterwards. Modified.
   * @param gxo first index
   * @param gh ĥ [m, 3p]. Not modified.
   * @param gho first index
   * @param hPrev h_{t-1} [m, p]. Not modified.
   * @param hpo first index
   * @param h h_t [m, p]; may be {@code hPrev} itself. Modified.
   * @param ho first index
   */
  void forward(
      int m,
      int units,
      int stride,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] h,
      int ho);

  /**
   * From gate to gate in x̂ and ĥ of a step, as {@link LstmKernels#stepStride}.
   *
   * @param hidden number of units
   * @param columns inputs and units
   * @return from {@code hidden} to the padded hidden size
   */
  default int stepStride(int hidden, int columns) {
    return hidden;
  }

  /**
   * Steps of one sequence with both products.
   *
   * @param alternates whether every other step begins with the other matrix, where that is a
   *     choice; the bits are the same
   * @param stride from gate to gate in both matrices
   * @param wih W_ih and b_ih
   * @param gx scratch for x̂, as in {@link #forward} from index 0 on
   * @param whh W_hh and b_hh
   * @param h h_{t-1} [p]; holds h_t after a step
   * @param ho first index
   * @param gh scratch for ĥ
   * @return empty if the kernels are to be called
   */
  default Optional<StepAtOnce> atOnce(
      boolean alternates,
      int stride,
      PackedMatrix wih,
      float[] gx,
      PackedMatrix whh,
      float[] h,
      int ho,
      float[] gh) {
    return Optional.empty();
  }

  /**
   * BPTT through one step for m rows:
   *
   * <pre>
   *   dn = dh # (1-z) # (1-n²)           dz = dh # (h_{t-1} - n) # z # (1-z)
   *   dr = dn # ĥ_n # r # (1-r)
   *   dx̂ = [dr, dz, dn]   dĥ = [dr, dz, dn # r]   dh_{t-1} = dh # z   (+ W_hhᵀ dĥ, by the caller)
   * </pre>
   *
   * @param m number of rows
   * @param units units of a row, as in {@link #forward}
   * @param p padded hidden size
   * @param gx r, z, n [m, 3p]; holds dx̂ afterwards. Modified.
   * @param gxo first index
   * @param gh ĥ [m, 3p]; holds dĥ afterwards. Modified.
   * @param gho first index
   * @param hPrev h_{t-1} [m, p]. Not modified.
   * @param hpo first index
   * @param dh gradient of h_t [m, p]; holds dh # z afterwards. Modified.
   * @param dho first index
   */
  void backward(
      int m,
      int units,
      int p,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] dh,
      int dho);
}
