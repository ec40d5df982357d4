package dev.unroll.fallback;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/**
 * Whether the virtual machine computes {@link Math#fma(float, float, float)} in hardware. Without
 * it the call goes through BigDecimal.
 */
public final class Fma {
  private static final boolean FAST = detect();

  private Fma() {}

  /**
   * Whether a fused multiply-add costs one instruction.
   *
   * @return true on processors with FMA
   */
  public static boolean isFast() {
    return FAST;
  }

  private static boolean detect() {
    try {
      HotSpotDiagnosticMXBean bean =
          ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      if (bean != null) {
        return Boolean.parseBoolean(bean.getVMOption("UseFMA").getValue());
      }
    } catch (LinkageError | IllegalArgumentException absent) {
      // No management module in this runtime, or another virtual machine: time it instead.
    }
    return probe();
  }

  /* BigDecimal takes about a microsecond a call, an interpreted hardware call about 50 ns. */
  private static boolean probe() {
    final int calls = 2_000;
    long best = Long.MAX_VALUE;
    for (int round = 0; round < 5; round++) {
      long start = System.nanoTime();
      float sum = 0.1f;
      for (int i = 0; i < calls; i++) {
        sum = Math.fma(sum, 0.99f, 0.01f);
      }
      best = Math.min(best, System.nanoTime() - start + (sum > 2f ? 1 : 0));
    }
    return best < calls * 250L;
  }
}
