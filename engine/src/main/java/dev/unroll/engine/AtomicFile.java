package dev.unroll.engine;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/**
 * A file that appears whole or not at all: it is written beside its place, flushed to the disk and
 * moved. A crash leaves what stood there before.
 */
public final class AtomicFile {
  /** Writes the contents. */
  @FunctionalInterface
  public interface Contents {
    /**
     * Writes them all.
     *
     * @param out where to. Not to be closed.
     * @throws IOException if it cannot be written to
     */
    void writeTo(OutputStream out) throws IOException;
  }

  private AtomicFile() {}

  /**
   * Writes or replaces a file.
   *
   * @param path the file
   * @param contents what it is to hold
   * @throws InvalidFileException if the path is a directory or its directory does not exist;
   *     nothing is written
   * @throws IOException if writing fails; the file is as it was before
   */
  public static void write(Path path, Contents contents) throws IOException {
    Path absolute = path.toAbsolutePath();
    @Nullable Path directory = absolute.getParent();
    if (directory == null || !Files.isDirectory(directory)) {
      throw new InvalidFileException(
          "cannot write " + path + ": the directory " + directory + " does not exist");
    }
    if (Files.isDirectory(absolute)) {
      throw new InvalidFileException("cannot write " + path + ": it is a directory");
    }
    Path temporary = Files.createTempFile(directory, "." + absolute.getFileName(), ".tmp");
    try {
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE);
          OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel))) {
        contents.writeTo(out);
        out.flush();
        channel.force(true);
      }
      makeReadable(temporary);
      Files.move(
          temporary, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /* Temporary files are private to their owner; this one is to be an ordinary file. */
  private static void makeReadable(Path file) throws IOException {
    if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }
  }
}
