package dev.unroll.tests;

import dev.unroll.engine.Backend;
import dev.unroll.engine.CellOptions;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Unrolled;
import java.util.Arrays;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.domains.Domain;

/** Outputs against the oracle; BPTT against central differences of the oracle. */
@Domain(Networks.class)
@Domain(net.jqwik.api.domains.DomainContext.Global.class)
class GradientProperties {
  private static final double STEP = 1e-5;
  private static final double WIDE_STEP = 2e-3;

  /** One case: a network, inputs of one batch with lengths, and upstream gradients. */
  private static final class Case {
    final NetworkSpec spec;
    final Oracle oracle;
    final int batch;
    final int[] lengths;
    final double[] x;
    final double[] h0;
    final double[] c0;
    final float[] dy;
    final float[] dhn;
    final float[] dcn;

    Case(Network network, int time, int batch, Rng rng) {
      spec = network.spec();
      oracle = new Oracle(network);
      this.batch = batch;
      lengths = new int[batch];
      for (int row = 0; row < batch; row++) {
        lengths[row] = 1 + rng.nextInt(time);
      }
      x = doubles(Networks.random(time * batch * spec.inputSize(), rng));
      h0 = doubles(Networks.random(batch * spec.hiddenStateSize(), rng));
      c0 = doubles(Networks.random(batch * spec.cellStateSize(), rng));
      dy = Networks.random(time * batch * spec.networkOutputSize(), rng);
      dhn = Networks.random(h0.length, rng);
      dcn = Networks.random(c0.length, rng);
    }

    /* Outputs, final states and the loss sum(y dy) + sum(h_n dh_n) + sum(c_n dc_n), as the oracle has them. */
    double evaluate(double[] y, double[] hn, double[] cn) {
      double loss = 0;
      int units = spec.layers().size() * spec.directions();
      int hidden = spec.layers().get(0).outputSize();
      int cells = spec.cellStateSize() == 0 ? 0 : spec.layers().get(0).hidden();
      for (int row = 0; row < batch; row++) {
        double[][] in = new double[lengths[row]][spec.inputSize()];
        for (int t = 0; t < in.length; t++) {
          for (int k = 0; k < spec.inputSize(); k++) {
            in[t][k] = x[(t * batch + row) * spec.inputSize() + k];
          }
        }
        double[][] h = new double[units][hidden];
        double[][] c = new double[units][cells];
        for (int u = 0; u < units; u++) {
          for (int j = 0; j < hidden; j++) {
            h[u][j] = learned() ? oracle.initial("h0", u)[j] : h0[(u * batch + row) * hidden + j];
          }
          for (int j = 0; j < cells; j++) {
            c[u][j] = learned() ? oracle.initial("c0", u)[j] : c0[(u * batch + row) * cells + j];
          }
        }
        double[][] out = oracle.run(in, h, c);
        int outputs = spec.networkOutputSize();
        for (int t = 0; t < in.length; t++) {
          for (int k = 0; k < outputs; k++) {
            int i = (t * batch + row) * outputs + k;
            y[i] = out[t][k];
            loss += y[i] * dy[i];
          }
        }
        for (int u = 0; u < units; u++) {
          for (int j = 0; j < hidden; j++) {
            int i = (u * batch + row) * hidden + j;
            hn[i] = h[u][j];
            loss += hn[i] * dhn[i];
          }
          for (int j = 0; j < cells; j++) {
            int i = (u * batch + row) * cells + j;
            cn[i] = c[u][j];
            loss += cn[i] * dcn[i];
          }
        }
      }
      return loss;
    }

    /* How far the outputs y go when inputs move by the rounding of a float, up and down in turn. */
    double sensitivity(double[] y) {
      double[] original = x.clone();
      for (int i = 0; i < x.length; i++) {
        x[i] *= i % 2 == 0 ? 1 + 0x1p-23 : 1 - 0x1p-23;
      }
      double[] moved = new double[y.length];
      evaluate(moved, new double[h0.length], new double[c0.length]);
      System.arraycopy(original, 0, x, 0, x.length);
      double furthest = 0;
      for (int i = 0; i < y.length; i++) {
        furthest = Math.max(furthest, Math.abs(moved[i] - y[i]));
      }
      return furthest;
    }

    boolean learned() {
      return spec.topology().learnedState();
    }

    boolean usual() {
      return spec.layers().get(0).options().equals(CellOptions.STANDARD);
    }

    /* Unbounded activations and normalisation amplify the rounding of floats. */
    double outputTolerance() {
      return usual() ? 2e-5 : 2e-4;
    }

