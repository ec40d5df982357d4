package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.*;
import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.INTS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;
import static dev.unroll.simd.Lanes.ZERO;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.unroll.fallback.GruKernels;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.StepAtOnce;
import java.lang.ref.Reference;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Vector twin of the GRU cell, written out like {@link VectorLstm}. */
final class VectorGru implements GruKernels {

  @Override
  public void forward(
      int m,
      int units,
      int stride,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] h,
      int ho) {
    rows(m, units, stride, gx, gxo, gh, gho, hPrev, hpo, h, ho, h, ho);
  }

  /* The same, h once more to y. */
  private static void rows(
      int m,
      int units,
      int stride,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] h,
      int ho,
      float[] y,
      int yo) {
    /* Of gates without padding the last vector reaches into the next gate, and goes last. */
    int whole = stride % LENGTH == 0 ? units : units / LENGTH * LENGTH;
    /* Idle calls are as many as there are vectors, or C2 would compile the loops later. */
    int looped = stride == 0 ? 0 : whole;
    int calls = stride == 0 ? Math.ceilDiv(units, LENGTH) : m;
    for (int row = 0; row < calls; row++) {
      int s = row * stride;
      int x = gxo + 3 * s;
      int g = gho + 3 * s;
      int hp = hpo + s;
      int ht = ho + s;
      int yt = yo + s;
      cell(looped, stride, gx, x, gh, g, hPrev, hp, h, ht, y, yt);
      if (whole < units) {
        int w = whole;
        cell(LENGTH, stride, gx, x + w, gh, g + w, hPrev, hp + w, h, ht + w, y, yt + w);
      }
    }
  }

  /* Cells that take a step at once are padded, and single vectors, which would hold several gates. */
  @Override
  public int stepStride(int hidden, int columns) {
    if (hidden <= LENGTH || Panels.atOnce(3, hidden, columns)) {
      return Kernels.pad(hidden);
    }
    return Panels.stride(3, hidden);
  }

  /* Units of which only a single vector may reach into the next gate; p from gate to gate. */
  private static void cell(
      int units,
      int p,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] h,
      int ho,
      float[] y,
      int yo) {
    gates(units, p, gx, gxo, gh, gho);
    outputs(units, gx, gxo + p, gxo + 2 * p, hPrev, hpo, h, ho, y, yo);
  }

  /* r, z and, for the outputs, what n is the tanh of; p from gate to gate. */
  private static void gates(int units, int p, float[] gx, int gxo, float[] gh, int gho) {
    if (units == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    for (int j = 0; j < units; j += LENGTH) {
      FloatVector v, t, k, r, q, e;
      /* r = sigmoid(x̂_r + ĥ_r) */
      v =
          FloatVector.fromArray(SPECIES, gx, gxo + j)
              .add(FloatVector.fromArray(SPECIES, gh, gho + j));
      t =
          v.fma(
              FloatVector.broadcast(SPECIES, LOG2_E),
              FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      k = t.sub(FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      r =
          k.fma(
              FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
              k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), v));
      e = r.mul(r);
      q =
          FloatVector.broadcast(SPECIES, Q4)
              .fma(
                  e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
      q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
      q = e.fma(q, r);
      e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
      e = e.fma(q, e);
      FloatVector reset = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
      reset = reset.blend(ZERO, v.compare(LT, EXP_MIN));
      reset = reset.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
      reset.intoArray(gx, gxo + j);
      /* z = sigmoid(x̂_z + ĥ_z) */
      v =
          FloatVector.fromArray(SPECIES, gx, gxo + p + j)
              .add(FloatVector.fromArray(SPECIES, gh, gho + p + j));
      t =
          v.fma(
              FloatVector.broadcast(SPECIES, LOG2_E),
              FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      k = t.sub(FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
      r =
          k.fma(
              FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
              k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), v));
      e = r.mul(r);
      q =
          FloatVector.broadcast(SPECIES, Q4)
              .fma(
                  e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
      q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
      q = e.fma(q, r);
      e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
      e = e.fma(q, e);
      FloatVector z = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
      z = z.blend(ZERO, v.compare(LT, EXP_MIN));
      z = z.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
      z.intoArray(gx, gxo + p + j);
      /* x̂_n + r # ĥ_n */
      reset
          .fma(
              FloatVector.fromArray(SPECIES, gh, gho + 2 * p + j),
              FloatVector.fromArray(SPECIES, gx, gxo + 2 * p + j))
          .intoArray(gx, gxo + 2 * p + j);
    }
  }

  /* n and h_t. */
  private static void outputs(
      int units,
      float[] gx,
      int zo,
      int no,
      float[] hPrev,
      int hpo,
      float[] h,
      int ho,
      float[] y,
      int yo) {
    if (units == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    for (int j = 0; j < units; j += LENGTH) {
      FloatVector v, a, t, k, r, q, e;
      IntVector s;
      /* n = tanh(x̂_n + r # ĥ_n) */
      v = FloatVector.fromArray(SPECIES, gx, no + j);
      a = v.abs();
      t =
          a.fma(
              FloatVector.broadcast(SPECIES, TWO_LOG2_E),
              FloatVector.broadcast(SPECIES, ROUND_BIASED));
      k = t.sub(FloatVector.broadcast(SPECIES, ROUND_BIASED));
      r = k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), a.add(a));
      e = r.mul(r);
      q =
          FloatVector.broadcast(SPECIES, Q4)
              .fma(
                  e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
      q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
      q = e.fma(q, r);
      e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
      q = e.fma(q, e.sub(FloatVector.broadcast(SPECIES, 1f)));
      q = q.div(q.add(FloatVector.broadcast(SPECIES, 2f)));
      q = q.blend(FloatVector.broadcast(SPECIES, 1f), a.compare(GT, TANH_MAX));
      s = v.reinterpretAsInts().and(IntVector.broadcast(INTS, Integer.MIN_VALUE));
      FloatVector n = q.reinterpretAsInts().or(s).reinterpretAsFloats();
      n.intoArray(gx, no + j);
      FloatVector z = FloatVector.fromArray(SPECIES, gx, zo + j);
      /* h_t = n + z # (h_{t-1} - n) */
      FloatVector ht = z.fma(FloatVector.fromArray(SPECIES, hPrev, hpo + j).sub(n), n);
      ht = ht.blend(ZERO, ht.abs().compare(LT, FLUSH));
      ht.intoArray(h, ho + j);
      ht.intoArray(y, yo + j);
    }
  }

  @Override
  public Optional<StepAtOnce> atOnce(
      boolean alternates,
      int stride,
      PackedMatrix wih,
      float[] gx,
      PackedMatrix whh,
      float[] h,
      int ho,
      float[] gh) {
    if (wih instanceof Panels m && whh instanceof Panels n) {
      int vectors = vectors(stride, m, n);
      if (vectors > 0 || (m.slab >= 0 && n.slab >= 0)) {
        return Optional.of(new AtOnce(vectors, alternates, stride, m, gx, n, h, ho, gh));
      }
    }
    return Optional.empty();
  }

  /* Of units that a step takes in registers; else 0. */
  private static int vectors(int stride, Panels m, Panels n) {
    int hidden = n.columns();
    if (m.holdsOne(3, hidden) && n.holdsOne(3, hidden)) {
      return 1;
    }
    if (stride == 2 * LENGTH && m.holds(3, 2) && n.holds(3, 2)) {
      return 2;
    }
    boolean three = hidden > 2 * LENGTH && stride <= 3 * LENGTH;
    return three && m.isOnePanel() && n.isOnePanel() ? 3 : 0;
  }

  /* Units in one vector, two or three; 0 stands for more. */
  private static final class AtOnce extends VectorStep {
    private final int vectors;
    private final boolean alternates;
    private final int stride;
    private final Panels m;
    private final float[] gx;
    private final Panels n;
    private final float[] gh;

    /* Of m and n: a load less before the weights of the next layer. */
    private final long at;
    private final float[] bias;
    private final long recurrent;
    private final float[] recurrentBias;

    private final int inputs;
    private final int hidden;
    private final Sweep sweep = new Sweep();

    AtOnce(
        int vectors,
        boolean alternates,
        int stride,
        Panels m,
        float[] gx,
        Panels n,
        float[] h,
        int ho,
        float[] gh) {
      super(n.columns(), h, ho);
      this.vectors = vectors;
      this.alternates = alternates;
      this.stride = stride;
      this.m = m;
      this.gx = gx;
      this.n = n;
      this.gh = gh;
      at = m.slab;
      bias = m.bias;
      recurrent = n.slab;
      recurrentBias = n.bias;
      inputs = m.columns();
      hidden = n.columns();
    }

    @Override
    void run(boolean idle, float[] x, int xo, float[] out) {
      int units = idle ? 0 : hidden;
      try {
        switch (vectors) {
          case 0 -> ofMany(idle, x, xo, out);
          case 1 ->
              GruStep.ofOne(at, bias, recurrent, recurrentBias, inputs, units, x, xo, h, ho, out);
          case 2 ->
              GruStep.ofTwo(
                  inputs, units, at, xo, x, bias, recurrent, recurrentBias, gx, h, ho, out);
          default -> {
            boolean unitsFirst = alternates && sweep.turn();
            GruStep.ofThree(unitsFirst, units, stride, m, x, xo, gx, n, h, ho, gh, out);
          }
        }
      } finally {
        Reference.reachabilityFence(this);
      }
    }

    private void ofMany(boolean idle, float[] x, int xo, float[] out) {
      float[] zx = idle ? NOTHING : gx;
      float[] zh = idle ? NOTHING : gh;
      boolean unitsFirst = alternates && sweep.turn();
      if (!unitsFirst) {
        SlabGemv.affine(m, x, xo, bias, 0, zx, 0);
      }
      SlabGemv.affine(n, h, ho, recurrentBias, 0, zh, 0);
      if (unitsFirst) {
        SlabGemv.affine(m, x, xo, bias, 0, zx, 0);
      }
      rows(1, hidden, idle ? 0 : stride, gx, 0, gh, 0, h, ho, h, ho, out, 0);
    }
  }

  @Override
  public void backward(
      int m,
      int units,
      int p,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] dh,
      int dho) {
    for (int row = 0; row < m; row++) {
      int g = row * 3 * p;
      int s = row * p;
      backwardRow(units, p, gx, gxo + g, gh, gho + g, hPrev, hpo + s, dh, dho + s);
    }
  }

  private static void backwardRow(
      int units,
      int p,
      float[] gx,
      int gxo,
      float[] gh,
      int gho,
      float[] hPrev,
      int hpo,
      float[] dh,
      int dho) {
    assert p % LENGTH == 0;
    assert gxo >= 0 && gxo + 3 * p <= gx.length;
    assert gho >= 0 && gho + 3 * p <= gh.length;
    assert hpo >= 0 && hpo + p <= hPrev.length;
    assert dho >= 0 && dho + p <= dh.length;
    for (int j = 0; j < units; j += LENGTH) {
      int x = gxo + j;
      int g = gho + j;
      FloatVector r = FloatVector.fromArray(SPECIES, gx, x);
      FloatVector z = FloatVector.fromArray(SPECIES, gx, x + p);
      FloatVector n = FloatVector.fromArray(SPECIES, gx, x + 2 * p);
      FloatVector dht = FloatVector.fromArray(SPECIES, dh, dho + j);
      /* dn = dh # (1-z) # (1-n²);  dr = dn # ĥ_n # r # (1-r) */
      FloatVector dn =
          dht.mul(FloatVector.broadcast(SPECIES, 1f).sub(z))
              .mul(n.neg().fma(n, FloatVector.broadcast(SPECIES, 1f)));
      dn = dn.blend(ZERO, dn.abs().compare(LT, FLUSH));
      FloatVector dz =
          dht.mul(FloatVector.fromArray(SPECIES, hPrev, hpo + j).sub(n)).mul(z.neg().fma(z, z));
      dz = dz.blend(ZERO, dz.abs().compare(LT, FLUSH));
      FloatVector dr = dn.mul(FloatVector.fromArray(SPECIES, gh, g + 2 * p)).mul(r.neg().fma(r, r));
      dr = dr.blend(ZERO, dr.abs().compare(LT, FLUSH));
      dr.intoArray(gx, x);
      dz.intoArray(gx, x + p);
      dn.intoArray(gx, x + 2 * p);
      dr.intoArray(gh, g);
      dz.intoArray(gh, g + p);
      FloatVector dhn = dn.mul(r);
      dhn.blend(ZERO, dhn.abs().compare(LT, FLUSH)).intoArray(gh, g + 2 * p);
      FloatVector dhPrev = dht.mul(z);
      dhPrev.blend(ZERO, dhPrev.abs().compare(LT, FLUSH)).intoArray(dh, dho + j);
    }
  }
}
