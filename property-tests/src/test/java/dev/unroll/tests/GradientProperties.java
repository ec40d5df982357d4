package dev.unroll.tests;

import dev.unroll.engine.Backend;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Unrolled;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.domains.Domain;

/** Outputs against the oracle; BPTT against central differences of the oracle. */
@Domain(Networks.class)
@Domain(net.jqwik.api.domains.DomainContext.Global.class)
class GradientProperties {
  private static final double STEP = 1e-5;

  /** One case: a network, inputs of one batch with lengths, and upstream gradients. */
  private static final class Case {
    final NetworkSpec spec;
    final Oracle oracle;
    final int batch;
    final int[] lengths;
    final float[] x;
    final float[] h0;
    final float[] c0;
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
      x = Networks.random(time * batch * spec.inputSize(), rng);
      h0 = Networks.random(batch * spec.hiddenStateSize(), rng);
      c0 = Networks.random(batch * spec.cellStateSize(), rng);
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
            h[u][j] = h0[(u * batch + row) * hidden + j];
          }
          for (int j = 0; j < cells; j++) {
            c[u][j] = c0[(u * batch + row) * cells + j];
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

    double loss() {
      return evaluate(new double[dy.length], new double[h0.length], new double[c0.length]);
    }
  }

  @Property(tries = 60)
  void outputsAndGradientsMatchTheOracle(
      @ForAll Network network,
      @ForAll @IntRange(min = 1, max = 6) int time,
      @ForAll @IntRange(min = 1, max = 5) int batch,
      @ForAll long seed) {
    Case c = new Case(network, time, batch, new Rng(seed));
    Unrolled unrolled = new Unrolled(network, Backend.preferred(), batch, time, true);
    unrolled.setLengths(c.lengths);
    unrolled.setState(time, c.h0, c.c0);
    unrolled.forward(time, c.x);
    double[] y = new double[c.dy.length];
    double[] hn = new double[c.h0.length];
    double[] cn = new double[c.c0.length];
    c.evaluate(y, hn, cn);
    float[] actualY = new float[y.length];
    float[] actualH = new float[hn.length];
    float[] actualC = new float[cn.length];
    unrolled.output(actualY);
    unrolled.finalState(actualH, actualC);
    Near.outputs(y, actualY, 2e-5, "output");
    Near.outputs(hn, actualH, 2e-5, "h_n");
    Near.outputs(cn, actualC, 2e-5, "c_n");

    unrolled.backward(c.dy, c.dhn, c.dcn);
    for (Parameter p : network.parameters()) {
      double[] values = c.oracle.parameters.get(p.name());
      Rng pick = new Rng(seed + 1);
      float[] gradient = unrolled.gradient(p.name());
      for (int probe = 0; probe < 4; probe++) {
        int i = pick.nextInt(values.length);
        double kept = values[i];
        double at = c.loss();
        values[i] = kept + STEP;
        double right = (c.loss() - at) / STEP;
        values[i] = kept - STEP;
        double left = (at - c.loss()) / STEP;
        values[i] = kept;
        near(left, right, gradient[i], p.name() + "[" + i + "]");
      }
    }
    inputsAndStates(c, unrolled, seed);
  }

  private static void inputsAndStates(Case c, Unrolled unrolled, long seed) {
    float[] dx = new float[c.x.length];
    float[] dh0 = new float[c.h0.length];
    float[] dc0 = new float[c.c0.length];
    unrolled.inputGradient(dx);
    unrolled.stateGradient(dh0, dc0);
    probe(c, c.x, dx, "input", seed);
    probe(c, c.h0, dh0, "h0", seed);
    if (dc0.length > 0) {
      probe(c, c.c0, dc0, "c0", seed);
    }
  }

  private static void probe(Case c, float[] values, float[] gradient, String what, long seed) {
    Rng pick = new Rng(seed + 2);
    for (int probe = 0; probe < 4; probe++) {
      int i = pick.nextInt(values.length);
      float kept = values[i];
      // Inputs are floats: the step is what the floats really differ by.
      values[i] = kept + 1e-3f;
      double high = values[i];
      double up = c.loss();
      values[i] = kept - 1e-3f;
      double low = values[i];
      double down = c.loss();
      values[i] = kept;
      double expected = (up - down) / (high - low);
      double limit = 2e-4 * Math.max(1, Math.abs(expected));
      double error = Math.abs(expected - gradient[i]);
      if (error > limit && !nearKink(c, values, i, expected, gradient[i])) {
        throw new AssertionError(
            what + "[" + i + "] has gradient " + gradient[i] + ", not " + expected);
      }
    }
  }

  /* ReLU is not differentiable everywhere: a one-sided difference then agrees on one side at least. */
  private static boolean nearKink(Case c, float[] values, int i, double central, float gradient) {
    float kept = values[i];
    double at = c.loss();
    values[i] = kept + 1e-4f;
    double right = (c.loss() - at) / ((double) values[i] - kept);
    values[i] = kept - 1e-4f;
    double left = (at - c.loss()) / ((double) kept - values[i]);
    values[i] = kept;
    double limit = 2e-3 * Math.max(1, Math.abs(central));
    return Math.abs(right - gradient) <= limit || Math.abs(left - gradient) <= limit;
  }

  /* Where a kink (ReLU) lies between the probes, the gradient is that of one side. */
  private static void near(double left, double right, float actual, String what) {
    double central = (left + right) / 2;
    double limit = 1e-4 * Math.max(1, Math.abs(central));
    boolean smooth = Math.abs(central - actual) <= limit;
    boolean kink = Math.abs(left - actual) <= limit || Math.abs(right - actual) <= limit;
    if (!smooth && !kink) {
      throw new AssertionError(what + " has gradient " + actual + ", not " + central);
    }
  }
}
