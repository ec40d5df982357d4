package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.*;
import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.INTS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.SPECIES;
import static dev.unroll.simd.Lanes.ZERO;
import static dev.unroll.simd.Slab.MASK;
import static dev.unroll.simd.Slab.MEMORY;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Whole steps of simple cells whose units fit into few vectors, made like those of {@link
 * LstmStep}.
 */
final class RnnStep {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  private RnnStep() {}

  /* One vector of units, tanh or max(0, z): z = b + W [x, h_{t-1}]. */
  static void ofOne(
      boolean relu,
      long at,
      int stride,
      float[] bias,
      int inputs,
      float[] x,
      int xo,
      int hidden,
      float[] h,
      int ho,
      float[] out) {
    if (stride == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector v = FloatVector.fromArray(SPECIES, bias, 0);
    long w = at & MASK;
    for (int j = 0; j < inputs; j++) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[xo + j]);
      v = FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER).fma(xj, v);
      w = (w + stride) & MASK;
    }
    for (int j = 0; j < hidden; j++) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[ho + j]);
      v = FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER).fma(hj, v);
      w = (w + stride) & MASK;
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
      int stride,
      float[] bias,
      int inputs,
      float[] x,
      int xo,
      int hidden,
      float[] h,
      int ho,
      float[] out) {
    if (stride == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector v = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector u = FloatVector.fromArray(SPECIES, bias, LENGTH);
    long w = at & MASK;
    for (int j = 0; j < inputs; j++) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[xo + j]);
      v = FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER).fma(xj, v);
      u = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + BYTES, ORDER).fma(xj, u);
      w = (w + stride) & MASK;
    }
    for (int j = 0; j < hidden; j++) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[ho + j]);
      v = FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER).fma(hj, v);
      u = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + BYTES, ORDER).fma(hj, u);
      w = (w + stride) & MASK;
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
      int stride,
      float[] bias,
      int inputs,
      float[] x,
      int xo,
      int hidden,
      float[] h,
      int ho,
      float[] out) {
    if (stride == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector v = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector u = FloatVector.fromArray(SPECIES, bias, LENGTH);
    FloatVector y = FloatVector.fromArray(SPECIES, bias, 2 * LENGTH);
    long w = at & MASK;
    for (int j = 0; j < inputs; j++) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[xo + j]);
      v = FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER).fma(xj, v);
      u = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + BYTES, ORDER).fma(xj, u);
      y = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 2L * BYTES, ORDER).fma(xj, y);
      w = (w + stride) & MASK;
    }
    for (int j = 0; j < hidden; j++) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[ho + j]);
      v = FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER).fma(hj, v);
      u = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + BYTES, ORDER).fma(hj, u);
      y = FloatVector.fromMemorySegment(SPECIES, MEMORY, w + 2L * BYTES, ORDER).fma(hj, y);
      w = (w + stride) & MASK;
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
