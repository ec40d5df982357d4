package dev.unroll.tests;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Stream;

/**
 * A program for a heap that is never collected: were there garbage, it would end by
 * OutOfMemoryError.
 */
final class Soak {
  private static final int STEPS = 2_000_000;

  private Soak() {}

  public static void main(String[] args) {
    NetworkSpec spec = NetworkSpec.recurrent(8, 1, LayerSpec.of(CellKind.LSTM, 16));
    Network network = Network.create(spec, Initialization.PYTORCH, 1);
    Stream stream = new Stream(network, Backend.preferred());
    float[] x = new float[8];
    float[] y = new float[16];
    for (int i = 0; i < STEPS; i++) {
      x[i & 7] = (i & 63) / 64f;
      stream.step(x, y);
    }
    System.out.println("steps " + STEPS + ", last output finite: " + Float.isFinite(y[0]));
  }
}
