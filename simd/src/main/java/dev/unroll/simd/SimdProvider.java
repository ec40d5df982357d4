package dev.unroll.simd;

import com.sun.management.HotSpotDiagnosticMXBean;
import dev.unroll.fallback.Fma;
import dev.unroll.fallback.KernelProvider;
import dev.unroll.fallback.Kernels;
import java.lang.management.ManagementFactory;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;

/** Offers the vector kernels where the virtual machine compiles them to vector instructions. */
public final class SimdProvider implements KernelProvider {

  /** Called by the service loader. */
  public SimdProvider() {}

  @Override
  public String name() {
    return "simd";
  }

  @Override
  public String obstacle() {
    if (!ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
      return "module jdk.incubator.vector is not resolved; start java with"
          + " --add-modules jdk.incubator.vector";
    }
    if (!Fma.isFast()) {
      return "the processor has no fused multiply-add";
    }
    String mode = System.getProperty("java.vm.info", "");
    if (mode.startsWith("interpreted")) {
      return "the virtual machine only interprets (-Xint)";
    }
    if (mode.contains("emulated-client")
        || option("TieredStopAtLevel").map(Integer::parseInt).orElse(4) < 4) {
      return "the optimising compiler C2 is off (-XX:TieredStopAtLevel, -XX:CompilationMode"
          + " or -XX:+NeverActAsServerClassMachine)";
    }
    if (option("EnableVectorSupport").map("false"::equals).orElse(false)) {
      return "the virtual machine does not compile the Vector API (-XX:-EnableVectorSupport)";
    }
    if (!System.getProperty("java.vm.name", "").matches("(?i).*(hotspot|openjdk).*")) {
      return "this virtual machine is not known to compile the Vector API";
    }
    if (FloatVector.SPECIES_PREFERRED.vectorBitSize() < 128) {
      return "the processor has no vectors of at least 128 bits";
    }
    return "";
  }

  private static Optional<String> option(String name) {
    try {
      HotSpotDiagnosticMXBean bean =
          ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      return bean == null ? Optional.empty() : Optional.of(bean.getVMOption(name).getValue());
    } catch (LinkageError | IllegalArgumentException absent) {
      return Optional.empty();
    }
  }

  @Override
  public Kernels kernels() {
    return VectorKernels.create();
  }
}
