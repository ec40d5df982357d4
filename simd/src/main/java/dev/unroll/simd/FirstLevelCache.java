package dev.unroll.simd;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.unroll.fallback.Kernels;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * How much data the first-level cache of this processor keeps, which decides how the weights of a
 * step are laid out. It changes how long a step takes, never its bits.
 *
 * <p>Linux tells. Where it hides its list of caches, as in some containers, the processor's flags
 * do: all that have both AVX-512 and AVX-VNNI have 48 KB. Otherwise it is {@link Kernels#CACHED},
 * which every processor with vectors keeps.
 */
public final class FirstLevelCache {
  /** Bytes of this processor's. */
  static final int BYTES = bytes(new File("/"));

  /* Of the description of all processors: that of the first is shorter. */
  private static final int FIRST_PROCESSOR = 1 << 13;

  private static final int VNNI_BYTES = 48 << 10;

  /* No first-level cache is as large. */
  private static final int MOST_KILOBYTES = 1 << 20;

  private FirstLevelCache() {}

  /**
   * What the system below a directory tells. Files and text are read in the plainest ways, since
   * others cost 20 ms the first time that a virtual machine uses them.
   *
   * @param root the directory in which {@code sys} and {@code proc} are, {@code /} but in tests
   * @return bytes of data that the first-level cache of the first processor keeps
   */
  public static int bytes(File root) {
    for (int i = 0; i < 2; i++) {
      File cache = new File(root, "sys/devices/system/cpu/cpu0/cache/index" + i);
      if (read(cache, "level").equals("1") && !read(cache, "type").equals("Instruction")) {
        int kilobytes = kilobytes(read(cache, "size"));
        if (kilobytes > 0 && kilobytes < MOST_KILOBYTES) {
          return kilobytes << 10;
        }
      }
    }
    String processor = read(root, "proc/cpuinfo");
    boolean large = processor.contains(" avx512f ") && processor.contains(" avx_vnni ");
    return large ? VNNI_BYTES : Kernels.CACHED;
  }

  /* From 48K, say; otherwise 0. */
  private static int kilobytes(String size) {
    try {
      return size.endsWith("K") ? Integer.parseInt(size, 0, size.length() - 1, 10) : 0;
    } catch (NumberFormatException unknown) {
      return 0;
    }
  }

  private static String read(File directory, String name) {
    try (InputStream in = new FileInputStream(new File(directory, name))) {
      return new String(in.readNBytes(FIRST_PROCESSOR), US_ASCII).strip();
    } catch (IOException hidden) {
      return "";
    }
  }
}
