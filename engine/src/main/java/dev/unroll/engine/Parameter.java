package dev.unroll.engine;

import java.util.List;

/**
 * A named tensor inside a network's flat parameter array, row-major, under PyTorch's name and
 * shape.
 *
 * @param name for example {@code lstm.weight_ih_l0}
 * @param shape one or two sizes
 * @param offset index of the first element, a multiple of 16
 */
public record Parameter(String name, List<Integer> shape, int offset) {

  /** Copies the shape. */
  public Parameter {
    shape = List.copyOf(shape);
  }

  /**
   * Number of elements.
   *
   * @return the product of the shape
   */
  public int size() {
    int size = 1;
    for (int s : shape) {
      size = Math.multiplyExact(size, s);
    }
    return size;
  }

  /**
   * First size.
   *
   * @return rows of a matrix, length of a vector
   */
  public int rows() {
    return shape.get(0);
  }

  /**
   * Second size.
   *
   * @return columns of a matrix; 1 for a vector
   */
  public int columns() {
    return shape.size() > 1 ? shape.get(1) : 1;
  }
}
