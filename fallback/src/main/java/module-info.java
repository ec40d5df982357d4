/** The kernel contract and its plain-Java reference implementation. */
module dev.unroll.fallback {
  requires static org.jspecify;
  requires static java.management;
  requires static jdk.management;

  exports dev.unroll.fallback;

  uses dev.unroll.fallback.KernelProvider;
}
