package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.unroll.engine.Backend;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.LookAhead;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Stream;
import dev.unroll.engine.StreamBatch;
import dev.unroll.engine.Unrolled;
import dev.unroll.simd.WidthLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.domains.Domain;

/** One answer everywhere: twins, widths, streaming, sequence, pieces of a sequence, batch. */
@Domain(Networks.class)
@Domain(net.jqwik.api.domains.DomainContext.Global.class)
class EqualBitsProperties {
  private static final Backend VECTORS = Backend.of(Backend.preferred().kernels());
  private static final List<Backend> BACKENDS =
      List.of(
          Backend.choose("fallback"),
          Backend.of(WidthLoader.kernels(128)),
          Backend.of(WidthLoader.kernels(256)),
          Backend.of(WidthLoader.kernels(512)));

  @Provide
  Arbitrary<Network> forward() {
    return Networks.networks(3, false);
  }

  @Provide
  Arbitrary<Network> oneLayer() {
    return Networks.networks(1, true);
  }

  @Property(tries = 40)
  void twinsAndWidthsAgree(
      @ForAll Network network,
      @ForAll @IntRange(min = 1, max = 5) int time,
      @ForAll @IntRange(min = 1, max = 13) int batch,
      @ForAll long seed) {
    List<float[]> expected = null;
    for (Backend backend : BACKENDS) {
      List<float[]> actual = everything(network, backend, time, batch, seed);
      expected = expected == null ? actual : expected;
      for (int i = 0; i < actual.size(); i++) {
        assertArrayEquals(expected.get(i), actual.get(i), backend.describe());
      }
    }
  }

  /* So wide that every layer has enough for two threads. */
  @Provide
  Arbitrary<Network> wide() {
    return Networks.networks(3, true, 90, 96, 101);
  }

