package dev.unroll.fallback;

/** How weight matrices are stored for inference. Sums are always taken in 32-bit floats. */
public enum WeightFormat {
  /** 32-bit floats, as trained. */
  F32(Float.SIZE),

  /**
   * The upper half of a 32-bit float (bfloat16): 8 bits of precision, the whole range of exponents.
   * Half the memory; the relative error of a weight is at most 2^-8. Columns 0, 2, 4, ... of a row
   * are rounded to nearest even. Each of the others has its neighbour in the lower half instead of
   * zeros, and is rounded with that in mind, to the same bound: weights that were bfloat16 numbers
   * before change as well, and a zero beside another number becomes 2^-126.
   */
  BF16(16),

  /**
   * 8-bit integers and one scale per output row, the row's largest magnitude / 127. A quarter of
   * the memory; the error of a weight is at most half a scale.
   */
  INT8(8);

  private final int bits;

  WeightFormat(int bits) {
    this.bits = bits;
  }

  /**
   * The size of one weight.
   *
   * @return bits
   */
  public int bits() {
    return bits;
  }

  /**
   * Neighbouring columns of a row that share one 32-bit word.
   *
   * @return 1, 2 or 4
   */
  public int columnsPerWord() {
    return Integer.SIZE / bits;
  }
}
