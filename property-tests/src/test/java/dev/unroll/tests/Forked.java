package dev.unroll.tests;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs a class of the test's class path in a virtual machine of its own. */
final class Forked {
  private static final int PATIENCE_SECONDS = 120;

  /** What a process left. */
  record Result(int code, String out, String err) {}

  private Forked() {}

  static Result run(List<String> options, String main, List<String> args)
      throws IOException, InterruptedException {
    return run(Path.of(System.getProperty("java.home")), options, main, args);
  }

  static Result run(Path javaHome, List<String> options, String main, List<String> args)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(javaHome.resolve("bin/java").toString());
    command.addAll(options);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main);
    command.addAll(args);
    Path out = Files.createTempFile("unroll", ".out");
    Path err = Files.createTempFile("unroll", ".err");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException("no end after " + PATIENCE_SECONDS + " s: " + command);
      }
      return new Result(process.exitValue(), read(out), read(err));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  private static String read(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }
}
