package dev.unroll.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;

/**
 * The launcher starts java with standard error closed off and the real one as descriptor 3:
 * otherwise every call would print a warning that the vector module is an incubator module, which
 * no option turns off.
 */
final class StandardError {
  private static final String PROPERTY = "unroll.stderr";

  private StandardError() {}

  /** Makes {@link System#err} the real standard error again. */
  static void restore() {
    Integer descriptor = Integer.getInteger(PROPERTY);
    if (descriptor == null) {
      return;
    }
    try {
      FileDescriptor real = new FileDescriptor();
      Field number = FileDescriptor.class.getDeclaredField("fd");
      number.setAccessible(true);
      number.setInt(real, descriptor);
      System.setErr(new PrintStream(new FileOutputStream(real), true, StandardCharsets.UTF_8));
    } catch (ReflectiveOperationException | RuntimeException e) {
      System.out.println("unroll: standard error cannot be had: " + e);
    }
  }
}
