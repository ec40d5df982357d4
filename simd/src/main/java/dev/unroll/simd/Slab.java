package dev.unroll.simd;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * One piece of off-heap memory in which the weights of a step stand as long as there is room.
 *
 * <p>It is a constant to C2, and so is its size: a load at {@code offset & MASK} needs no range
 * check. In a segment of a matrix's own every load of weights pays one, a quarter of the time of
 * the product of a small network.
 */
final class Slab {
  /** Bytes; a power of two. */
  static final long SIZE = 1L << 22;

  static final long MASK = SIZE - 1;

  /** Bytes of the lower part, in which {@link Panels} are; a power of two. */
  static final long LOW = SIZE / 2;

  /** What leaves the first byte of a panel as it is. */
  static final long START = LOW - 1;

  /** What leaves a number of columns as it is, of which a panel passes in one loop. */
  static final int COLUMNS = (1 << 9) - 1;

  /* Loads of one column go on behind the masked offset for so many vectors of 64 bytes. */
  private static final int VECTORS = 16;
  private static final int ALIGNMENT = 64;

  static final MemorySegment MEMORY =
      Arena.global().allocate(SIZE + VECTORS * ALIGNMENT, ALIGNMENT);

  /* Free pieces, from offset to size. */
  private static final TreeMap<Long, Long> FREE = new TreeMap<>(Map.of(0L, SIZE));
  private static final ReferenceQueue<Object> QUEUE = new ReferenceQueue<>();
  private static final Set<Piece> TAKEN = new HashSet<>();

  private Slab() {}

  private static final class Piece extends PhantomReference<Object> {
    final long offset;
    final long size;

    Piece(Object owner, long offset, long size) {
      super(owner, QUEUE);
      this.offset = offset;
      this.size = size;
    }
  }

  /**
   * Offset of zeroed memory that is the owner's for as long as it is reachable; -1 for want of
   * room.
   *
   * @param end where it ends at the latest
   */
  static synchronized long allocate(Object owner, long bytes, long end) {
    for (Object gone = QUEUE.poll(); gone != null; gone = QUEUE.poll()) {
      free((Piece) gone);
    }
    long size = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    long offset =
        FREE.entrySet().stream()
            .filter(e -> size <= Math.min(e.getValue(), end - e.getKey()))
            .mapToLong(Map.Entry::getKey)
            .findFirst()
            .orElse(-1);
    if (offset >= 0) {
      long rest = FREE.remove(offset) - size;
      if (rest > 0) {
        FREE.put(offset + size, rest);
      }
      TAKEN.add(new Piece(owner, offset, size));
    }
    return offset;
  }

  private static void free(Piece piece) {
    TAKEN.remove(piece);
    long offset = piece.offset;
    long size = piece.size;
    Long behind = FREE.remove(offset + size);
    if (behind != null) {
      size += behind;
    }
    Map.Entry<Long, Long> before = FREE.lowerEntry(offset);
    if (before != null && before.getKey() + before.getValue() == offset) {
      offset = before.getKey();
      size += before.getValue();
    }
    FREE.put(offset, size);
    MEMORY.asSlice(piece.offset, piece.size).fill((byte) 0);
  }
}
