package dev.unroll.fallback;

/**
 * Weights of 16 or 8 bits, several columns of a row to a word, with the row's scale and bias.
 *
 * <p>{@link WeightFormat#BF16}: column 2g stands in the lower half of word g, column 2g + 1 in the
 * upper half; each half is the upper half of a float.
 *
 * <p>{@link WeightFormat#INT8}: column 4g + j of word g has the value {@code (float) (word << 8 j)}
 * times the row's scale. The shift moves its byte to the top and leaves the bytes of the columns
 * after it below, which costs one instruction less than masking them out. They are less than one
 * unit of the byte, and packing takes them into account: it rounds the last column first and each
 * one before it to what is still missing.
 */
public abstract class ReducedMatrix extends PackedMatrix {
  private static final int BYTE_UNIT = 1 << 24;
  private static final int LARGEST_BYTE = Byte.MAX_VALUE;
  private static final int HALF = 16;

  final WeightFormat format;
  private final int words;

  /** The bias [rows]. */
  protected final float[] bias;

  /** The scale of each row [rows]; empty for formats without. */
  protected final float[] scale;

  /**
   * Describes the shape.
   *
   * @param format 16 or 8 bits
   * @param rows the number of output rows, a multiple of {@link Kernels#LANES}
   * @param columns the number of input columns
   */
  protected ReducedMatrix(WeightFormat format, int rows, int columns) {
    super(rows, columns);
    this.format = format;
    words = words(format, columns);
    bias = new float[rows];
    scale = new float[format == WeightFormat.INT8 ? rows : 0];
  }

  /**
   * Words of a row; the columns that the last one has too many hold zeros.
   *
   * @return columns / columns per word, rounded up
   */
  public final int words() {
    return words;
  }

  private static int words(WeightFormat format, int columns) {
    return (columns + format.columnsPerWord() - 1) / format.columnsPerWord();
  }

  static long bytes(WeightFormat format, int rows, int columns) {
    long vectors = format == WeightFormat.INT8 ? 2 : 1;
    return rows * (words(format, columns) + vectors) * Float.BYTES;
  }

  @Override
  public final long bytes() {
    return bytes(format, rows(), columns());
  }

  /**
   * Stores a word.
   *
   * @param row its row
   * @param word its index in the row, in [0, words)
   * @param value its bits
   */
  protected abstract void set(int row, int word, int value);

  /** Rounds one row of weights and stores it. */
  final void packRow(int row, float[] from, int offset) {
    if (format == WeightFormat.INT8) {
      packBytes(row, from, offset);
    } else {
      packHalves(row, from, offset);
    }
  }

  private void packHalves(int row, float[] from, int offset) {
    for (int k = 0; k < columns(); k += 2) {
      int low = upperHalf(from[offset + k]);
      int high = k + 1 < columns() ? upperHalf(from[offset + k + 1]) : 0;
      set(row, k / 2, low | (high << HALF));
    }
  }

  private static int upperHalf(float value) {
    return Float.floatToRawIntBits(round(value)) >>> HALF;
  }

  /** The nearest float whose lower half is zero; of two, the even one. */
  static float round(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return Float.NaN;
    }
    int odd = (bits >>> HALF) & 1;
    return Float.intBitsToFloat((bits + 0x7fff + odd) & 0xffff0000);
  }

  private void packBytes(int row, float[] from, int offset) {
    float largest = 0f;
    for (int k = 0; k < columns(); k++) {
      largest = Math.max(largest, Math.abs(from[offset + k]));
    }
    double unit = (double) largest / LARGEST_BYTE;
    scale[row] = (float) (unit / BYTE_UNIT);
    for (int k = 0; k < columns(); k += 4) {
      set(row, k / 4, unit > 0 ? packWord(from, offset + k, Math.min(4, columns() - k), unit) : 0);
    }
  }

  private static int packWord(float[] from, int offset, int columns, double unit) {
    int word = 0;
    for (int j = columns - 1; j >= 0; j--) {
      int shift = Byte.SIZE * (3 - j);
      double below = (double) Integer.toUnsignedLong(word) / (1L << shift);
      long value = Math.round(from[offset + j] / unit - below);
      word |= ((int) value & 0xff) << shift;
    }
    return word;
  }
}
