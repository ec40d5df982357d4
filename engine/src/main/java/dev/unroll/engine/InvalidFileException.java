package dev.unroll.engine;

import java.io.IOException;

/**
 * A file that is not what it should be; the message names the file, the fault and where it helps a
 * remedy.
 */
public final class InvalidFileException extends IOException {
  private static final long serialVersionUID = 1L;

  InvalidFileException(String message) {
    super(message);
  }
}
