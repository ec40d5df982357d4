package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.*;
import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.INTS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.MANY_REGISTERS;
import static dev.unroll.simd.Lanes.SPECIES;
import static dev.unroll.simd.Lanes.ZERO;
import static dev.unroll.simd.Slab.MASK;
import static dev.unroll.simd.Slab.MEMORY;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.unroll.fallback.Kernels;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Whole steps of GRUs whose units fit into few vectors, made like those of {@link LstmStep}. */
final class GruStep {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  /* From gate to gate in a column, and in the bias. */
  private static final int ROWS = Kernels.LANES;
  private static final long GATE = (long) ROWS * Float.BYTES;

  private GruStep() {}

  /* One vector of units, gates r, z, n: x̂ = b_ih + W_ih x and ĥ = b_hh + W_hh h_{t-1}. */
  static void ofOne(
      long at,
      int stride,
      long one,
      float[] bias,
      int inputs,
      float[] x,
      int xo,
      long recurrent,
      float[] recurrentBias,
      int hidden,
      float[] h,
      int ho) {
    if (stride == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector xr = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector xz = FloatVector.fromArray(SPECIES, bias, ROWS);
    FloatVector xn = FloatVector.fromArray(SPECIES, bias, 2 * ROWS);
    long w = at & MASK;
    for (int j = 0; j < inputs; j++) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[xo + (int) (j * one * one)]);
      xr = FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER).fma(xj, xr);
      xz = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + GATE, ORDER).fma(xj, xz);
      xn = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 2 * GATE, ORDER).fma(xj, xn);
      w = (w + stride) & MASK;
    }
    FloatVector hr = FloatVector.fromArray(SPECIES, recurrentBias, 0);
    FloatVector hz = FloatVector.fromArray(SPECIES, recurrentBias, ROWS);
    FloatVector hn = FloatVector.fromArray(SPECIES, recurrentBias, 2 * ROWS);
    w = recurrent & MASK;
    for (int j = 0; j < hidden; j++) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[ho + (int) (j * one * one)]);
      hr = FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER).fma(hj, hr);
      hz = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + GATE, ORDER).fma(hj, hz);
      hn = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 2 * GATE, ORDER).fma(hj, hn);
      w = (w + stride) & MASK;
    }
    FloatVector v, a, t, k, r, q, e;
    IntVector s;
    /* r = sigmoid(x̂_r + ĥ_r) */
    v = xr.add(hr);
    t =
        v.fma(
            FloatVector.broadcast(SPECIES, LOG2_E), FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
    k = t.sub(FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
    r =
        k.fma(
            FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
            k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), v));
    e = r.mul(r);
    q =
        FloatVector.broadcast(SPECIES, Q4)
            .fma(e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
    q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
    q = e.fma(q, r);
    e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
    e = e.fma(q, e);
    FloatVector reset = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    reset = reset.blend(ZERO, v.compare(LT, EXP_MIN));
    reset = reset.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* z = sigmoid(x̂_z + ĥ_z) */
    v = xz.add(hz);
    t =
        v.fma(
            FloatVector.broadcast(SPECIES, LOG2_E), FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
    k = t.sub(FloatVector.broadcast(SPECIES, ROUND_SHIFTED));
    r =
        k.fma(
            FloatVector.broadcast(SPECIES, MINUS_LN2_LOW),
            k.fma(FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH), v));
    e = r.mul(r);
    q =
        FloatVector.broadcast(SPECIES, Q4)
            .fma(e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
    q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
    q = e.fma(q, r);
    e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
    e = e.fma(q, e);
    FloatVector z = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    z = z.blend(ZERO, v.compare(LT, EXP_MIN));
    z = z.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* n = tanh(x̂_n + r # ĥ_n) */
    v = reset.fma(hn, xn);
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
            .fma(e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
    q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
    q = e.fma(q, r);
    e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
    q = e.fma(q, e.sub(FloatVector.broadcast(SPECIES, 1f)));
    q = q.div(q.add(FloatVector.broadcast(SPECIES, 2f)));
    q = q.blend(FloatVector.broadcast(SPECIES, 1f), a.compare(GT, TANH_MAX));
    s = v.reinterpretAsInts().and(IntVector.broadcast(INTS, Integer.MIN_VALUE));
    FloatVector n = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    /* h_t = n + z # (h_{t-1} - n) */
    FloatVector ht = z.fma(FloatVector.fromArray(SPECIES, h, ho).sub(n), n);
    ht = ht.blend(ZERO, ht.abs().compare(LT, FLUSH));
    ht.intoArray(h, ho);
  }

  /* Two vectors of units. */
  static void ofTwo(
      long at,
      int stride,
      long one,
      float[] bias,
      int inputs,
      float[] x,
      int xo,
      long recurrent,
      float[] recurrentBias,
      float[] sums,
      int hidden,
      float[] h,
      int ho) {
    if (stride == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector xr1 = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector xr2 = FloatVector.fromArray(SPECIES, bias, LENGTH);
    FloatVector xz1 = FloatVector.fromArray(SPECIES, bias, 2 * LENGTH);
    FloatVector xz2 = FloatVector.fromArray(SPECIES, bias, 3 * LENGTH);
    FloatVector xn1 = FloatVector.fromArray(SPECIES, bias, 4 * LENGTH);
    FloatVector xn2 = FloatVector.fromArray(SPECIES, bias, 5 * LENGTH);
    long w = at & MASK;
    for (int j = 0; j < inputs; j++) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[xo + (int) (j * one * one)]);
      xr1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER).fma(xj, xr1);
      xr2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + BYTES, ORDER).fma(xj, xr2);
      xz1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 2L * BYTES, ORDER).fma(xj, xz1);
      xz2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 3L * BYTES, ORDER).fma(xj, xz2);
      xn1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 4L * BYTES, ORDER).fma(xj, xn1);
      xn2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 5L * BYTES, ORDER).fma(xj, xn2);
      w = (w + stride) & MASK;
    }
    /* A variable that is read later stays in a register through a loop that does not use it. */
    if (!MANY_REGISTERS) {
      xr1.intoArray(sums, 0);
      xr2.intoArray(sums, LENGTH);
      xz1.intoArray(sums, 2 * LENGTH);
      xz2.intoArray(sums, 3 * LENGTH);
      xn1.intoArray(sums, 4 * LENGTH);
      xn2.intoArray(sums, 5 * LENGTH);
      xr1 = ZERO;
      xr2 = ZERO;
      xz1 = ZERO;
      xz2 = ZERO;
      xn1 = ZERO;
      xn2 = ZERO;
    }
    FloatVector hr1 = FloatVector.fromArray(SPECIES, recurrentBias, 0);
    FloatVector hr2 = FloatVector.fromArray(SPECIES, recurrentBias, LENGTH);
    FloatVector hz1 = FloatVector.fromArray(SPECIES, recurrentBias, 2 * LENGTH);
    FloatVector hz2 = FloatVector.fromArray(SPECIES, recurrentBias, 3 * LENGTH);
    FloatVector hn1 = FloatVector.fromArray(SPECIES, recurrentBias, 4 * LENGTH);
    FloatVector hn2 = FloatVector.fromArray(SPECIES, recurrentBias, 5 * LENGTH);
    w = recurrent & MASK;
    for (int j = 0; j < hidden; j++) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[ho + (int) (j * one * one)]);
      hr1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER).fma(hj, hr1);
      hr2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + BYTES, ORDER).fma(hj, hr2);
      hz1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 2L * BYTES, ORDER).fma(hj, hz1);
      hz2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 3L * BYTES, ORDER).fma(hj, hz2);
      hn1 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 4L * BYTES, ORDER).fma(hj, hn1);
      hn2 = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 5L * BYTES, ORDER).fma(hj, hn2);
      w = (w + stride) & MASK;
    }
    /*
     * Constants written as often as elsewhere are too much for C1 with sixteen registers; what it has
     * compiled without counting before it gives up, C2 never compiles.
     */
    FloatVector log2e = FloatVector.broadcast(SPECIES, LOG2_E);
    FloatVector shifted = FloatVector.broadcast(SPECIES, ROUND_SHIFTED);
    FloatVector ln2Low = FloatVector.broadcast(SPECIES, MINUS_LN2_LOW);
    FloatVector ln2High = FloatVector.broadcast(SPECIES, MINUS_LN2_HIGH);
    FloatVector twoLog2e = FloatVector.broadcast(SPECIES, TWO_LOG2_E);
    FloatVector biased = FloatVector.broadcast(SPECIES, ROUND_BIASED);
    FloatVector v, a, t, k, r, q, e;
    IntVector s;
    /* r = sigmoid(x̂_r + ĥ_r) */
    v = (MANY_REGISTERS ? xr1 : FloatVector.fromArray(SPECIES, sums, 0)).add(hr1);
    t = v.fma(log2e, shifted);
    k = t.sub(shifted);
    r = k.fma(ln2Low, k.fma(ln2High, v));
    e = r.mul(r);
    q =
        FloatVector.broadcast(SPECIES, Q4)
            .fma(e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
    q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
    q = e.fma(q, r);
    e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
    e = e.fma(q, e);
    FloatVector reset = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    reset = reset.blend(ZERO, v.compare(LT, EXP_MIN));
    reset = reset.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* z = sigmoid(x̂_z + ĥ_z) */
    v = (MANY_REGISTERS ? xz1 : FloatVector.fromArray(SPECIES, sums, 2 * LENGTH)).add(hz1);
    t = v.fma(log2e, shifted);
    k = t.sub(shifted);
    r = k.fma(ln2Low, k.fma(ln2High, v));
    e = r.mul(r);
    q =
        FloatVector.broadcast(SPECIES, Q4)
            .fma(e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
    q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
    q = e.fma(q, r);
    e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
    e = e.fma(q, e);
    FloatVector z = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    z = z.blend(ZERO, v.compare(LT, EXP_MIN));
    z = z.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* n = tanh(x̂_n + r # ĥ_n) */
    v = reset.fma(hn1, MANY_REGISTERS ? xn1 : FloatVector.fromArray(SPECIES, sums, 4 * LENGTH));
    a = v.abs();
    t = a.fma(twoLog2e, biased);
    k = t.sub(biased);
    r = k.fma(ln2High, a.add(a));
    e = r.mul(r);
    q =
        FloatVector.broadcast(SPECIES, Q4)
            .fma(e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
    q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
    q = e.fma(q, r);
    e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
    q = e.fma(q, e.sub(FloatVector.broadcast(SPECIES, 1f)));
    q = q.div(q.add(FloatVector.broadcast(SPECIES, 2f)));
    q = q.blend(FloatVector.broadcast(SPECIES, 1f), a.compare(GT, TANH_MAX));
    s = v.reinterpretAsInts().and(IntVector.broadcast(INTS, Integer.MIN_VALUE));
    FloatVector n = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    /* h_t = n + z # (h_{t-1} - n) */
    FloatVector ht = z.fma(FloatVector.fromArray(SPECIES, h, ho).sub(n), n);
    ht = ht.blend(ZERO, ht.abs().compare(LT, FLUSH));
    ht.intoArray(h, ho);
    /* The second vector. */
    v = (MANY_REGISTERS ? xr2 : FloatVector.fromArray(SPECIES, sums, LENGTH)).add(hr2);
    t = v.fma(log2e, shifted);
    k = t.sub(shifted);
    r = k.fma(ln2Low, k.fma(ln2High, v));
    e = r.mul(r);
    q =
        FloatVector.broadcast(SPECIES, Q4)
            .fma(e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
    q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
    q = e.fma(q, r);
    e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
    e = e.fma(q, e);
    reset = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    reset = reset.blend(ZERO, v.compare(LT, EXP_MIN));
    reset = reset.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    v = (MANY_REGISTERS ? xz2 : FloatVector.fromArray(SPECIES, sums, 3 * LENGTH)).add(hz2);
    t = v.fma(log2e, shifted);
    k = t.sub(shifted);
    r = k.fma(ln2Low, k.fma(ln2High, v));
    e = r.mul(r);
    q =
        FloatVector.broadcast(SPECIES, Q4)
            .fma(e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
    q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
    q = e.fma(q, r);
    e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
    e = e.fma(q, e);
    z = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    z = z.blend(ZERO, v.compare(LT, EXP_MIN));
    z = z.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    v = reset.fma(hn2, MANY_REGISTERS ? xn2 : FloatVector.fromArray(SPECIES, sums, 5 * LENGTH));
    a = v.abs();
    t = a.fma(twoLog2e, biased);
    k = t.sub(biased);
    r = k.fma(ln2High, a.add(a));
    e = r.mul(r);
    q =
        FloatVector.broadcast(SPECIES, Q4)
            .fma(e, FloatVector.broadcast(SPECIES, Q3).fma(r, FloatVector.broadcast(SPECIES, Q2)));
    q = q.fma(e, FloatVector.broadcast(SPECIES, Q1).fma(r, FloatVector.broadcast(SPECIES, Q0)));
    q = e.fma(q, r);
    e = t.reinterpretAsInts().lanewise(LSHL, EXPONENT_SHIFT).reinterpretAsFloats();
    q = e.fma(q, e.sub(FloatVector.broadcast(SPECIES, 1f)));
    q = q.div(q.add(FloatVector.broadcast(SPECIES, 2f)));
    q = q.blend(FloatVector.broadcast(SPECIES, 1f), a.compare(GT, TANH_MAX));
    s = v.reinterpretAsInts().and(IntVector.broadcast(INTS, Integer.MIN_VALUE));
    n = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    ht = z.fma(FloatVector.fromArray(SPECIES, h, ho + LENGTH).sub(n), n);
    ht = ht.blend(ZERO, ht.abs().compare(LT, FLUSH));
    ht.intoArray(h, ho + LENGTH);
  }
}