    double gradientTolerance() {
      boolean norm = spec.layers().get(0).options().layerNorm();
      return usual() ? 1e-4 : norm ? 4e-3 : 1e-3;
    }

    double loss() {
      return evaluate(new double[dy.length], new double[h0.length], new double[c0.length]);
    }
  }

  @Property(tries = 100)
  void outputsAndGradientsMatchTheOracle(
      @ForAll Network network,
      @ForAll @IntRange(min = 1, max = 6) int time,
      @ForAll @IntRange(min = 1, max = 5) int batch,
      @ForAll long seed) {
    Case c = new Case(network, time, batch, new Rng(seed));
    Unrolled unrolled = new Unrolled(network, Backend.preferred(), batch, time, true);
    unrolled.setLengths(c.lengths);
    if (c.learned()) {
      unrolled.clearState();
    } else {
      unrolled.setState(time, floats(c.h0), floats(c.c0));
    }
    unrolled.forward(time, floats(c.x));
    double[] y = new double[c.dy.length];
    double[] hn = new double[c.h0.length];
    double[] cn = new double[c.c0.length];
    c.evaluate(y, hn, cn);
    // Unbounded activations may grow without limit through layers and time.
    Assume.that(Arrays.stream(y).allMatch(v -> Math.abs(v) < 100));
    // Several normalisations of nearly equal values amplify any rounding; others reach a fortieth.
    Assume.that(c.sensitivity(y) < c.outputTolerance() / 10);
    float[] actualY = new float[y.length];
    float[] actualH = new float[hn.length];
    float[] actualC = new float[cn.length];
    unrolled.output(actualY);
    unrolled.finalState(actualH, actualC);
    Near.outputs(y, actualY, c.outputTolerance(), "output");
    Near.outputs(hn, actualH, c.outputTolerance(), "h_n");
    Near.outputs(cn, actualC, c.outputTolerance(), "c_n");

    unrolled.backward(c.dy, c.dhn, c.dcn);
    for (Parameter p : network.parameters()) {
      double[] values = c.oracle.parameters.get(p.name());
      probe(c, values, unrolled.gradient(p.name()), p.name(), seed);
    }
    inputsAndStates(c, unrolled, seed);
  }

  private static double[] doubles(float[] a) {
    double[] d = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      d[i] = a[i];
    }
    return d;
  }

  private static float[] floats(double[] a) {
    float[] f = new float[a.length];
    for (int i = 0; i < a.length; i++) {
      f[i] = (float) a[i];
    }
    return f;
  }

  private static void inputsAndStates(Case c, Unrolled unrolled, long seed) {
    float[] dx = new float[c.x.length];
    float[] dh0 = new float[c.h0.length];
    float[] dc0 = new float[c.c0.length];
    unrolled.inputGradient(dx);
    unrolled.stateGradient(dh0, dc0);
    probe(c, c.x, dx, "input", seed);
    if (!c.learned()) {
      probe(c, c.h0, dh0, "h0", seed);
    }
    if (dc0.length > 0 && !c.learned()) {
      probe(c, c.c0, dc0, "c0", seed);
    }
  }

  private static void probe(Case c, double[] values, float[] gradient, String what, long seed) {
    Rng pick = new Rng(seed + 2);
    for (int probe = 0; probe < 4; probe++) {
      int i = pick.nextInt(values.length);
      difference(c, values, i, gradient[i], what + "[" + i + "]");
    }
  }

  /*
   * Central difference. At a kink (ReLU, hard sigmoid, clipping) there is no gradient to speak of, and
   * near one the float network may stand on the other side of it: the differences to both sides
   * disagree there, or the wide one does.
   */
  private static void difference(Case c, double[] values, int i, float gradient, String what) {
    double left = slope(c, values, i, -STEP, 0);
    double right = slope(c, values, i, 0, STEP);
    double expected = (left + right) / 2;
    double limit = c.gradientTolerance() * Math.max(1, Math.abs(expected));
    double wide = slope(c, values, i, -WIDE_STEP, WIDE_STEP);
    boolean smooth = Math.abs(right - left) < limit / 2 && Math.abs(wide - expected) < limit / 2;
    if (smooth && !(Math.abs(expected - gradient) <= limit)) {
      throw new AssertionError(what + " has gradient " + gradient + ", not " + expected);
    }
  }

  private static double slope(Case c, double[] values, int i, double from, double to) {
    double kept = values[i];
    values[i] = kept + to;
    double up = c.loss();
    values[i] = kept + from;
    double down = c.loss();
    values[i] = kept;
    return (up - down) / (to - from);
  }
}
