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

  /* To time it takes less than to load the management classes, which know for certain. */
  private static boolean detect() {
    if (isTimedFast()) {
      return true;
    }
    try {
      HotSpotDiagnosticMXBean bean =
          ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      return bean != null && Boolean.parseBoolean(bean.getVMOption("UseFMA").getValue());
    } catch (LinkageError | IllegalArgumentException absent) {
      // No management module in this runtime, or another virtual machine.
      return false;
    }
  }

  /* BigDecimal takes a microsecond a call and more, an interpreted hardware call about 50 ns. */
  private static boolean isTimedFast() {
    final int calls = 20;
    for (int round = 0; round < 50; round++) {
      long start = System.nanoTime();
      float sum = 0.1f;
      for (int i = 0; i < calls; i++) {
        sum = Math.fma(sum, 0.99f, 0.01f);
      }
      long nanos = System.nanoTime() - start + (sum > 2f ? 1 : 0);
      if (nanos < calls * 250L) {
        return true;
      }
    }
    return false;
  }
}
