package dev.unroll.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/**
 * What one pass of BPTT does to the gradients: for each layer, direction and time step the norm of
 * dL/dh_t and of dL/dc_t over the batch, how many gates are saturated, and how far an update moves
 * each parameter.
 *
 * <p>The gradient of h_t is a product of Jacobians over the steps after t (Hochreiter 1991; Bengio
 * et al. 1994; Pascanu et al. 2013), so its norm over t shows whether gradients vanish or explode.
 *
 * <p>Give it to {@link Trainer#observe} before a step and read it afterwards. Its arrays are made
 * once; a trainer without an observer does no work for it.
 */
public final class GradientFlow {
  /** A sigmoid gate within this distance of 0 or 1, a tanh of -1 or 1, counts as saturated. */
  public static final float SATURATION = 0.05f;

  private final int layers;
  private final int directions;
  private final int time;
  private final double[] hidden;
  private final double[] cell;
  private final long[] saturated;
  private final long[] activations;
  private final List<Parameter> parameters;
  private final float[] before;
  private final double[] ratios;

  /**
   * An observer for a network and a largest number of steps.
   *
   * @param network the network
   * @param time steps T
   */
  public GradientFlow(Network network, int time) {
    NetworkSpec spec = network.spec();
    layers = spec.layers().size();
    directions = spec.directions();
    this.time = time;
    int rows = layers * directions;
    hidden = new double[rows * time];
    cell = new double[rows * time];
    saturated = new long[rows];
    activations = new long[rows];
    parameters = new ArrayList<>(network.parameters());
    before = new float[network.values().length];
    ratios = new double[parameters.size()];
  }

  void begin() {
    Arrays.fill(hidden, 0);
    Arrays.fill(cell, 0);
    Arrays.fill(saturated, 0);
    Arrays.fill(activations, 0);
  }

  /** Before the cell's backward step t: dh is the whole gradient of h_t. */
  void record(int layer, int direction, int t, float[] dh, double cellNorm) {
    int at = (layer * directions + direction) * time + t;
    double sum = 0;
    for (float d : dh) {
      sum += (double) d * d;
    }
    hidden[at] = Math.sqrt(sum);
    cell[at] = cellNorm;
  }

  /** Counts activations of one step, of width units in rows of a stride. */
  void countSaturated(
      int layer,
      int direction,
      boolean sigmoid,
      int rows,
      int width,
      float[] a,
      int at,
      int stride) {
    int to = layer * directions + direction;
    float low = sigmoid ? SATURATION : SATURATION - 1;
    for (int row = 0; row < rows; row++) {
      for (int j = at + row * stride; j < at + row * stride + width; j++) {
        saturated[to] += a[j] < low || a[j] > 1 - SATURATION ? 1 : 0;
      }
    }
    activations[to] += (long) rows * width;
  }

  /** Counts all gates of one step; the third is a tanh, the others are sigmoids. */
  void countGates(
      int layer, int direction, int gates, int rows, int width, float[] a, int at, int padded) {
    for (int gate = 0; gate < gates; gate++) {
      int from = at + gate * padded;
      countSaturated(layer, direction, gate != 2, rows, width, a, from, gates * padded);
    }
  }

  void beforeUpdate(float[] values) {
    System.arraycopy(values, 0, before, 0, before.length);
  }

  void afterUpdate(float[] values) {
    for (int i = 0; i < ratios.length; i++) {
      Parameter p = parameters.get(i);
      double moved = 0;
      double size = 0;
      for (int j = p.offset(); j < p.offset() + p.size(); j++) {
        double step = (double) values[j] - before[j];
        moved += step * step;
        size += (double) before[j] * before[j];
      }
      ratios[i] = size == 0 ? 0 : Math.sqrt(moved / size);
    }
  }

  private int row(int layer, int direction, int t) {
    if (layer < 0 || layer >= layers || direction < 0 || direction >= directions) {
      throw new IllegalArgumentException(
          "no layer " + layer + " in direction " + direction + " among " + layers);
    }
    if (t < 0 || t >= time) {
      throw new IllegalArgumentException("step must be from 0 to " + (time - 1) + ", not " + t);
    }
    return (layer * directions + direction) * time + t;
  }

