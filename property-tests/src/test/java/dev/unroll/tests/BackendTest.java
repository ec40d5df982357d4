package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.engine.Backend;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Kernels are chosen as asked, and every reason against simd is named. */
class BackendTest {

  @Test
  void theSuiteRunsOnTheKernelsItWasMeantFor() {
    String expected = System.getProperty("tests.kernels", "(property tests.kernels is not set)");
    assertEquals(expected, Backend.preferred().kernels().name(), Backend.preferred().describe());
  }

  @Test
  void anUnknownNameIsRefused() {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Backend.choose("gpu"));
    assertTrue(e.getMessage().contains("gpu") && e.getMessage().contains("fallback"));
  }

  /* Starts a virtual machine with options and returns what info says. */
  private static Forked.Result info(String kernels, String... options)
      throws IOException, InterruptedException {
    return Forked.run(
        List.of(options), "dev.unroll.cli.Main", List.of("info", "--kernels", kernels));
  }

  private static void fallsBack(String reason, String... options)
      throws IOException, InterruptedException {
    Forked.Result auto = info("auto", options);
    assertEquals(0, auto.code(), auto.err());
    assertTrue(auto.out().contains("fallback kernels"), auto.out());
    assertTrue(auto.out().contains(reason), auto.out());
    Forked.Result forced = info("simd", options);
    assertEquals(2, forced.code(), forced.out());
    assertTrue(forced.err().contains(reason), forced.err());
  }

  @Test
  void reasonsAreNamed() throws IOException, InterruptedException {
    String vector = "--add-modules=jdk.incubator.vector";
    fallsBack("--add-modules jdk.incubator.vector");
    fallsBack("-Xint", vector, "-Xint");
    fallsBack("C2 is off", vector, "-XX:TieredStopAtLevel=1");
    fallsBack("C2 is off", vector, "-XX:TieredStopAtLevel=3");
    fallsBack("C2 is off", vector, "-XX:CompilationMode=quick-only");
    fallsBack("fused multiply-add", vector, "-XX:-UseFMA");
    fallsBack(
        "EnableVectorSupport",
        vector,
        "-XX:+UnlockExperimentalVMOptions",
        "-XX:-EnableVectorSupport");
  }
}
