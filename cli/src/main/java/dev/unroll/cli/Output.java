package dev.unroll.cli;

import dev.unroll.engine.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that appear at once or not at all. */
final class Output {
  private Output() {}

  /** Refuses a path that cannot be written, before any work is done. */
  static void check(Path path) {
    Path parent = path.toAbsolutePath().getParent();
    if (Files.isDirectory(path) || parent == null || !Files.isDirectory(parent)) {
      throw new UsageException("cannot write " + path + ": it must name a file in a directory");
    }
    if (!Files.isWritable(parent)) {
      throw new UsageException("cannot write " + path + ": no permission in " + parent);
    }
  }

  /** Makes a directory unless it is there. */
  static void directory(Path path) throws IOException {
    if (Files.exists(path) && !Files.isDirectory(path)) {
      throw new UsageException(path + " is a file; a directory is needed");
    }
    Files.createDirectories(path);
    if (!Files.isWritable(path)) {
      throw new UsageException("no permission to write in " + path);
    }
  }

  static void write(Path path, String text) throws IOException {
    write(path, text.getBytes(StandardCharsets.UTF_8));
  }

  static void write(Path path, byte[] bytes) throws IOException {
    AtomicFile.write(path, out -> out.write(bytes));
  }
}
