package dev.unroll.engine;

import java.util.Arrays;
import java.util.List;

/**
 * How parameters start.
 *
 * <p>The base is PyTorch's: U(-1/sqrt(H), 1/sqrt(H)) for every recurrent parameter, U(-1/sqrt(in),
 * 1/sqrt(in)) for the head, N(0, 1) for an embedding.
 *
 * @param orthogonalRecurrent whether each gate's block of {@code weight_hh} is a random orthogonal
 *     matrix (Saxe et al. 2014)
 * @param forgetBias whether the forget gates' biases are set to 1 in total (Jozefowicz et al.
 *     2015): {@code bias_ih} = 1, {@code bias_hh} = 0
 */
public record Initialization(boolean orthogonalRecurrent, boolean forgetBias) {
  /** PyTorch's defaults. */
  public static final Initialization PYTORCH = new Initialization(false, false);

  private static final List<String> NORM_GAINS =
      List.of(LayerWeights.NORM_GAIN_IH, LayerWeights.NORM_GAIN_HH, LayerWeights.NORM_GAIN_C);

  void apply(NetworkSpec spec, ParameterLayout layout, float[] parameters, long seed) {
    Rng rng = new Rng(seed);
    layout.find("embedding.weight").ifPresent(p -> normal(p, parameters, rng));
    for (int layer = 0; layer < spec.layers().size(); layer++) {
      for (int direction = 0; direction < spec.directions(); direction++) {
        recurrent(spec, layout, parameters, layer, direction, rng);
      }
    }
    float bound = 1f / (float) Math.sqrt(spec.recurrentOutputSize());
    layout.find("linear.weight").ifPresent(p -> uniform(p, parameters, bound, rng));
    layout.find("linear.bias").ifPresent(p -> uniform(p, parameters, bound, rng));
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
    for (String kind : new String[] {"weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"}) {
      String name = ParameterLayout.name(spec, kind, layer, direction);
      layout.find(name).ifPresent(p -> uniform(p, parameters, bound, rng));
    }
    layout
        .find(ParameterLayout.name(spec, LayerWeights.PEEPHOLE, layer, direction))
        .ifPresent(p -> uniform(p, parameters, bound, rng));
    for (String gain : NORM_GAINS) {
      layout
          .find(ParameterLayout.name(spec, gain, layer, direction))
          .ifPresent(p -> Arrays.fill(parameters, p.offset(), p.offset() + p.size(), 1f));
    }
    if (orthogonalRecurrent) {
      Parameter hh = layout.get(ParameterLayout.name(spec, "weight_hh", layer, direction));
      for (int gate = 0; gate < l.cell().gates(); gate++) {
        int block = hh.offset() + gate * l.hidden() * hh.columns();
        orthogonal(l.hidden(), hh.columns(), parameters, block, rng);
      }
    }
    if (forgetBias && l.cell() == CellKind.LSTM && l.bias()) {
      fillForget(
          layout.get(ParameterLayout.name(spec, "bias_ih", layer, direction)), l, parameters, 1f);
      fillForget(
          layout.get(ParameterLayout.name(spec, "bias_hh", layer, direction)), l, parameters, 0f);
    }
  }

  private static void fillForget(Parameter bias, LayerSpec l, float[] parameters, float value) {
    int from = bias.offset() + l.hidden();
    Arrays.fill(parameters, from, from + l.hidden(), value);
  }

  private static void uniform(Parameter p, float[] parameters, float bound, Rng rng) {
    for (int i = 0; i < p.size(); i++) {
      parameters[p.offset() + i] = rng.uniform(-bound, bound);
    }
  }

  private static void normal(Parameter p, float[] parameters, Rng rng) {
    for (int i = 0; i < p.size(); i++) {
      parameters[p.offset() + i] = rng.gaussian();
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
