package dev.unroll.fallback;

/** A service that offers kernels; found through {@link java.util.ServiceLoader}. */
public interface KernelProvider {

  /**
   * The provider's short name, as in the system property {@code unroll.kernels}.
   *
   * @return for example {@code simd}
   */
  String name();

  /**
   * Why these kernels cannot run well on this virtual machine.
   *
   * @return the reason in a few words, or the empty string if they can
   */
  String obstacle();

  /**
   * The kernels. Called only where {@link #obstacle()} is empty.
   *
   * @return the kernels
   */
  Kernels kernels();
}
