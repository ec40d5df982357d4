package dev.unroll.simd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Off-heap memory for copies of inputs, a piece for every processor. A call of a product takes a
 * piece and gives it back, so that threads that come and go leave none behind.
 *
 * <p>It is a constant to C2, and so is its size, as that of the {@link Slab}: a load at {@code
 * offset & MASK} needs no range check.
 */
final class Strips {
  /** Floats of a piece. */
  static final int FLOATS = 1 << 16;

  private static final long BYTES = (long) FLOATS * Float.BYTES;

  private static final long WAIT_NANOS = 10_000;

  /* A power of two, and bits of a long. */
  private static final int PIECES =
      Math.min(
          Long.SIZE, Integer.highestOneBit(2 * Runtime.getRuntime().availableProcessors() - 1));

  static final long MASK = PIECES * BYTES - 1;

  /* Loads go on behind the masked offset for two vectors. */
  private static final int ALIGNMENT = 64;

  static final MemorySegment MEMORY =
      Arena.global().allocate(PIECES * BYTES + 2 * ALIGNMENT, ALIGNMENT);

  /* A bit for every piece that nobody has. */
  private static final AtomicLong FREE = new AtomicLong(-1L >>> (Long.SIZE - PIECES));

  private Strips() {}

  /** Offset of a piece that is the caller's until it gives it back. */
  static long take() {
    while (true) {
      long free = FREE.get();
      long piece = Long.lowestOneBit(free);
      if (free == 0) {
        /* More threads than processors: those with a piece need the processors. */
        LockSupport.parkNanos(WAIT_NANOS);
      } else if (FREE.compareAndSet(free, free - piece)) {
        return Long.numberOfTrailingZeros(piece) * BYTES;
      }
    }
  }

  /** Gives a piece back. */
  static void give(long offset) {
    FREE.getAndAdd(1L << (offset / BYTES));
  }
}
