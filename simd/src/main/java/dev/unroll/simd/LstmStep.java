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
 * Whole steps of LSTMs whose units fit into few vectors: the sums of {@link SlabGemv} over x and
 * then over h, and the cell of {@link VectorLstm} on the sums while they are in registers. Nothing
 * is stored and loaded in between, x is not copied before h, and one call does it all: 10 to 30 per
 * cent less time for a step of sixteen units.
 *
 * <p>Gates are not kept. One kernel for this and for training, with stores and loops that end at
 * once, takes 10 per cent more there. Two vectors of units have ten activations, more than C2
 * compiles in one method: six follow the product, four have a method of their own. Calls without
 * units are idle.
 *
 * <p>The loops over columns have as few instructions as can be, see {@link Slab}, since they lie on
 * the way of the next step's inputs into the processor's window. The index of x or h goes on by a
 * one that C2 does not know, which keeps it from unrolling: sums of several columns in turn would
 * wait for each other or not fit into the registers.
 */
final class LstmStep {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  /* From gate to gate in a column, and in the bias. */
  private static final int ROWS = Kernels.LANES;
  private static final int GATE = ROWS * Float.BYTES;

  private LstmStep() {}

  /* One vector of units, gates i, f, g, o: z = b + W [x, h_{t-1}]. */
  static void ofOne(
      long at,
      float[] bias,
      int inputs,
      float[] x,
      int xo,
      int hidden,
      float[] c,
      int co,
      float[] h,
      int ho,
      float[] out) {
    if (hidden == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector zi = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector zf = FloatVector.fromArray(SPECIES, bias, ROWS);
    FloatVector zg = FloatVector.fromArray(SPECIES, bias, 2 * ROWS);
    FloatVector zo = FloatVector.fromArray(SPECIES, bias, 3 * ROWS);
    int step = Slab.step;
    long w = at & START;
    int end = (inputs & COLUMNS) * (4 * GATE);
    for (int p = 0, i = xo; p < end; p += 4 * GATE, i += step) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      zi = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), zi);
      zf = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + GATE) & MASK, ORDER), zf);
      zg =
          xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * GATE) & MASK, ORDER), zg);
      zo =
          xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * GATE) & MASK, ORDER), zo);
    }
    w = (w + end) & START;
    end = (hidden & COLUMNS) * (4 * GATE);
    for (int p = 0, i = ho; p < end; p += 4 * GATE, i += step) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[i]);
      long o = w + p;
      zi = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), zi);
      zf = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + GATE) & MASK, ORDER), zf);
      zg =
          hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * GATE) & MASK, ORDER), zg);
      zo =
          hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * GATE) & MASK, ORDER), zo);
    }
    FloatVector v, a, t, k, r, q, e;
    IntVector s;
    /* i = sigmoid(z_i) */
    v = zi;
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
    FloatVector i = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    i = i.blend(ZERO, v.compare(LT, EXP_MIN));
    i = i.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* f = sigmoid(z_f) */
    v = zf;
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
    FloatVector f = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    f = f.blend(ZERO, v.compare(LT, EXP_MIN));
    f = f.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* g = tanh(z_g) */
    v = zg;
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
    FloatVector g = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    /* c_t = f # c_{t-1} + i # g */
    FloatVector ct = f.fma(FloatVector.fromArray(SPECIES, c, co), i.mul(g));
    ct.blend(ZERO, ct.abs().compare(LT, FLUSH)).intoArray(c, co);
    /* o = sigmoid(z_o) */
    v = zo;
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
    FloatVector o = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    o = o.blend(ZERO, v.compare(LT, EXP_MIN));
    o = o.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* h_t = o # tanh(c_t) */
    v = ct;
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
    FloatVector tc = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    FloatVector ht = o.mul(tc);
    ht = ht.blend(ZERO, ht.abs().compare(LT, FLUSH));
    ht.intoArray(h, ho);
    ht.intoArray(out, 0);
  }

  /* Two vectors of units as far as c_t; h_t holds z_o afterwards, see output. */
  static void ofTwo(
      long at,
      float[] bias,
      int inputs,
      float[] x,
      int xo,
      int hidden,
      float[] c,
      int co,
      float[] h,
      int ho) {
    if (hidden == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector zi = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector yi = FloatVector.fromArray(SPECIES, bias, LENGTH);
    FloatVector zf = FloatVector.fromArray(SPECIES, bias, 2 * LENGTH);
    FloatVector yf = FloatVector.fromArray(SPECIES, bias, 3 * LENGTH);
    FloatVector zg = FloatVector.fromArray(SPECIES, bias, 4 * LENGTH);
    FloatVector yg = FloatVector.fromArray(SPECIES, bias, 5 * LENGTH);
    FloatVector zo = FloatVector.fromArray(SPECIES, bias, 6 * LENGTH);
    FloatVector yo = FloatVector.fromArray(SPECIES, bias, 7 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (inputs & COLUMNS) * (8 * BYTES);
    for (int p = 0, i = xo; p < end; p += 8 * BYTES, i += step) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      zi = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), zi);
      yi = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), yi);
      zf =
          xj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), zf);
      yf =
          xj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), yf);
      zg =
          xj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4L * BYTES) & MASK, ORDER), zg);
      yg =
          xj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 5L * BYTES) & MASK, ORDER), yg);
      zo =
          xj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 6L * BYTES) & MASK, ORDER), zo);
      yo =
          xj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 7L * BYTES) & MASK, ORDER), yo);
    }
    w = (w + end) & START;
    end = (hidden & COLUMNS) * (8 * BYTES);
    for (int p = 0, i = ho; p < end; p += 8 * BYTES, i += step) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[i]);
      long o = w + p;
      zi = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), zi);
      yi = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), yi);
      zf =
          hj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), zf);
      yf =
          hj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), yf);
      zg =
          hj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4L * BYTES) & MASK, ORDER), zg);
      yg =
          hj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 5L * BYTES) & MASK, ORDER), yg);
      zo =
          hj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 6L * BYTES) & MASK, ORDER), zo);
      yo =
          hj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 7L * BYTES) & MASK, ORDER), yo);
    }
    zo.intoArray(h, ho);
    yo.intoArray(h, ho + LENGTH);
    FloatVector v, a, t, k, r, q, e;
    IntVector s;
    /* i = sigmoid(z_i) */
    v = zi;
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
    FloatVector i = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    i = i.blend(ZERO, v.compare(LT, EXP_MIN));
    i = i.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* f = sigmoid(z_f) */
    v = zf;
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
    FloatVector f = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    f = f.blend(ZERO, v.compare(LT, EXP_MIN));
    f = f.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* g = tanh(z_g) */
    v = zg;
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
    FloatVector g = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    /* c_t = f # c_{t-1} + i # g */
    FloatVector ct = f.fma(FloatVector.fromArray(SPECIES, c, co), i.mul(g));
    ct.blend(ZERO, ct.abs().compare(LT, FLUSH)).intoArray(c, co);
    /* The same for the second vector. */
    v = yi;
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
    i = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    i = i.blend(ZERO, v.compare(LT, EXP_MIN));
    i = i.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    v = yf;
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
    f = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    f = f.blend(ZERO, v.compare(LT, EXP_MIN));
    f = f.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    v = yg;
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
    g = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    ct = f.fma(FloatVector.fromArray(SPECIES, c, co + LENGTH), i.mul(g));
    ct.blend(ZERO, ct.abs().compare(LT, FLUSH)).intoArray(c, co + LENGTH);
  }

  /* h_t = sigmoid(z_o) # tanh(c_t) of two vectors, z_o in h_t. Of a flushed c_t h_t is 0 either way. */
  static void output(int n, float[] c, int co, float[] h, int ho, float[] out) {
    if (n == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    for (int j = 0; j < n; j += LENGTH) {
      FloatVector v, a, t, k, r, q, e;
      IntVector s;
      /* o = sigmoid(z_o) */
      v = FloatVector.fromArray(SPECIES, h, ho + j);
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
      FloatVector o = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
      o = o.blend(ZERO, v.compare(LT, EXP_MIN));
      o = o.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
      /* h_t = o # tanh(c_t) */
      v = FloatVector.fromArray(SPECIES, c, co + j);
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
      FloatVector tc = q.reinterpretAsInts().or(s).reinterpretAsFloats();
      FloatVector ht = o.mul(tc);
      ht = ht.blend(ZERO, ht.abs().compare(LT, FLUSH));
      ht.intoArray(h, ho + j);
      ht.intoArray(out, j);
    }
  }
}
