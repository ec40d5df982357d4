/** The kernel contract on the Java Vector API. */
module dev.unroll.simd {
  requires static org.jspecify;
  requires static java.management;
  requires static jdk.management;
  requires jdk.incubator.vector;
  requires dev.unroll.fallback;

  exports dev.unroll.simd;

  provides dev.unroll.fallback.KernelProvider with
      dev.unroll.simd.SimdProvider;
}
