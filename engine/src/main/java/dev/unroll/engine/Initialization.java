package dev.unroll.engine;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * How parameters start.
 *
 * <p>The base is PyTorch's: U(-1/sqrt(H), 1/sqrt(H)) for every recurrent parameter, U(-1/sqrt(in),
 * 1/sqrt(in)) for the head, N(0, 1) for an embedding. Gains of normalisations start at 1, learned
 * initial states at 0.
 *
 * @param glorotInput whether each gate's block of {@code weight_ih} is U(-a, a) with a = sqrt(6 /
 *     (columns + H)) (Glorot &amp; Bengio 2010)
 * @param recurrent how each gate's block of {@code weight_hh} starts
 * @param forgetBias whether the forget gates' biases are set to 1 in total (Jozefowicz et al.
 *     2015): {@code bias_ih} = 1, {@code bias_hh} = 0
 * @param chronoSteps longest dependency T for chrono initialisation of an LSTM's biases (Tallec
 *     &amp; Ollivier 2018), b_f = log(U(1, T - 1)), b_i = -b_f; 0 for none, else at least 3
 */
public record Initialization(
    boolean glorotInput, Recurrent recurrent, boolean forgetBias, int chronoSteps) {

  /** Starts of {@code weight_hh}. */
  public enum Recurrent {
    /** U(-1/sqrt(H), 1/sqrt(H)). */
    PYTORCH,
    /** U(-a, a) with a = sqrt(6 / (columns + H)). */
    GLOROT,
    /** A random orthogonal matrix (Saxe et al. 2014). */
    ORTHOGONAL,
    /** The identity, with all biases 0 (IRNN, Le et al. 2015). */
    IDENTITY
  }

  /** PyTorch's defaults. */
  public static final Initialization PYTORCH =
      new Initialization(false, Recurrent.PYTORCH, false, 0);

  /** Checks the steps. */
  public Initialization {
    if (chronoSteps != 0 && chronoSteps < 3) {
      throw new IllegalArgumentException("chrono steps must be at least 3, not " + chronoSteps);
    }
    if (chronoSteps != 0 && forgetBias) {
      throw new IllegalArgumentException("choose a forget bias or chrono biases, not both");
    }
  }

  private static final List<String> UNIFORM =
      List.of("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr", LayerWeights.PEEPHOLE);

  private static final List<String> NORM_GAINS =
      List.of(LayerWeights.NORM_GAIN_IH, LayerWeights.NORM_GAIN_HH, LayerWeights.NORM_GAIN_C);

  void apply(NetworkSpec spec, ParameterLayout layout, float[] parameters, long seed) {
    Rng rng = new Rng(seed);
    Optional<Parameter> embedding = layout.find("embedding.weight");
    if (embedding.isPresent()) {
      normal(embedding.get(), parameters, rng);
    }
    for (int layer = 0; layer < spec.layers().size(); layer++) {
      for (int direction = 0; direction < spec.directions(); direction++) {
        recurrent(spec, layout, parameters, layer, direction, rng);
      }
    }
    float bound = 1f / (float) Math.sqrt(spec.recurrentOutputSize());
    uniform(layout.find("linear.weight"), parameters, bound, rng);
    uniform(layout.find("linear.bias"), parameters, bound, rng);
  }

  private void recurrent(
      NetworkSpec spec,
      ParameterLayout layout,
      float[] parameters,
      int layer,
      int direction,
      Rng rng) {
    LayerSpec l = spec.layers().get(layer);
    float bound = 1f / (float) Math.sqrt(l.hidden());
    for (String kind : UNIFORM) {
      String name = ParameterLayout.name(spec, kind, layer, direction);
      uniform(layout.find(name), parameters, bound, rng);
    }
    for (String gain : NORM_GAINS) {
      Optional<Parameter> p = layout.find(ParameterLayout.name(spec, gain, layer, direction));
      if (p.isPresent()) {
        Arrays.fill(parameters, p.get().offset(), p.get().offset() + p.get().size(), 1f);
      }
    }
    Parameter ih = layout.get(ParameterLayout.name(spec, "weight_ih", layer, direction));
    Parameter hh = layout.get(ParameterLayout.name(spec, "weight_hh", layer, direction));
    if (glorotInput) {
      glorot(ih, l.hidden(), parameters, rng);
    }
    switch (recurrent) {
      case PYTORCH -> {}
      case GLOROT -> glorot(hh, l.hidden(), parameters, rng);
      case ORTHOGONAL -> {
        for (int gate = 0; gate < l.cell().gates(); gate++) {
          int block = hh.offset() + gate * l.hidden() * hh.columns();
          orthogonal(l.hidden(), hh.columns(), parameters, block, rng);
        }
      }
      case IDENTITY -> {
        Arrays.fill(parameters, hh.offset(), hh.offset() + hh.size(), 0f);
        for (int row = 0; row < hh.rows(); row++) {
          if (row % l.hidden() < hh.columns()) {
            parameters[hh.offset() + row * hh.columns() + row % l.hidden()] = 1f;
          }
        }
      }
    }
    if (l.bias()) {
      Parameter bih = layout.get(ParameterLayout.name(spec, "bias_ih", layer, direction));
      Parameter bhh = layout.get(ParameterLayout.name(spec, "bias_hh", layer, direction));
      biases(l, bih, bhh, parameters, rng);
    }
  }

  private void biases(LayerSpec l, Parameter bih, Parameter bhh, float[] parameters, Rng rng) {
    if (recurrent == Recurrent.IDENTITY) {
      Arrays.fill(parameters, bih.offset(), bih.offset() + bih.size(), 0f);
      Arrays.fill(parameters, bhh.offset(), bhh.offset() + bhh.size(), 0f);
    }
    if (l.cell() != CellKind.LSTM) {
      return;
    }
    if (forgetBias) {
      fillForget(bih, l, parameters, 1f);
      fillForget(bhh, l, parameters, 0f);
    }
    if (chronoSteps > 0) {
      int h = l.hidden();
      Arrays.fill(parameters, bhh.offset(), bhh.offset() + 2 * h, 0f);
      for (int j = 0; j < h; j++) {
        float bias = (float) StrictMath.log(1 + rng.nextDouble() * (chronoSteps - 2));
        parameters[bih.offset() + j] = -bias;
        parameters[bih.offset() + h + j] = bias;
      }
    }
  }

  private static void glorot(Parameter p, int hidden, float[] parameters, Rng rng) {
    uniform(p, parameters, (float) Math.sqrt(6.0 / (p.columns() + hidden)), rng);
  }

  private static void fillForget(Parameter bias, LayerSpec l, float[] parameters, float value) {
    int from = bias.offset() + l.hidden();
    Arrays.fill(parameters, from, from + l.hidden(), value);
  }

  /* No functions: the first ones of a virtual machine take 10 ms, a third of the time to a first step. */
  private static void uniform(Optional<Parameter> p, float[] parameters, float bound, Rng rng) {
    if (p.isPresent()) {
      uniform(p.get(), parameters, bound, rng);
    }
  }

  private static void uniform(Parameter p, float[] parameters, float bound, Rng rng) {
    int end = p.offset() + p.size();
    for (int i = p.offset(); i < end; i++) {
      parameters[i] = rng.uniform(-bound, bound);
    }
  }

  private static void normal(Parameter p, float[] parameters, Rng rng) {
    int end = p.offset() + p.size();
    for (int i = p.offset(); i < end; i++) {
      parameters[i] = rng.gaussian();
    }
  }

  /* Orthonormal columns (rows >= columns, as with a projection, too) by modified Gram-Schmidt in double. */
  private static void orthogonal(int rows, int columns, float[] to, int offset, Rng rng) {
    double[][] q = new double[columns][rows];
    for (int j = 0; j < columns; j++) {
      double norm = 0;
      while (norm < 1e-6) {
        for (int i = 0; i < rows; i++) {
          q[j][i] = rng.gaussian();
        }
        for (int previous = 0; previous < j; previous++) {
          double dot = 0;
          for (int i = 0; i < rows; i++) {
            dot += q[j][i] * q[previous][i];
          }
          for (int i = 0; i < rows; i++) {
            q[j][i] -= dot * q[previous][i];
          }
        }
        norm = 0;
        for (int i = 0; i < rows; i++) {
          norm += q[j][i] * q[j][i];
        }
        norm = Math.sqrt(norm);
      }
      for (int i = 0; i < rows; i++) {
        q[j][i] /= norm;
        to[offset + i * columns + j] = (float) q[j][i];
      }
    }
  }
}
