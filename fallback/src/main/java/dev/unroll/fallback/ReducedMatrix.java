package dev.unroll.fallback;

/**
 * Weights of 16 or 8 bits, several columns of a row to a word, with the row's scale and bias.
 *
 * <p>A column's bits are moved to the top of the word, and what stands below them stays there,
 * which costs one instruction less than masking it out. It is less than one unit of the last place,
 * and packing takes it into account: it rounds the column that stands lowest first, and each one
 * above it to what is still missing.
 *
 * <p>{@link WeightFormat#BF16}: column 2g of word g has the value of the float with the bits {@code
 * word << 16}, column 2g + 1 that of the float with the bits {@code word}.
 *
 * <p>{@link WeightFormat#INT8}: column 4g + j of word g has the value {@code (float) (word << 8 j)}
 * times the row's scale.
 */
public abstract class ReducedMatrix extends PackedMatrix {
  private static final int BYTE_UNIT = 1 << 24;
  private static final int LARGEST_BYTE = Byte.MAX_VALUE;
  private static final int HALF = 16;
  private static final int UNIT_OF_HALF = 1 << HALF;
  private static final int SMALLEST_NORMAL = Float.floatToRawIntBits(Float.MIN_NORMAL);
  private static final int LARGEST_HALF = 0x7f7f0000;

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
      set(row, k / 2, pair(from, offset, k, columns()));
    }
  }

  /** The value of an even column: a float whose lower half is zero. */
  static float even(int word) {
    return Float.intBitsToFloat(word << HALF);
  }

  /** The value of an odd column: a float whose lower half is the even column's. */
  static float odd(int word) {
    return Float.intBitsToFloat(word);
  }

  /** Rounds columns k and k + 1 of a row, of which the last may have no neighbour. */
  static int pair(float[] row, int offset, int k, int columns) {
    return pair(row[offset + k], k + 1 < columns ? row[offset + k + 1] : 0f);
  }

  /*
   * Rounds two neighbours. An odd column that should be smaller than normal numbers becomes the
   * smallest of them, as subnormal ones take a processor a hundred times as long; beside an odd
   * column that is not finite, and makes the sum so too, the even one is zero.
   */
  private static int pair(float even, float odd) {
    int low = Float.floatToRawIntBits(round(even)) >>> HALF;
    if (low == 0 || !Float.isFinite(odd)) {
      return Float.floatToRawIntBits(round(odd));
    }
    float magnitude = Math.abs(odd);
    int below = ((Float.floatToRawIntBits(magnitude) - low) & -UNIT_OF_HALF) + low;
    int above = Math.min(below + UNIT_OF_HALF, LARGEST_HALF + low);
    below = Math.max(below, SMALLEST_NORMAL + low);
    double tooLow = (double) magnitude - Float.intBitsToFloat(below);
    double tooHigh = (double) Float.intBitsToFloat(above) - magnitude;
    int sign = Float.floatToRawIntBits(odd) & Integer.MIN_VALUE;
    return sign | (tooLow <= tooHigh ? below : above);
  }

  /** The nearest float whose lower half is zero; of two, the even one. */
  private static float round(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return Float.NaN;
    }
    int odd = (bits >>> HALF) & 1;
    return Float.intBitsToFloat((bits + 0x7fff + odd) & -UNIT_OF_HALF);
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
