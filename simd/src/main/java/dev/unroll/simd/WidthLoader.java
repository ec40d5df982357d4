package dev.unroll.simd;

import dev.unroll.fallback.Kernels;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * Defines the kernel classes a second time, with another lane width, beside the usual ones. For
 * tests and measurements of widths that this machine would not choose.
 */
public final class WidthLoader extends ClassLoader {
  private static final String PREFIX = "dev.unroll.simd.";

  private final int bits;

  private WidthLoader(int bits) {
    super(WidthLoader.class.getClassLoader());
    this.bits = bits;
  }

  /**
   * The width that the classes of this loader take.
   *
   * @return 128, 256 or 512
   */
  public int bits() {
    return bits;
  }

  /**
   * The vector kernels at a given width.
   *
   * @param bits 128, 256 or 512; a width that the processor lacks runs, but slowly
   * @return kernels whose {@link Kernels#laneBits()} is {@code bits}
   * @throws IllegalArgumentException for any other width
   */
  public static Kernels kernels(int bits) {
    if (bits != 128 && bits != 256 && bits != 512) {
      throw new IllegalArgumentException("lane width must be 128, 256 or 512 bits, not " + bits);
    }
    try {
      Class<?> type = new WidthLoader(bits).loadClass(PREFIX + "VectorKernels");
      return (Kernels) type.getMethod("create").invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot define vector kernels of " + bits + " bits", e);
    }
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!name.startsWith(PREFIX) || name.equals(WidthLoader.class.getName())) {
      return super.loadClass(name, resolve);
    }
    synchronized (getClassLoadingLock(name)) {
      Class<?> type = findLoadedClass(name);
      return type != null ? type : define(name);
    }
  }

  private Class<?> define(String name) throws ClassNotFoundException {
    String file = name.substring(PREFIX.length()) + ".class";
    try (InputStream in = WidthLoader.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new ClassNotFoundException(name);
      }
      byte[] code = in.readAllBytes();
      return defineClass(name, code, 0, code.length);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
