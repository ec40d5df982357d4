package dev.unroll.cli;

import dev.unroll.engine.Network;
import dev.unroll.fallback.WeightFormat;
import java.util.Locale;
import picocli.CommandLine.Option;

/** The option {@code --weights}, and how far the outputs are from those of 32-bit floats. */
final class WeightChoice {
  @Option(
      names = "--weights",
      paramLabel = "f32|bf16|int8",
      description =
          "How to keep weights in memory: bf16 takes half, int8 a quarter, less exactly (default: f32).")
  private WeightFormat format = WeightFormat.F32;

  private double largest;
  private double squares;
  private double reference;
  private long count;

  boolean isReduced() {
    return format != WeightFormat.F32;
  }

  Network apply(Network network) {
    return isReduced() ? network.quantize(format) : network;
  }

  /** Takes note of some outputs and of what 32-bit weights give. */
  void compare(float[] outputs, float[] exact) {
    for (int i = 0; i < outputs.length; i++) {
      double difference = (double) outputs[i] - exact[i];
      largest = Math.max(largest, Math.abs(difference));
      squares += difference * difference;
      reference += (double) exact[i] * exact[i];
    }
    count += outputs.length;
  }

  /** Says what the comparisons showed. */
  void report() {
    System.err.printf(
        Locale.ROOT,
        "%s weights: outputs differ from f32 by %.2g at most, %.2g root mean square (%.2g %% of"
            + " the outputs')%n",
        format.name().toLowerCase(Locale.ROOT),
        largest,
        Math.sqrt(squares / count),
        100 * Math.sqrt(squares / Math.max(reference, Double.MIN_NORMAL)));
  }
}
