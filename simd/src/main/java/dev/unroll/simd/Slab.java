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
 *
 * <p>Nor does the mask cost anything where C2 can prove that it changes nothing. A loop over
 * columns begins at {@code start & START} and counts bytes up to {@code (columns & COLUMNS) *
 * height}, both of which change nothing either but tell C2 how far it goes; each vector of a column
 * is at {@code (offset + k * bytes) & MASK}. When C2 knows the range of the counter the masks go,
 * and all vectors are displacements from one address. Without masks, or with one for two vectors,
 * every vector needs an address of its own, the memory's being a constant of 64 bits: 18 to 23
 * instructions a column instead of 13 to 15.
 */
final class Slab {
  /** Bytes; a power of two. */
  static final long SIZE = 1L << 23;

  static final long MASK = SIZE - 1;

  /** Mask for a number of columns; no loop takes more of them. */
  static final int COLUMNS = (1 << 9) - 1;

  /** Bytes of the lower part, in which {@link Panels} are; a power of two. */
  static final long LOW = SIZE / 2;

  /** Mask for the first byte of a panel. */
  static final long START = LOW - 1;

  /** One, from one input of a product to the next. Not final, or C2 would know it. */
  @SuppressWarnings("FieldMayBeFinal")
  static int step = 1;

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
   * @param low whether it must be in the lower part; otherwise it is as high as possible
   */
  static synchronized long allocate(Object owner, long bytes, boolean low) {
    for (Object gone = QUEUE.poll(); gone != null; gone = QUEUE.poll()) {
      free((Piece) gone);
    }
    long size = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    for (Map.Entry<Long, Long> free : (low ? FREE : FREE.descendingMap()).entrySet()) {
      long start = free.getKey();
      long end = start + free.getValue();
      long offset = low ? start : end - size;
      if (offset >= start && offset + size <= (low ? Math.min(end, LOW) : end)) {
        FREE.remove(start);
        putFree(start, offset);
        putFree(offset + size, end);
        TAKEN.add(new Piece(owner, offset, size));
        return offset;
      }
    }
    return -1;
  }

  private static void putFree(long start, long end) {
    if (start < end) {
      FREE.put(start, end - start);
    }
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
