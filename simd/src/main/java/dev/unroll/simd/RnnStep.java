package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.*;
import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.INTS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;
import static dev.unroll.simd.Lanes.ZERO;
import static dev.unroll.simd.Slab.COLUMNS;
import static dev.unroll.simd.Slab.MASK;
import static dev.unroll.simd.Slab.MEMORY;
import static dev.unroll.simd.Slab.START;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.unroll.fallback.Kernels;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Whole steps of simple cells whose units fit into few vectors, made like those of {@link
 * LstmStep}.
 *
 * <p>A column goes to few sums, so its loads and its share of the loop are what a step can save: a
 * turn takes four columns of one vector of units, two of two or three, after those that are left
 * over. C2 would unroll as well, but only as far as the first network whose steps it has seen goes.
 *
 * <p>Calls without inputs are idle. C2 leaves out what has never been taken, and would compile a
 * kernel anew in the midst of one network's steps when another network does take it; so the warm-up
 * now and then calls it on scratch data of {@link #SCRATCH_COLUMNS}, which take each loop, for the
 * other activation.
 */
final class RnnStep {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  /* Of one vector of units. */
  private static final int COLUMN = Kernels.LANES * Float.BYTES;

  /** Of inputs and of units. */
  static final int SCRATCH_COLUMNS = 5;

  /** Inputs, state and output at once. */
  static final float[] SCRATCH = new float[3 * Kernels.LANES];

  private RnnStep() {}

  /* One vector of units, tanh or max(0, z): z = b + W [x, h_{t-1}]. */
  static void ofOne(
      boolean relu,
      long at,
      float[] bias,
      int inputs,
      float[] x,
      int xo,
      int hidden,
      float[] h,
      int ho,
      float[] out) {
    if (inputs == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector v = FloatVector.fromArray(SPECIES, bias, 0);
    int step = 4 * Slab.step;
    long w = at & START;
    int odd = inputs & 3;
    for (int j = 0; j < odd; j++) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[xo + j]);
      v = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w & MASK, ORDER), v);
      w = (w + COLUMN) & START;
    }
    int end = ((inputs - odd) & COLUMNS) * COLUMN;
    for (int p = 0, i = xo + odd; p < end; p += 4 * COLUMN, i += step) {
      long o = w + p;
      FloatVector x0 = FloatVector.broadcast(SPECIES, x[i]);
      v = x0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), v);
      FloatVector x1 = FloatVector.broadcast(SPECIES, x[i + 1]);
      v = x1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + COLUMN) & MASK, ORDER), v);
      FloatVector x2 = FloatVector.broadcast(SPECIES, x[i + 2]);
      v =
          x2.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * COLUMN) & MASK, ORDER), v);
      FloatVector x3 = FloatVector.broadcast(SPECIES, x[i + 3]);
      v =
          x3.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * COLUMN) & MASK, ORDER), v);
    }
    w = (w + end) & START;
    odd = hidden & 3;
    for (int j = 0; j < odd; j++) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[ho + j]);
      v = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w & MASK, ORDER), v);
      w = (w + COLUMN) & START;
    }
    end = ((hidden - odd) & COLUMNS) * COLUMN;
    for (int p = 0, i = ho + odd; p < end; p += 4 * COLUMN, i += step) {
      long o = w + p;
      FloatVector h0 = FloatVector.broadcast(SPECIES, h[i]);
      v = h0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), v);
      FloatVector h1 = FloatVector.broadcast(SPECIES, h[i + 1]);
      v = h1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + COLUMN) & MASK, ORDER), v);
      FloatVector h2 = FloatVector.broadcast(SPECIES, h[i + 2]);
      v =
          h2.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * COLUMN) & MASK, ORDER), v);
      FloatVector h3 = FloatVector.broadcast(SPECIES, h[i + 3]);
      v =
          h3.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * COLUMN) & MASK, ORDER), v);
    }
    if (relu) {
      v = v.blend(ZERO, v.compare(LT, FLUSH));
      v.intoArray(h, ho);
      v.intoArray(out, 0);
      return;
    }
    FloatVector a, t, k, r, q, e;
    IntVector s;
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
    FloatVector ht = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    ht = ht.blend(ZERO, a.compare(LT, FLUSH));
    ht.intoArray(h, ho);
    ht.intoArray(out, 0);
  }

  /* The same for two vectors of units. */
  static void ofTwo(
      boolean relu,
      long at,
      float[] bias,
      int inputs,
      float[] x,
      int xo,
      int hidden,
      float[] h,
      int ho,
      float[] out) {
    if (inputs == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector v = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector u = FloatVector.fromArray(SPECIES, bias, LENGTH);
    int step = 2 * Slab.step;
    long w = at & START;
    int odd = inputs & 1;
    for (int j = 0; j < odd; j++) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[xo + j]);
      v = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w & MASK, ORDER), v);
      u = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (w + BYTES) & MASK, ORDER), u);
      w = (w + 2L * BYTES) & START;
    }
    int end = ((inputs - odd) & COLUMNS) * (2 * BYTES);
    for (int p = 0, i = xo + odd; p < end; p += 4 * BYTES, i += step) {
      long o = w + p;
      FloatVector x0 = FloatVector.broadcast(SPECIES, x[i]);
      v = x0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), v);
      u = x0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u);
      FloatVector x1 = FloatVector.broadcast(SPECIES, x[i + 1]);
      v = x1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), v);
      u = x1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), u);
    }
    w = (w + end) & START;
    odd = hidden & 1;
    for (int j = 0; j < odd; j++) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[ho + j]);
      v = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w & MASK, ORDER), v);
      u = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (w + BYTES) & MASK, ORDER), u);
      w = (w + 2L * BYTES) & START;
    }
    end = ((hidden - odd) & COLUMNS) * (2 * BYTES);
    for (int p = 0, i = ho + odd; p < end; p += 4 * BYTES, i += step) {
      long o = w + p;
      FloatVector h0 = FloatVector.broadcast(SPECIES, h[i]);
      v = h0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), v);
      u = h0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u);
      FloatVector h1 = FloatVector.broadcast(SPECIES, h[i + 1]);
      v = h1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), v);
      u = h1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), u);
    }
    if (relu) {
      v = v.blend(ZERO, v.compare(LT, FLUSH));
      v.intoArray(h, ho);
      v.intoArray(out, 0);
      u = u.blend(ZERO, u.compare(LT, FLUSH));
      u.intoArray(h, ho + LENGTH);
      u.intoArray(out, LENGTH);
      return;
    }
    FloatVector a, t, k, r, q, e;
    IntVector s;
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
    FloatVector ht = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    ht = ht.blend(ZERO, a.compare(LT, FLUSH));
    ht.intoArray(h, ho);
    ht.intoArray(out, 0);
    v = u;
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
    ht = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    ht = ht.blend(ZERO, a.compare(LT, FLUSH));
    ht.intoArray(h, ho + LENGTH);
    ht.intoArray(out, LENGTH);
  }

  /* The same for three vectors of units. */
  static void ofThree(
      boolean relu,
      long at,
      float[] bias,
      int inputs,
      float[] x,
      int xo,
      int hidden,
      float[] h,
      int ho,
      float[] out) {
    if (inputs == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector v = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector u = FloatVector.fromArray(SPECIES, bias, LENGTH);
    FloatVector y = FloatVector.fromArray(SPECIES, bias, 2 * LENGTH);
    int step = 2 * Slab.step;
    long w = at & START;
    int odd = inputs & 1;
    for (int j = 0; j < odd; j++) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[xo + j]);
      v = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w & MASK, ORDER), v);
      u = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (w + BYTES) & MASK, ORDER), u);
      y = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (w + 2L * BYTES) & MASK, ORDER), y);
      w = (w + 3L * BYTES) & START;
    }
    int end = ((inputs - odd) & COLUMNS) * (3 * BYTES);
    for (int p = 0, i = xo + odd; p < end; p += 6 * BYTES, i += step) {
      long o = w + p;
      FloatVector x0 = FloatVector.broadcast(SPECIES, x[i]);
      v = x0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), v);
      u = x0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u);
      y = x0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), y);
      FloatVector x1 = FloatVector.broadcast(SPECIES, x[i + 1]);
      v = x1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), v);
      u = x1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4L * BYTES) & MASK, ORDER), u);
      y = x1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 5L * BYTES) & MASK, ORDER), y);
    }
    w = (w + end) & START;
    odd = hidden & 1;
    for (int j = 0; j < odd; j++) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[ho + j]);
      v = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w & MASK, ORDER), v);
      u = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (w + BYTES) & MASK, ORDER), u);
      y = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (w + 2L * BYTES) & MASK, ORDER), y);
      w = (w + 3L * BYTES) & START;
    }
    end = ((hidden - odd) & COLUMNS) * (3 * BYTES);
    for (int p = 0, i = ho + odd; p < end; p += 6 * BYTES, i += step) {
      long o = w + p;
      FloatVector h0 = FloatVector.broadcast(SPECIES, h[i]);
      v = h0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), v);
      u = h0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u);
      y = h0.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), y);
      FloatVector h1 = FloatVector.broadcast(SPECIES, h[i + 1]);
      v = h1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), v);
      u = h1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4L * BYTES) & MASK, ORDER), u);
      y = h1.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 5L * BYTES) & MASK, ORDER), y);
    }
    if (relu) {
      v = v.blend(ZERO, v.compare(LT, FLUSH));
      v.intoArray(h, ho);
      v.intoArray(out, 0);
      u = u.blend(ZERO, u.compare(LT, FLUSH));
      u.intoArray(h, ho + LENGTH);
      u.intoArray(out, LENGTH);
      y = y.blend(ZERO, y.compare(LT, FLUSH));
      y.intoArray(h, ho + 2 * LENGTH);
      y.intoArray(out, 2 * LENGTH);
      return;
    }
    FloatVector a, t, k, r, q, e;
    IntVector s;
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
    FloatVector ht = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    ht = ht.blend(ZERO, a.compare(LT, FLUSH));
    ht.intoArray(h, ho);
    ht.intoArray(out, 0);
    v = u;
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
    ht = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    ht = ht.blend(ZERO, a.compare(LT, FLUSH));
    ht.intoArray(h, ho + LENGTH);
    ht.intoArray(out, LENGTH);
    v = y;
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
    ht = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    ht = ht.blend(ZERO, a.compare(LT, FLUSH));
    ht.intoArray(h, ho + 2 * LENGTH);
    ht.intoArray(out, 2 * LENGTH);
  }
}