  @Property(tries = 30)
  void threadsChangeNothing(
      @ForAll("wide") Network network,
      @ForAll @IntRange(min = 17, max = 40) int batch,
      @ForAll @IntRange(min = 2, max = 4) int threads,
      @ForAll long seed) {
    Backend one = Backend.preferred();
    List<float[]> expected = everything(network, one, 12, batch, seed);
    List<float[]> actual = everything(network, one.withThreads(threads), 12, batch, seed);
    for (int i = 0; i < actual.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i), threads + " threads, result " + i);
    }
  }

  private static List<float[]> everything(
      Network network, Backend backend, int time, int batch, long seed) {
    NetworkSpec spec = network.spec();
    Rng rng = new Rng(seed);
    Unrolled u = new Unrolled(network, backend, batch, time, true);
    float[] h = Networks.random(batch * spec.hiddenStateSize(), rng);
    float[] c = Networks.random(batch * spec.cellStateSize(), rng);
    u.setState(time, h, c);
    int[] lengths = new int[batch];
    Arrays.setAll(lengths, row -> 1 + rng.nextInt(time));
    u.setLengths(lengths);
    u.forward(time, Networks.random(time * batch * spec.inputSize(), rng));
    float[] y = new float[time * batch * spec.networkOutputSize()];
    u.output(y);
    u.finalState(h, c);
    List<float[]> results = new ArrayList<>(List.of(y, h.clone(), c.clone()));
    u.backward(Networks.random(y.length, rng), h, c);
    for (Parameter p : network.parameters()) {
      results.add(u.gradient(p.name()));
    }
    float[] dx = new float[time * batch * spec.inputSize()];
    u.inputGradient(dx);
    results.add(dx);
    return results;
  }

  @Property(tries = 60)
  void streamEqualsSequenceEqualsBatchEqualsPieces(
      @ForAll("forward") Network network,
      @ForAll @IntRange(min = 2, max = 9) int time,
      @ForAll @IntRange(min = 1, max = 11) int batch,
      @ForAll long seed) {
    NetworkSpec spec = network.spec();
    float[] x = Networks.random(time * batch * spec.inputSize(), new Rng(seed));
    float[] whole = new float[time * batch * spec.networkOutputSize()];
    Unrolled u = new Unrolled(network, VECTORS, batch, time, false);
    u.forward(time, x);
    u.output(whole);

    int first = time / 2;
    u.clearState();
    float[] pieces = new float[whole.length];
    int cut = first * batch;
    piece(u, first, Arrays.copyOf(x, cut * spec.inputSize()), pieces, 0);
    u.carryState();
    int rest = time - first;
    float[] tail = Arrays.copyOfRange(x, cut * spec.inputSize(), x.length);
    piece(u, rest, tail, pieces, cut * spec.networkOutputSize());
    assertArrayEquals(whole, pieces, "two pieces");

    for (int row = 0; row < batch; row++) {
      Stream stream = new Stream(network, VECTORS);
      float[] in = new float[spec.inputSize()];
      float[] out = new float[spec.networkOutputSize()];
      for (int t = 0; t < time; t++) {
        int i = t * batch + row;
        System.arraycopy(x, i * in.length, in, 0, in.length);
        stream.step(in, out);
        float[] expected = Arrays.copyOfRange(whole, i * out.length, (i + 1) * out.length);
        assertArrayEquals(expected, out, "row " + row + ", step " + t);
      }
    }
  }

  private static void piece(Unrolled u, int steps, float[] x, float[] to, int offset) {
    u.forward(steps, x);
    float[] y = new float[steps * u.batch() * (to.length / u.time() / u.batch())];
    u.output(y);
    System.arraycopy(y, 0, to, offset, y.length);
  }

  @Property(tries = 40)
  void aRowOfABatchEqualsItselfAlone(
      @ForAll Network network,
      @ForAll @IntRange(min = 1, max = 6) int time,
      @ForAll @IntRange(min = 2, max = 9) int batch,
      @ForAll long seed) {
    NetworkSpec spec = network.spec();
    Rng rng = new Rng(seed);
    float[] x = Networks.random(time * batch * spec.inputSize(), rng);
    float[] h = Networks.random(batch * spec.hiddenStateSize(), rng);
    float[] c = Networks.random(batch * spec.cellStateSize(), rng);
    int[] lengths = new int[batch];
    Arrays.setAll(lengths, row -> 1 + rng.nextInt(time));
    List<float[]> all = inference(network, VECTORS, time, lengths, x, h, c);
    for (int row = 0; row < batch; row++) {
      float[] own = row(x, row, batch, time, spec.inputSize());
      float[] h0 = stateRow(spec, false, h, row, batch);
      float[] c0 = stateRow(spec, true, c, row, batch);
      for (Backend backend : BACKENDS) {
        int[] length = {lengths[row]};
        List<float[]> alone = inference(network, backend, time, length, own, h0, c0);
        String where = "row " + row + ", " + backend.describe();
        float[] y = row(all.get(0), row, batch, time, spec.networkOutputSize());
        assertArrayEquals(y, alone.get(0), where);
        assertArrayEquals(stateRow(spec, false, all.get(1), row, batch), alone.get(1), where);
        assertArrayEquals(stateRow(spec, true, all.get(2), row, batch), alone.get(2), where);
      }
    }
  }

  /* Outputs and final state. */
  private static List<float[]> inference(
      Network network, Backend backend, int time, int[] lengths, float[] x, float[] h, float[] c) {
    int batch = lengths.length;
    Unrolled u = new Unrolled(network, backend, batch, time, false);
    u.setState(time, h, c);
    u.setLengths(lengths);
    float[] y = new float[time * batch * network.spec().networkOutputSize()];
    float[] hn = new float[h.length];
    float[] cn = new float[c.length];
    for (int pass = 0; pass < 2; pass++) {
      u.forward(time, x);
      u.output(y);
      u.finalState(hn, cn);
    }
    return List.of(y, hn, cn);
  }

  /* One row of [blocks, batch, size]. */
  private static float[] row(float[] all, int row, int batch, int blocks, int size) {
    float[] own = new float[blocks * size];
    for (int block = 0; block < blocks; block++) {
      System.arraycopy(all, (block * batch + row) * size, own, block * size, size);
    }
    return own;
  }

  private static float[] stateRow(NetworkSpec spec, boolean cell, float[] all, int row, int batch) {
    float[] own = new float[cell ? spec.cellStateSize() : spec.hiddenStateSize()];
    int to = 0;
    for (LayerSpec layer : spec.layers()) {
      int held = layer.cell().hasCellState() ? layer.hidden() : 0;
      int size = cell ? held : layer.outputSize();
      for (int d = 0; d < spec.directions(); d++) {
        System.arraycopy(all, to * batch + row * size, own, to, size);
        to += size;
      }
    }
    return own;
  }

  @Property(tries = 20)
  void aRestoredStreamGoesOnExactly(@ForAll("forward") Network network, @ForAll long seed) {
    NetworkSpec spec = network.spec();
    Rng rng = new Rng(seed);
    Stream one = new Stream(network);
    Stream other = new Stream(network);
    float[] h = new float[spec.hiddenStateSize()];
    float[] c = new float[spec.cellStateSize()];
    float[] y = new float[spec.networkOutputSize()];
    float[] z = new float[spec.networkOutputSize()];
    one.step(Networks.random(spec.inputSize(), rng), y);
    one.saveState(h, c);
    other.restoreState(h, c);
    float[] x = Networks.random(spec.inputSize(), rng);
    one.step(x, y);
    other.step(x, z);
    assertArrayEquals(y, z);
    one.reset();
    new Stream(network).step(x, z);
    one.step(x, y);
    assertArrayEquals(z, y, "after reset");
  }

  /* Begun on the scalar kernels, as the preferred backend does, and ended on the vector kernels. */
  @Property(tries = 40)
  void sequencesChangeOverWithTheSameBits(
      @ForAll Network network,
      @ForAll @IntRange(min = 1, max = 70) int time,
      @ForAll @IntRange(min = 1, max = 20) int batch,
      @ForAll @IntRange(min = 1, max = 2) int threads,
      @ForAll long seed)
      throws InterruptedException {
    NetworkSpec spec = network.spec();
    Backend preferred = Backend.preferred().withThreads(threads);
    Unrolled begun = new Unrolled(network, preferred, batch, time, false);
    Unrolled vector = new Unrolled(network, VECTORS, batch, time, false);
    Rng rng = new Rng(seed);
    int[] lengths = new int[batch];
    Arrays.setAll(lengths, row -> 1 + rng.nextInt(time));
    List<Unrolled> both = List.of(begun, vector);
    both.forEach(u -> u.setLengths(lengths));
    for (int pass = 0; pass < 6; pass++) {
      if (pass == 3) {
        Backend.warmUp();
      }
      int steps = pass == 1 ? 1 + rng.nextInt(time) : time;
      float[] x = Networks.random(steps * batch * spec.inputSize(), rng);
      float[] expected = new float[steps * batch * spec.networkOutputSize()];
      float[] actual = expected.clone();
      vector.forward(steps, x);
      begun.forward(steps, x);
      vector.output(expected);
      begun.output(actual);
      assertArrayEquals(expected, actual, "pass " + pass);
      if (pass == 2) {
        /* Not read before the next refresh, nor by changing over. */
        Parameter p = network.parameters().iterator().next();
        network.set(p.name(), Networks.random(p.size(), rng));
      } else if (pass == 4) {
        both.forEach(Unrolled::refresh);
      }
      if (!spec.bidirectional() && pass != 3) {
        both.forEach(Unrolled::carryState);
      } else if (pass == 4) {
        both.forEach(Unrolled::clearState);
      }
    }
  }

  @Property(tries = 40)
  void rowsOfABatchOfStreamsGoTheirOwnWays(
      @ForAll("forward") Network network,
      @ForAll @IntRange(min = 1, max = 9) int batch,
      @ForAll long seed) {
    NetworkSpec spec = network.spec();
    StreamBatch all = new StreamBatch(network, VECTORS, batch);
    Stream[] alone = new Stream[batch];
    Arrays.setAll(alone, row -> new Stream(network, VECTORS));
    Rng rng = new Rng(seed);
    float[] y = new float[batch * spec.networkOutputSize()];
    float[] own = new float[spec.networkOutputSize()];
    float[] h = new float[spec.hiddenStateSize()];
    float[] c = new float[spec.cellStateSize()];
    float[] ownH = h.clone();
    float[] ownC = c.clone();
    for (int t = 0; t < 8; t++) {
      int row = rng.nextInt(batch);
      switch (rng.nextInt(3)) {
        case 0 -> {
          all.reset(row);
          alone[row].reset();
        }
        case 1 -> {
          all.saveState(row, h, c);
          alone[row].saveState(ownH, ownC);
          assertArrayEquals(ownH, h, "h of row " + row);
          assertArrayEquals(ownC, c, "c of row " + row);
          int other = rng.nextInt(batch);
          all.restoreState(other, h, c);
          alone[other].restoreState(h, c);
        }
        default -> {}
      }
      float[] x = Networks.random(batch * spec.inputSize(), rng);
      all.step(x, y);
      for (int r = 0; r < batch; r++) {
        int inputs = spec.inputSize();
        alone[r].step(Arrays.copyOfRange(x, r * inputs, (r + 1) * inputs), own);
        int at = r * own.length;
        assertArrayEquals(own, Arrays.copyOfRange(y, at, at + own.length), "row " + r);
      }
    }
  }

  @Property(tries = 40)
  void lookingAheadToTheEndGivesTheWholeSequence(
      @ForAll("oneLayer") Network network,
      @ForAll @IntRange(min = 1, max = 4) int chunk,
      @ForAll @IntRange(min = 1, max = 2) int batch,
      @ForAll long seed) {
    NetworkSpec spec = network.spec();
    int time = chunk + 3;
    float[] x = Networks.random(time * batch * spec.inputSize(), new Rng(seed));
    Unrolled whole = new Unrolled(network, VECTORS, batch, time, false);
    float[] expected = new float[time * batch * spec.networkOutputSize()];
    whole.forward(time, x);
    whole.output(expected);
    LookAhead window = new LookAhead(network, VECTORS, batch, chunk, 3);
    float[] y = new float[chunk * batch * spec.networkOutputSize()];
    window.next(x, y);
    assertArrayEquals(Arrays.copyOf(expected, y.length), y, "first chunk");
    float[] rest = window.finish(Arrays.copyOfRange(x, chunk * batch * spec.inputSize(), x.length));
    assertArrayEquals(Arrays.copyOfRange(expected, y.length, expected.length), rest, "rest");
  }
}
