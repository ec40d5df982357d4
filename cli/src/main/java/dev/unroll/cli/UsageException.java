package dev.unroll.cli;

/** Input that cannot be used; the message is all that the user sees. */
final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UsageException(String message) {
    super(message);
  }
}
