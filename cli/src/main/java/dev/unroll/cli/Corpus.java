package dev.unroll.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Text from files and directories. */
final class Corpus {
  private Corpus() {}

  /**
   * Reads UTF-8 text. In directories all regular files in order of their paths, but for hidden ones
   * and ones that are not text.
   */
  static String read(List<Path> paths) throws IOException {
    StringBuilder text = new StringBuilder();
    for (Path path : paths) {
      if (Files.isDirectory(path)) {
        for (Path file : textFiles(path)) {
          text.append(decode(file, true));
        }
      } else {
        text.append(decode(path, false));
      }
    }
    if (text.isEmpty()) {
      throw new UsageException("no text found in " + paths);
    }
    return text.toString();
  }

  private static List<Path> textFiles(Path directory) throws IOException {
    List<Path> files = new ArrayList<>();
    List<Path> entries;
    try (var listing = Files.list(directory)) {
      entries = listing.sorted().collect(Collectors.toList());
    }
    for (Path entry : entries) {
      if (Files.isHidden(entry)) {
        continue;
      }
      if (Files.isDirectory(entry) && !Files.isSymbolicLink(entry)) {
        files.addAll(textFiles(entry));
      } else if (Files.isRegularFile(entry)) {
        files.add(entry);
      }
    }
    return files;
  }

  private static String decode(Path file, boolean skipBinary) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .decode(bytes)
              .toString();
      if (text.indexOf('\0') < 0) {
        return text;
      }
    } catch (CharacterCodingException e) {
      // Not text: handled below.
    }
    if (skipBinary) {
      return "";
    }
    throw new UsageException(file + " is not UTF-8 text");
  }
}
