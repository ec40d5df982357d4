package dev.unroll.tests;

import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Rng;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Provide;
import net.jqwik.api.domains.DomainContextBase;

/** Random networks of all kinds, small enough for central differences. */
class Networks extends DomainContextBase {

  @Provide
  Arbitrary<Network> networks() {
    Arbitrary<Boolean> flag = Arbitraries.of(true, false);
    Arbitrary<Integer> size = Arbitraries.of(1, 2, 3, 5, 15, 16, 17, 20);
    return Combinators.combine(
            Arbitraries.of(CellKind.values()),
            size,
            size,
            Arbitraries.integers().between(1, 3),
            flag,
            flag,
            flag,
            Arbitraries.longs())
        .as(
            (cell, inputs, hidden, layers, bias, both, special, seed) -> {
              boolean projected = special && cell == CellKind.LSTM && hidden > 2;
              LayerSpec layer = new LayerSpec(cell, hidden, projected ? hidden / 2 : 0, bias);
              NetworkSpec spec = NetworkSpec.recurrent(inputs, layers, layer);
              spec = both ? spec.bothDirections() : spec;
              spec = special ? spec.withHead(3) : spec;
              return Network.create(spec, Initialization.PYTORCH, seed);
            });
  }

  static float[] random(int n, Rng rng) {
    float[] a = new float[n];
    for (int i = 0; i < n; i++) {
      a[i] = rng.uniform(-1, 1);
    }
    return a;
  }
}
