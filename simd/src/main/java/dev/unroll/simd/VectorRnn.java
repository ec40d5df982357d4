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

import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.RnnKernels;
import dev.unroll.fallback.StepAtOnce;
import java.lang.ref.Reference;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Vector twin of the simple recurrent cell. */
final class VectorRnn implements RnnKernels {

  /* h = tanh(z), written out like the LSTM */
  @Override
  public void forwardTanh(int n, float[] z, int zo, float[] h, int ho) {
    tanh(n, z, zo, h, ho, h, ho);
  }

  /* The same, h once more to y. */
  private static void tanh(int n, float[] z, int zo, float[] h, int ho, float[] y, int yo) {
    if (n == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v, a, t, k, r, q, e;
      IntVector s;
      v = FloatVector.fromArray(SPECIES, z, zo + j);
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
      FloatVector ht = q.reinterpretAsInts().or(s).reinterpretAsFloats();
      ht = ht.blend(ZERO, a.compare(LT, FLUSH));
      ht.intoArray(h, ho + j);
      ht.intoArray(y, yo + j);
    }
  }

  @Override
  public Optional<StepAtOnce> atOnce(
      boolean relu, PackedMatrix w, int hidden, float[] z, float[] h, int ho) {
    if (w instanceof Panels m) {
      int vectors = m.holdsOne(1, hidden) ? 1 : m.holds(1, 2) ? 2 : m.holds(1, 3) ? 3 : 0;
      boolean room = ho >= m.columns() - hidden;
      if (vectors > 0 || (m.slab >= 0 && room)) {
        return Optional.of(new AtOnce(m, vectors, relu, hidden, z, h, ho));
      }
    }
    return Optional.empty();
  }

  /* Units in one vector, two or three; 0 stands for more. */
  private static final class AtOnce extends VectorStep {
    /* One of so many idle calls is on scratch data; of eight, the warm-up took longer. */
    private static final int SCRATCH_CALLS = 32;

    private final Panels m;
    private final int vectors;
    private final boolean relu;
    private final int inputs;
    private final int hidden;

    /* Of m: a load less before the weights of the next layer. */
    private final long at;
    private final float[] bias;

    /* Of more units. */
    private final float[] z;

    private int idleCalls;

    AtOnce(Panels m, int vectors, boolean relu, int hidden, float[] z, float[] h, int ho) {
      super(hidden, h, ho);
      this.m = m;
      at = m.slab;
      bias = m.bias;
      this.vectors = vectors;
      this.relu = relu;
      inputs = m.columns() - hidden;
      this.hidden = hidden;
      this.z = z;
    }

    @Override
    void run(boolean idle, float[] x, int xo, float[] out) {
      if (vectors == 0) {
        ofMany(idle, x, xo, out);
      } else if (!idle) {
        ofFew(relu, inputs, x, xo, hidden, h, ho, out);
      } else {
        float[] scratch = RnnStep.SCRATCH;
        int columns = idleCalls++ % SCRATCH_CALLS == 0 ? RnnStep.SCRATCH_COLUMNS : 0;
        ofFew(!relu, columns, scratch, 0, columns, scratch, 0, scratch);
      }
    }

    private void ofFew(
        boolean relu, int nx, float[] x, int xo, int nh, float[] h, int ho, float[] out) {
      try {
        switch (vectors) {
          case 1 -> RnnStep.ofOne(relu, at, bias, nx, x, xo, nh, h, ho, out);
          case 2 -> RnnStep.ofTwo(relu, at, bias, nx, x, xo, nh, h, ho, out);
          default -> RnnStep.ofThree(relu, at, bias, nx, x, xo, nh, h, ho, out);
        }
      } finally {
        Reference.reachabilityFence(m);
      }
    }

    private void ofMany(boolean idle, float[] x, int xo, float[] out) {
      multiply(idle, m, inputs, x, xo, z);
      int n = idle ? 0 : hidden;
      if (relu) {
        relu(n, z, 0, h, ho, out, 0);
      } else {
        tanh(n, z, 0, h, ho, out, 0);
      }
    }
  }

  /* h = max(0, z) */
  @Override
  public void forwardRelu(int n, float[] z, int zo, float[] h, int ho) {
    relu(n, z, zo, h, ho, h, ho);
  }

  /* The same, h once more to y. */
  private static void relu(int n, float[] z, int zo, float[] h, int ho, float[] y, int yo) {
    if (n == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, z, zo + j);
      FloatVector ht = v.blend(ZERO, v.compare(LT, FLUSH));
      ht.intoArray(h, ho + j);
      ht.intoArray(y, yo + j);
    }
  }

  /* dz = dh (1 - h²) */
  @Override
  public void backwardTanh(int n, float[] h, int ho, float[] dh, int dho, float[] dz, int dzo) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v = FloatVector.fromArray(SPECIES, h, ho + j);
      FloatVector slope = v.neg().fma(v, FloatVector.broadcast(SPECIES, 1f));
      FloatVector d = FloatVector.fromArray(SPECIES, dh, dho + j).mul(slope);
      d.blend(ZERO, d.abs().compare(LT, FLUSH)).intoArray(dz, dzo + j);
    }
  }

  /* dz = dh where h > 0 */
  @Override
  public void backwardRelu(int n, float[] h, int ho, float[] dh, int dho, float[] dz, int dzo) {
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector d = FloatVector.fromArray(SPECIES, dh, dho + j);
      d = d.blend(ZERO, d.abs().compare(LT, FLUSH));
      ZERO.blend(d, FloatVector.fromArray(SPECIES, h, ho + j).compare(GT, 0f))
          .intoArray(dz, dzo + j);
    }
  }
}
