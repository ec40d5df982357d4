package dev.unroll.fallback;

/**
 * Weights W [rows, columns] and a bias [rows], stored as one implementation's kernels want them.
 *
 * <p>Only the {@link AffineKernels} that made a matrix can read it. The number of rows is padded to
 * a multiple of {@link Kernels#LANES}; padded rows hold zeros.
 */
public abstract class PackedMatrix {

  /** What a layout is to suit. */
  public enum Use {
    /** One input at a time. */
    STEP,
    /** Two inputs or more at a time. */
    BATCH
  }

  private final int rows;
  private final int columns;

  /**
   * Describes the shape.
   *
   * @param rows the number of output rows, a multiple of {@link Kernels#LANES}
   * @param columns the number of input columns
   */
  protected PackedMatrix(int rows, int columns) {
    if (rows <= 0 || rows % Kernels.LANES != 0 || columns <= 0) {
      throw new IllegalArgumentException(
          "a packed matrix needs padded rows and at least one column, not "
              + rows
              + " x "
              + columns);
    }
    this.rows = rows;
    this.columns = columns;
  }

  /**
   * The number of output rows, padding included.
   *
   * @return a multiple of {@link Kernels#LANES}
   */
  public final int rows() {
    return rows;
  }

  /**
   * The number of input columns.
   *
   * @return at least 1
   */
  public final int columns() {
    return columns;
  }

  /**
   * The memory held by weights and bias.
   *
   * @return bytes
   */
  public abstract long bytes();
}