  /**
   * Norm of dL/dh_t, over batch and units.
   *
   * @param layer index of the layer
   * @param direction 0 forward in time, 1 in reverse
   * @param t step, from 0
   * @return the Euclidean norm
   */
  public double hiddenNorm(int layer, int direction, int t) {
    return hidden[row(layer, direction, t)];
  }

  /**
   * Norm of dL/dc_t, over batch and units; with a projection only of what comes from later steps.
   *
   * @param layer index of the layer
   * @param direction 0 forward in time, 1 in reverse
   * @param t step, from 0
   * @return the Euclidean norm; 0 for cells without c
   */
  public double cellNorm(int layer, int direction, int t) {
    return cell[row(layer, direction, t)];
  }

  /**
   * Part of the gates (of h in an RNN) that are saturated, where the derivative is nearly 0; of a
   * ReLU the units at 0 or above 0.95.
   *
   * @param layer index of the layer
   * @param direction 0 forward in time, 1 in reverse
   * @return from 0 to 1
   */
  public double saturation(int layer, int direction) {
    int at = row(layer, direction, 0) / time;
    return activations[at] == 0 ? 0 : (double) saturated[at] / activations[at];
  }

  /**
   * The length of the last update of a parameter over the length of the parameter; about 1e-3 is
   * usual, less than 1e-6 learns nothing.
   *
   * @param name the parameter
   * @return |w' - w| / |w|; 0 if nothing was updated
   * @throws IllegalArgumentException if there is no such parameter
   */
  public double updateRatio(String name) {
    for (int i = 0; i < ratios.length; i++) {
      if (parameters.get(i).name().equals(name)) {
        return ratios[i];
      }
    }
    throw new IllegalArgumentException("no parameter '" + name + "'");
  }

  /**
   * Spectral radius of the recurrent weights, for each gate of a layer: |largest eigenvalue| of the
   * square block of {@code weight_hh}. By power iteration; since the largest eigenvalues may be a
   * complex pair, it is the mean growth over many iterations, good to about one per cent.
   *
   * @param network the network
   * @param name a recurrent weight, for example {@code weight_hh_l0}
   * @return one radius a gate
   * @throws IllegalArgumentException if the parameter is not made of square blocks
   */
  public static double[] spectralRadius(Network network, String name) {
    Collection<Parameter> all = network.parameters();
    Parameter p =
        all.stream()
            .filter(q -> q.name().equals(name))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no parameter '" + name + "'"));
    int n = p.columns();
    if (p.rows() % n != 0) {
      throw new IllegalArgumentException(
          name + " has shape " + p.shape() + "; its gates are not square");
    }
    double[] radii = new double[p.rows() / n];
    for (int gate = 0; gate < radii.length; gate++) {
      radii[gate] = radius(network.values(), p.offset() + gate * n * n, n);
    }
    return radii;
  }

  private static double radius(float[] w, int offset, int n) {
    int skipped = 200;
    int counted = 400;
    Rng rng = new Rng(1);
    double[] v = new double[n];
    for (int i = 0; i < n; i++) {
      v[i] = rng.gaussian();
    }
    double[] next = new double[n];
    double logs = 0;
    for (int k = 0; k < skipped + counted; k++) {
      double sum = 0;
      for (int i = 0; i < n; i++) {
        double dot = 0;
        for (int j = 0; j < n; j++) {
          dot += w[offset + i * n + j] * v[j];
        }
        next[i] = dot;
        sum += dot * dot;
      }
      double norm = Math.sqrt(sum);
      if (norm == 0) {
        return 0;
      }
      for (int i = 0; i < n; i++) {
        v[i] = next[i] / norm;
      }
      logs += k < skipped ? 0 : StrictMath.log(norm);
    }
    return StrictMath.exp(logs / counted);
  }
}
