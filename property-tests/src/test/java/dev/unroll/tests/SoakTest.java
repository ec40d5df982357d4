package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two million steps on a heap that is never collected. */
class SoakTest {

  @Test
  void stepsLeaveNoGarbage() throws IOException, InterruptedException {
    String kernels = System.getProperty("tests.kernels", "auto");
    Forked.Result result =
        Forked.run(
            List.of(
                "--add-modules=jdk.incubator.vector",
                "-Dunroll.kernels=" + kernels,
                "-XX:+UnlockExperimentalVMOptions",
                "-XX:+UseEpsilonGC",
                "-Xmx1g"),
            "dev.unroll.tests.Soak",
            List.of());
    assertEquals(0, result.code(), result.out() + result.err());
    assertTrue(result.out().contains("last output finite: true"), result.out());
  }
}
