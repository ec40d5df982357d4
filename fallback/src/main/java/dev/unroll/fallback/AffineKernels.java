package dev.unroll.fallback;

/**
 * Matrix products over packed weights: GEMV for a step, GEMM for sequences, batches and gradients.
 *
 * <p>Order of additions: for every result the accumulator starts at the bias (or at the value
 * already there) and takes the columns in ascending order, one fused multiply-add each.
 */
public interface AffineKernels {

  /**
   * Makes a matrix of zeros with a bias of zeros.
   *
   * @param rows output rows, a multiple of {@link Kernels#LANES}
   * @param columns input columns, at least 1
   * @param use what the layout is to suit; any matrix works in every method
   * @return the matrix
   */
  PackedMatrix allocate(int rows, int columns, PackedMatrix.Use use);

  /**
   * The memory that {@link #allocate} would take.
   *
   * @param rows output rows, a multiple of {@link Kernels#LANES}
   * @param columns input columns, at least 1
   * @param use what the layout is to suit
   * @return {@link PackedMatrix#bytes} of the matrix
   */
  default long bytes(int rows, int columns, PackedMatrix.Use use) {
    return Math.multiplyExact(rows * (columns + 1L), (long) Float.BYTES);
  }

  /**
   * The same kernels for the matrices of one network: all go the way of the largest, so that the
   * virtual machine has fewer kernels to compile; and those of a small network go it too, so that
   * little work has those compiled that much work will need.
   *
   * @param rows rows of the largest matrix
   * @param columns its columns
   * @return kernels with the same results
   */
  default AffineKernels withLargest(int rows, int columns) {
    return this;
  }

  /**
   * Copies a block of row-major weights: {@code W[row+i][column+j] = from[offset + i*stride + j]}.
   *
   * @param to the matrix. Modified.
   * @param row first row of the block in {@code to}
   * @param column first column of the block in {@code to}
   * @param rows rows of the block
   * @param columns columns of the block
   * @param from row-major weights. Not modified.
   * @param offset index of the block's first element
   * @param stride distance between the block's rows in {@code from}
   */
  void pack(
      PackedMatrix to,
      int row,
      int column,
      int rows,
      int columns,
      float[] from,
      int offset,
      int stride);

  /**
   * Copies the transpose of a block: {@code W[row+i][column+j] = from[offset + j*stride + i]}.
   *
   * @param to the matrix. Modified.
   * @param row first row of the block in {@code to}
   * @param column first column of the block in {@code to}
   * @param rows rows of the block in {@code to}
   * @param columns columns of the block in {@code to}
   * @param from row-major weights. Not modified.
   * @param offset index of the block's first element
   * @param stride distance between rows of {@code from}
   */
  void packTransposed(
      PackedMatrix to,
      int row,
      int column,
      int rows,
      int columns,
      float[] from,
      int offset,
      int stride);

  /**
   * Sets part of the bias: {@code b[row+i] = from[offset+i]}.
   *
   * @param to the matrix. Modified.
   * @param row first row
   * @param rows number of rows
   * @param from the bias. Not modified.
   * @param offset index of its first element
   */
  void packBias(PackedMatrix to, int row, int rows, float[] from, int offset);

  /**
   * One column: z = b + W x.
   *
   * @param w weights [rows, columns]. Not modified.
   * @param x input [columns]. Not modified.
   * @param xo index of the first input
   * @param z output [rows]. Modified.
   * @param zo index of the first output
   */
  void affine(PackedMatrix w, float[] x, int xo, float[] z, int zo);

  /**
   * Many columns: z_i = b + W x_i for i in [0, n).
   *
   * @param w weights [rows, columns]. Not modified.
   * @param n number of inputs
   * @param x inputs [n, columns]. Not modified.
   * @param xo index of the first input
   * @param xs stride of {@code x}
   * @param z outputs [n, rows]. Modified.
   * @param zo index of the first output
   * @param zs stride of {@code z}
   */
  void affineBatch(PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs);

  /**
   * Many columns on top of what is there: z_i += W x_i for i in [0, n). The bias is not used.
   *
   * @param w weights [rows, columns]. Not modified.
   * @param n number of inputs
   * @param x inputs [n, columns]. Not modified.
   * @param xo index of the first input
   * @param xs stride of {@code x}
   * @param z outputs [n, rows]. Modified.
   * @param zo index of the first output
   * @param zs stride of {@code z}
   */
  void affineBatchAccumulate(
      PackedMatrix w, int n, float[] x, int xo, int xs, float[] z, int zo, int zs);

  /**
   * Weight gradient, a sum of outer products: dW[r][k] += sum over i of dz_i[r] x_i[k], i
   * ascending.
   *
   * @param n number of terms
   * @param dz gradients of the pre-activations [n, rows]. Not modified.
   * @param dzo index of the first
   * @param dzs stride of {@code dz}
   * @param rows rows of dW, a multiple of {@link Kernels#LANES}
   * @param x inputs [n, columns]. Not modified.
   * @param xo index of the first
   * @param xs stride of {@code x}
   * @param columns columns of dW; those that pad them to a multiple of {@link Kernels#LANES} may be
   *     added up as well
   * @param dw the gradient [rows, columns]. Modified.
   * @param dwo index of its first element
   * @param dws stride of {@code dw}
   */
  void outerAccumulate(
      int n,
      float[] dz,
      int dzo,
      int dzs,
      int rows,
      float[] x,
      int xo,
      int xs,
      int columns,
      float[] dw,
      int dwo,
      int dws);
}
