package dev.unroll.tests;

import dev.unroll.engine.Activation;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.CellOptions;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Regularization;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Topology;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Provide;
import net.jqwik.api.domains.DomainContextBase;

/**
 * Random networks of all kinds, small enough for central differences. Without edge cases: combined,
 * they outnumber the tries of a property, and jqwik would then try nothing else.
 */
class Networks extends DomainContextBase {

  @Provide
  Arbitrary<Network> networks() {
    return networks(3, true);
  }

  /** Networks of at most so many layers; bidirectional ones among them only if asked for. */
  static Arbitrary<Network> networks(int mostLayers, boolean bidirectional) {
    return networks(mostLayers, bidirectional, 1, 2, 3, 5, 15, 16, 17, 20, 40);
  }

  /** The same with such numbers of units. */
  static Arbitrary<Network> networks(
      int mostLayers, boolean bidirectional, Integer... hiddenSizes) {
    Arbitrary<Boolean> flag = Arbitraries.of(true, false);
    Arbitrary<Integer> size = Arbitraries.of(1, 2, 3, 5, 15, 16, 17, 20);
    Arbitrary<Integer> units = Arbitraries.of(hiddenSizes);
    return Combinators.combine(
            Arbitraries.of(CellKind.values()),
            size,
            units,
            Arbitraries.integers().between(1, mostLayers),
            flag,
            bidirectional ? flag : Arbitraries.just(false),
            flag,
            Arbitraries.longs())
        .as(
            (cell, inputs, hidden, layers, bias, both, special, seed) -> {
              boolean projected = special && cell == CellKind.LSTM && hidden > 2;
              int projection = projected ? hidden / 2 : 0;
              LayerSpec layer =
                  new LayerSpec(
                      cell, hidden, projection, bias, options(cell, hidden, new Rng(seed + 7)));
              NetworkSpec spec = NetworkSpec.recurrent(inputs, layers, layer);
              Rng choice = new Rng(seed + 8);
              spec =
                  spec.with(
                      new Topology(
                          both,
                          both && choice.nextInt(2) == 0,
                          choice.nextInt(3) == 0,
                          choice.nextInt(3) == 0,
                          choice.nextInt(3) == 0));
              if (choice.nextInt(4) == 0) {
                spec = spec.with(new Regularization(0.5f, 0, 0, 0, 0.3f, 0.2f));
              }
              spec = special ? spec.withHead(3) : spec;
              Network network = Network.create(spec, Initialization.PYTORCH, seed);
              for (Parameter p : network.parameters()) {
                if (p.name().contains("h0") || p.name().contains("c0")) {
                  network.set(p.name(), random(p.size(), choice));
                }
              }
              return network;
            })
        .withoutEdgeCases();
  }

  /*
   * Half of the cells are the usual ones; the others take any options together. Two or three units
   * may be nearly equal by chance, which normalisation divides by.
   */
  private static CellOptions options(CellKind cell, int hidden, Rng rng) {
    if (rng.nextInt(2) == 0) {
      return CellOptions.STANDARD;
    }
    boolean lstm = cell == CellKind.LSTM;
    List<Activation> activations = new ArrayList<>();
    if (rng.nextInt(2) == 0) {
      int count = lstm ? 3 : cell == CellKind.GRU ? 2 : 1;
      Activation.Kind[] kinds = Activation.Kind.values();
      for (int i = 0; i < count; i++) {
        Activation usual = Activation.of(kinds[rng.nextInt(kinds.length)]);
        activations.add(
            usual.kind() == Activation.Kind.THRESHOLDED_RELU
                ? new Activation(usual.kind(), 0.05f, 0f)
                : new Activation(usual.kind(), usual.alpha() * 0.9f, usual.beta()));
      }
    }
    return new CellOptions(
        cell == CellKind.GRU && rng.nextInt(2) == 0,
        lstm && rng.nextInt(2) == 0,
        lstm && rng.nextInt(2) == 0,
        lstm && hidden >= 15 && rng.nextInt(2) == 0,
        rng.nextInt(3) == 0 ? 0.4f : 0f,
        activations);
  }

  static float[] random(int n, Rng rng) {
    float[] a = new float[n];
    for (int i = 0; i < n; i++) {
      a[i] = rng.uniform(-1, 1);
    }
    return a;
  }
}
