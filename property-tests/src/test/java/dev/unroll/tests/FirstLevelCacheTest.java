package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.unroll.fallback.Kernels;
import dev.unroll.simd.FirstLevelCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What Linux tells of the first-level cache, as files below a directory of the test's own. */
class FirstLevelCacheTest {
  private static final String ZEN_4 = "flags\t\t: fpu avx512f avx512_bf16 avx512_vnni clzero\n";
  private static final String ZEN_5 = "flags\t\t: fpu avx512f avx_vnni avx512_bf16 clzero\n";
  private static final String ALDER_LAKE = "flags\t\t: fpu avx2 avx_vnni movdiri\n";

  @TempDir private Path root;

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private void cache(int index, String level, String type, String size) throws IOException {
    String directory = "sys/devices/system/cpu/cpu0/cache/index" + index + "/";
    write(directory + "level", level + "\n");
    write(directory + "type", type + "\n");
    write(directory + "size", size + "\n");
  }

  private int bytes() {
    return FirstLevelCache.bytes(root.toFile());
  }

  @Test
  void theListOfCachesComesFirst() throws IOException {
    cache(0, "1", "Data", "32K");
    write("proc/cpuinfo", ZEN_5);
    assertEquals(32 << 10, bytes());
    cache(0, "1", "Data", "128K");
    assertEquals(128 << 10, bytes());
  }

  @Test
  void theInstructionCacheMayStandBefore() throws IOException {
    cache(0, "1", "Instruction", "64K");
    cache(1, "1", "Data", "48K");
    assertEquals(48 << 10, bytes());
  }

  @Test
  void theSecondLevelDoesNotCount() throws IOException {
    cache(0, "2", "Unified", "1024K");
    assertEquals(Kernels.CACHED, bytes());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "K", "0K", "-8K", "48", "48M", "3.5K", "9999999K", "99999999999K"})
  void otherSizesAreNone(String size) throws IOException {
    cache(0, "1", "Data", size);
    assertEquals(Kernels.CACHED, bytes());
  }

  @Test
  void flagsWhereCachesAreHidden() throws IOException {
    write("proc/cpuinfo", ZEN_5);
    assertEquals(48 << 10, bytes());
    write("proc/cpuinfo", ZEN_4);
    assertEquals(Kernels.CACHED, bytes());
    write("proc/cpuinfo", ALDER_LAKE);
    assertEquals(Kernels.CACHED, bytes());
  }

  @Test
  void nothingTold() {
    assertEquals(Kernels.CACHED, bytes());
  }
}
