package dev.unroll.engine;

import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.PackedMatrix;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hands out the buffers of a workspace, or those of another one once more, or only adds up their
 * sizes: the same constructors run in all modes, so the announced size is the allocated one.
 */
final class Memory {
  private static final float[] NOTHING = {};
  private static final int[] NO_IDS = {};

  private final boolean measuring;
  private final List<Object> handedOut = new ArrayList<>();

  /* Whose buffers are handed out again, in the same order. */
  private final @Nullable Memory shared;

  private long bytes;

  private Memory(boolean measuring, @Nullable Memory shared) {
    this.measuring = measuring;
    this.shared = shared;
  }

  static Memory measuring() {
    return new Memory(true, null);
  }

  static Memory allocating() {
    return new Memory(false, null);
  }

  /**
   * Hands out the buffers of another memory again, to the same constructors over other kernels.
   * Matrices, and buffers that have another size with those kernels, are new.
   */
  static Memory sharing(Memory other) {
    return new Memory(false, other);
  }

  long bytes() {
    return bytes;
  }

  /** A float array of rows x columns. */
  float[] floats(long rows, long columns) {
    long size = arraySize(rows, columns);
    bytes = Math.addExact(bytes, size * Float.BYTES);
    if (measuring) {
      return NOTHING;
    }
    float[] buffer =
        earlier() instanceof float[] floats && floats.length == size
            ? floats
            : new float[(int) size];
    handedOut.add(buffer);
    return buffer;
  }

  /** An int array. */
  int[] ints(long rows, long columns) {
    long size = arraySize(rows, columns);
    bytes = Math.addExact(bytes, size * Integer.BYTES);
    if (measuring) {
      return NO_IDS;
    }
    int[] buffer = earlier() instanceof int[] ints ? ints : new int[(int) size];
    handedOut.add(buffer);
    return buffer;
  }

  /* The buffer that the other memory has handed out in this place. */
  private @Nullable Object earlier() {
    return shared == null ? null : shared.handedOut.get(handedOut.size());
  }

  private static long arraySize(long rows, long columns) {
    long size = Math.multiplyExact(rows, columns);
    if (size > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "a buffer of "
              + rows
              + " x "
              + columns
              + " floats exceeds 2^31 elements;"
              + " choose a smaller batch or fewer steps");
    }
    return size;
  }

  /** A packed matrix; the shape of the smallest one while measuring. */
  PackedMatrix matrix(AffineKernels kernels, int rows, int columns, PackedMatrix.Use use) {
    bytes = Math.addExact(bytes, kernels.bytes(rows, columns, use));
    arraySize(rows, columns);
    return measuring ? Placeholder.INSTANCE : kernels.allocate(rows, columns, use);
  }

  /** Stands for a matrix that is only measured. */
  private static final class Placeholder extends PackedMatrix {
    static final Placeholder INSTANCE = new Placeholder();

    Placeholder() {
      super(dev.unroll.fallback.Kernels.LANES, 1);
    }

    @Override
    public long bytes() {
      return 0;
    }
  }

  /** Says what an int product would overflow. */
  static int product(int a, int b, String what) {
    try {
      return Math.multiplyExact(a, b);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(what + " " + a + " x " + b + " exceeds 2^31", e);
    }
  }

  static <T> T require(@Nullable T value, String what) {
    if (value == null) {
      throw new IllegalStateException(what);
    }
    return value;
  }
}
