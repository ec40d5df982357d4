package dev.unroll.simd;

import static dev.unroll.fallback.FloatMath.*;
import static dev.unroll.simd.Lanes.IDLE_TURNS;
import static dev.unroll.simd.Lanes.INTS;
import static dev.unroll.simd.Lanes.LENGTH;
import static dev.unroll.simd.Lanes.MANY_REGISTERS;
import static dev.unroll.simd.Lanes.SPECIES;
import static dev.unroll.simd.Lanes.ZERO;
import static dev.unroll.simd.Slab.COLUMNS;
import static dev.unroll.simd.Slab.MASK;
import static dev.unroll.simd.Slab.START;
import static dev.unroll.simd.Slab.MEMORY;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.unroll.fallback.Kernels;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Whole steps of GRUs whose units fit into few vectors, made like those of {@link LstmStep}: one or
 * two vectors at once, three in a kernel for both products and two for the cell.
 */
final class GruStep {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  /* From gate to gate in a column, and in the bias. */
  private static final int ROWS = Kernels.LANES;
  private static final int GATE = ROWS * Float.BYTES;

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
    FloatVector hr = FloatVector.fromArray(SPECIES, recurrentBias, 0);
    FloatVector hz = FloatVector.fromArray(SPECIES, recurrentBias, ROWS);
    FloatVector hn = FloatVector.fromArray(SPECIES, recurrentBias, 2 * ROWS);
    int step = (int) one;
    long w = recurrent & START;
    int end = (hidden & COLUMNS) * (3 * GATE);
    for (int p = 0, i = ho; p < end; p += 3 * GATE, i += step) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[i]);
      long o = w + p;
      hr = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), hr);
      hz = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + GATE) & MASK, ORDER), hz);
      hn = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2 * GATE) & MASK, ORDER), hn);
    }
    FloatVector xr = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector xz = FloatVector.fromArray(SPECIES, bias, ROWS);
    FloatVector xn = FloatVector.fromArray(SPECIES, bias, 2 * ROWS);
    w = at & START;
    end = (inputs & COLUMNS) * (3 * GATE);
    for (int p = 0, i = xo; p < end; p += 3 * GATE, i += step) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      xr = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), xr);
      xz = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + GATE) & MASK, ORDER), xz);
      xn = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2 * GATE) & MASK, ORDER), xn);
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
      float[] scratch,
      int hidden,
      float[] h,
      int ho) {
    if (stride == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector hr1 = FloatVector.fromArray(SPECIES, recurrentBias, 0);
    FloatVector hr2 = FloatVector.fromArray(SPECIES, recurrentBias, LENGTH);
    FloatVector hz1 = FloatVector.fromArray(SPECIES, recurrentBias, 2 * LENGTH);
    FloatVector hz2 = FloatVector.fromArray(SPECIES, recurrentBias, 3 * LENGTH);
    FloatVector hn1 = FloatVector.fromArray(SPECIES, recurrentBias, 4 * LENGTH);
    FloatVector hn2 = FloatVector.fromArray(SPECIES, recurrentBias, 5 * LENGTH);
    int step = (int) one;
    long w = recurrent & START;
    int end = (hidden & COLUMNS) * (6 * BYTES);
    for (int p = 0, i = ho; p < end; p += 6 * BYTES, i += step) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[i]);
      long o = w + p;
      hr1 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), hr1);
      hr2 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), hr2);
      hz1 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2 * BYTES) & MASK, ORDER), hz1);
      hz2 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3 * BYTES) & MASK, ORDER), hz2);
      hn1 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4 * BYTES) & MASK, ORDER), hn1);
      hn2 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 5 * BYTES) & MASK, ORDER), hn2);
    }
    /* A variable that is read later stays in a register through a loop that does not use it. */
    if (!MANY_REGISTERS) {
      hr1.intoArray(scratch, 0);
      hr2.intoArray(scratch, LENGTH);
      hz1.intoArray(scratch, 2 * LENGTH);
      hz2.intoArray(scratch, 3 * LENGTH);
      hn1.intoArray(scratch, 4 * LENGTH);
      hn2.intoArray(scratch, 5 * LENGTH);
      hr1 = ZERO;
      hr2 = ZERO;
      hz1 = ZERO;
      hz2 = ZERO;
      hn1 = ZERO;
      hn2 = ZERO;
    }
    FloatVector xr1 = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector xr2 = FloatVector.fromArray(SPECIES, bias, LENGTH);
    FloatVector xz1 = FloatVector.fromArray(SPECIES, bias, 2 * LENGTH);
    FloatVector xz2 = FloatVector.fromArray(SPECIES, bias, 3 * LENGTH);
    FloatVector xn1 = FloatVector.fromArray(SPECIES, bias, 4 * LENGTH);
    FloatVector xn2 = FloatVector.fromArray(SPECIES, bias, 5 * LENGTH);
    w = at & START;
    end = (inputs & COLUMNS) * (6 * BYTES);
    for (int p = 0, i = xo; p < end; p += 6 * BYTES, i += step) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      xr1 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), xr1);
      xr2 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), xr2);
      xz1 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2 * BYTES) & MASK, ORDER), xz1);
      xz2 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3 * BYTES) & MASK, ORDER), xz2);
      xn1 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4 * BYTES) & MASK, ORDER), xn1);
      xn2 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 5 * BYTES) & MASK, ORDER), xn2);
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
    v = xr1.add(MANY_REGISTERS ? hr1 : FloatVector.fromArray(SPECIES, scratch, 0));
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
    v = xz1.add(MANY_REGISTERS ? hz1 : FloatVector.fromArray(SPECIES, scratch, 2 * LENGTH));
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
    v = reset.fma(MANY_REGISTERS ? hn1 : FloatVector.fromArray(SPECIES, scratch, 4 * LENGTH), xn1);
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
    v = xr2.add(MANY_REGISTERS ? hr2 : FloatVector.fromArray(SPECIES, scratch, LENGTH));
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
    v = xz2.add(MANY_REGISTERS ? hz2 : FloatVector.fromArray(SPECIES, scratch, 3 * LENGTH));
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
    v = reset.fma(MANY_REGISTERS ? hn2 : FloatVector.fromArray(SPECIES, scratch, 5 * LENGTH), xn2);
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

  /* Three vectors of units: both products in one kernel, and the cell; p from gate to gate. */
  static void ofThree(
      boolean inputsFirst,
      int p,
      Panels wih,
      float[] x,
      int xo,
      float[] gx,
      Panels whh,
      float[] h,
      int ho,
      float[] gh) {
    boolean idle = h.length == 0;
    int stride = idle ? 0 : wih.rows() * Float.BYTES;
    if (inputsFirst) {
      products(p, stride, wih, x, xo, gx, whh, h, ho, gh);
    } else {
      products(p, stride, whh, h, ho, gh, wih, x, xo, gx);
    }
    int gates = idle ? 0 : p;
    int last = 2 * LENGTH;
    cellOfTwo(gates, gx, gh, h, ho);
    VectorGru.units(gates, gx, last, gh, last, h, ho + last, h, ho + last);
  }

  /*
   * z = b + W x and y = c + V h, as many vectors of rows as three gates fill. In one kernel, as two
   * calls of one that both use take 3 to 8 per cent more of a step.
   */
  private static void products(
      int p,
      int stride,
      Panels w,
      float[] x,
      int xo,
      float[] z,
      Panels v,
      float[] h,
      int ho,
      float[] y) {
    long one = VectorGemv.one;
    int m = w.columns();
    int n = v.columns();
    switch ((3 * p + LENGTH - 1) / LENGTH) {
      case 9 -> productsOfNine(stride, w.slab, m, x, xo, w.bias, z, v.slab, n, h, ho, v.bias, y);
      case 8 -> productsOfEight(stride, w.slab, m, x, xo, w.bias, z, v.slab, n, h, ho, v.bias, y);
      default ->
          productsOfSeven(stride, one, w.slab, m, x, xo, w.bias, z, v.slab, n, h, ho, v.bias, y);
    }
  }

  /* Seven vectors of rows. */
  private static void productsOfSeven(
      int stride,
      long one,
      long w,
      int columns,
      float[] x,
      int xo,
      float[] b,
      float[] z,
      long v,
      int units,
      float[] h,
      int ho,
      float[] c,
      float[] y) {
    if (stride == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, 0);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(SPECIES, b, 6 * LENGTH);
    int step = (int) one;
    for (int k = 0, i = xo; k < columns; k++, i += step) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[i]);
      long p = (w + (long) k * stride) & MASK;
      a0 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER), a0);
      a1 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER), a1);
      a2 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER), a2);
      a3 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER), a3);
      long p4 = (p + 4L * BYTES) & MASK;
      a4 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4, ORDER), a4);
      a5 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + BYTES, ORDER), a5);
      a6 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 2L * BYTES, ORDER), a6);
    }
    a0.intoArray(z, 0);
    a1.intoArray(z, LENGTH);
    a2.intoArray(z, 2 * LENGTH);
    a3.intoArray(z, 3 * LENGTH);
    a4.intoArray(z, 4 * LENGTH);
    a5.intoArray(z, 5 * LENGTH);
    a6.intoArray(z, 6 * LENGTH);
    FloatVector u0 = FloatVector.fromArray(SPECIES, c, 0);
    FloatVector u1 = FloatVector.fromArray(SPECIES, c, LENGTH);
    FloatVector u2 = FloatVector.fromArray(SPECIES, c, 2 * LENGTH);
    FloatVector u3 = FloatVector.fromArray(SPECIES, c, 3 * LENGTH);
    FloatVector u4 = FloatVector.fromArray(SPECIES, c, 4 * LENGTH);
    FloatVector u5 = FloatVector.fromArray(SPECIES, c, 5 * LENGTH);
    FloatVector u6 = FloatVector.fromArray(SPECIES, c, 6 * LENGTH);
    for (int k = 0, i = ho; k < units; k++, i += step) {
      FloatVector hk = FloatVector.broadcast(SPECIES, h[i]);
      long p = (v + (long) k * stride) & MASK;
      u0 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER), u0);
      u1 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER), u1);
      u2 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER), u2);
      u3 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER), u3);
      long p4 = (p + 4L * BYTES) & MASK;
      u4 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4, ORDER), u4);
      u5 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + BYTES, ORDER), u5);
      u6 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 2L * BYTES, ORDER), u6);
    }
    u0.intoArray(y, 0);
    u1.intoArray(y, LENGTH);
    u2.intoArray(y, 2 * LENGTH);
    u3.intoArray(y, 3 * LENGTH);
    u4.intoArray(y, 4 * LENGTH);
    u5.intoArray(y, 5 * LENGTH);
    u6.intoArray(y, 6 * LENGTH);
  }

  /* Eight vectors of rows. */
  private static void productsOfEight(
      int stride,
      long w,
      int columns,
      float[] x,
      int xo,
      float[] b,
      float[] z,
      long v,
      int units,
      float[] h,
      int ho,
      float[] c,
      float[] y) {
    if (stride == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, 0);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(SPECIES, b, 6 * LENGTH);
    FloatVector a7 = FloatVector.fromArray(SPECIES, b, 7 * LENGTH);
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = (w + (long) k * stride) & MASK;
      a0 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER), a0);
      a1 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER), a1);
      a2 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER), a2);
      a3 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER), a3);
      long p4 = (p + 4L * BYTES) & MASK;
      a4 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4, ORDER), a4);
      a5 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + BYTES, ORDER), a5);
      a6 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 2L * BYTES, ORDER), a6);
      a7 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 3L * BYTES, ORDER), a7);
    }
    a0.intoArray(z, 0);
    a1.intoArray(z, LENGTH);
    a2.intoArray(z, 2 * LENGTH);
    a3.intoArray(z, 3 * LENGTH);
    a4.intoArray(z, 4 * LENGTH);
    a5.intoArray(z, 5 * LENGTH);
    a6.intoArray(z, 6 * LENGTH);
    a7.intoArray(z, 7 * LENGTH);
    FloatVector u0 = FloatVector.fromArray(SPECIES, c, 0);
    FloatVector u1 = FloatVector.fromArray(SPECIES, c, LENGTH);
    FloatVector u2 = FloatVector.fromArray(SPECIES, c, 2 * LENGTH);
    FloatVector u3 = FloatVector.fromArray(SPECIES, c, 3 * LENGTH);
    FloatVector u4 = FloatVector.fromArray(SPECIES, c, 4 * LENGTH);
    FloatVector u5 = FloatVector.fromArray(SPECIES, c, 5 * LENGTH);
    FloatVector u6 = FloatVector.fromArray(SPECIES, c, 6 * LENGTH);
    FloatVector u7 = FloatVector.fromArray(SPECIES, c, 7 * LENGTH);
    for (int k = 0; k < units; k++) {
      FloatVector hk = FloatVector.broadcast(SPECIES, h[ho + k]);
      long p = (v + (long) k * stride) & MASK;
      u0 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER), u0);
      u1 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER), u1);
      u2 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER), u2);
      u3 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER), u3);
      long p4 = (p + 4L * BYTES) & MASK;
      u4 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4, ORDER), u4);
      u5 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + BYTES, ORDER), u5);
      u6 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 2L * BYTES, ORDER), u6);
      u7 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 3L * BYTES, ORDER), u7);
    }
    u0.intoArray(y, 0);
    u1.intoArray(y, LENGTH);
    u2.intoArray(y, 2 * LENGTH);
    u3.intoArray(y, 3 * LENGTH);
    u4.intoArray(y, 4 * LENGTH);
    u5.intoArray(y, 5 * LENGTH);
    u6.intoArray(y, 6 * LENGTH);
    u7.intoArray(y, 7 * LENGTH);
  }

  /* Nine vectors of rows. */
  private static void productsOfNine(
      int stride,
      long w,
      int columns,
      float[] x,
      int xo,
      float[] b,
      float[] z,
      long v,
      int units,
      float[] h,
      int ho,
      float[] c,
      float[] y) {
    if (stride == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector a0 = FloatVector.fromArray(SPECIES, b, 0);
    FloatVector a1 = FloatVector.fromArray(SPECIES, b, LENGTH);
    FloatVector a2 = FloatVector.fromArray(SPECIES, b, 2 * LENGTH);
    FloatVector a3 = FloatVector.fromArray(SPECIES, b, 3 * LENGTH);
    FloatVector a4 = FloatVector.fromArray(SPECIES, b, 4 * LENGTH);
    FloatVector a5 = FloatVector.fromArray(SPECIES, b, 5 * LENGTH);
    FloatVector a6 = FloatVector.fromArray(SPECIES, b, 6 * LENGTH);
    FloatVector a7 = FloatVector.fromArray(SPECIES, b, 7 * LENGTH);
    FloatVector a8 = FloatVector.fromArray(SPECIES, b, 8 * LENGTH);
    for (int k = 0; k < columns; k++) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[xo + k]);
      long p = (w + (long) k * stride) & MASK;
      a0 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER), a0);
      a1 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER), a1);
      a2 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER), a2);
      a3 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER), a3);
      long p4 = (p + 4L * BYTES) & MASK;
      a4 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4, ORDER), a4);
      a5 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + BYTES, ORDER), a5);
      a6 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 2L * BYTES, ORDER), a6);
      a7 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 3L * BYTES, ORDER), a7);
      a8 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 4L * BYTES, ORDER), a8);
    }
    a0.intoArray(z, 0);
    a1.intoArray(z, LENGTH);
    a2.intoArray(z, 2 * LENGTH);
    a3.intoArray(z, 3 * LENGTH);
    a4.intoArray(z, 4 * LENGTH);
    a5.intoArray(z, 5 * LENGTH);
    a6.intoArray(z, 6 * LENGTH);
    a7.intoArray(z, 7 * LENGTH);
    a8.intoArray(z, 8 * LENGTH);
    FloatVector u0 = FloatVector.fromArray(SPECIES, c, 0);
    FloatVector u1 = FloatVector.fromArray(SPECIES, c, LENGTH);
    FloatVector u2 = FloatVector.fromArray(SPECIES, c, 2 * LENGTH);
    FloatVector u3 = FloatVector.fromArray(SPECIES, c, 3 * LENGTH);
    FloatVector u4 = FloatVector.fromArray(SPECIES, c, 4 * LENGTH);
    FloatVector u5 = FloatVector.fromArray(SPECIES, c, 5 * LENGTH);
    FloatVector u6 = FloatVector.fromArray(SPECIES, c, 6 * LENGTH);
    FloatVector u7 = FloatVector.fromArray(SPECIES, c, 7 * LENGTH);
    FloatVector u8 = FloatVector.fromArray(SPECIES, c, 8 * LENGTH);
    for (int k = 0; k < units; k++) {
      FloatVector hk = FloatVector.broadcast(SPECIES, h[ho + k]);
      long p = (v + (long) k * stride) & MASK;
      u0 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p, ORDER), u0);
      u1 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + BYTES, ORDER), u1);
      u2 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 2L * BYTES, ORDER), u2);
      u3 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p + 3L * BYTES, ORDER), u3);
      long p4 = (p + 4L * BYTES) & MASK;
      u4 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4, ORDER), u4);
      u5 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + BYTES, ORDER), u5);
      u6 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 2L * BYTES, ORDER), u6);
      u7 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 3L * BYTES, ORDER), u7);
      u8 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, p4 + 4L * BYTES, ORDER), u8);
    }
    u0.intoArray(y, 0);
    u1.intoArray(y, LENGTH);
    u2.intoArray(y, 2 * LENGTH);
    u3.intoArray(y, 3 * LENGTH);
    u4.intoArray(y, 4 * LENGTH);
    u5.intoArray(y, 5 * LENGTH);
    u6.intoArray(y, 6 * LENGTH);
    u7.intoArray(y, 7 * LENGTH);
    u8.intoArray(y, 8 * LENGTH);
  }

  /* The cell for the first two vectors of units; p from gate to gate. */
  private static void cellOfTwo(int p, float[] gx, float[] gh, float[] h, int ho) {
    if (p == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector v, a, t, k, r, q, e;
    IntVector s;
    /* r = sigmoid(x̂_r + ĥ_r) */
    v = FloatVector.fromArray(SPECIES, gx, 0).add(FloatVector.fromArray(SPECIES, gh, 0));
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
    FloatVector reset1 = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    reset1 = reset1.blend(ZERO, v.compare(LT, EXP_MIN));
    reset1 = reset1.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    v = FloatVector.fromArray(SPECIES, gx, LENGTH).add(FloatVector.fromArray(SPECIES, gh, LENGTH));
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
    FloatVector reset2 = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    reset2 = reset2.blend(ZERO, v.compare(LT, EXP_MIN));
    reset2 = reset2.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* z = sigmoid(x̂_z + ĥ_z) */
    v = FloatVector.fromArray(SPECIES, gx, p).add(FloatVector.fromArray(SPECIES, gh, p));
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
    FloatVector z1 = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    z1 = z1.blend(ZERO, v.compare(LT, EXP_MIN));
    z1 = z1.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    v =
        FloatVector.fromArray(SPECIES, gx, p + LENGTH)
            .add(FloatVector.fromArray(SPECIES, gh, p + LENGTH));
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
    FloatVector z2 = e.div(e.add(FloatVector.broadcast(SPECIES, ONE_SHIFTED)));
    z2 = z2.blend(ZERO, v.compare(LT, EXP_MIN));
    z2 = z2.blend(FloatVector.broadcast(SPECIES, 1f), v.compare(GT, SIGMOID_MAX));
    /* n = tanh(x̂_n + r # ĥ_n) */
    v =
        reset1.fma(
            FloatVector.fromArray(SPECIES, gh, 2 * p), FloatVector.fromArray(SPECIES, gx, 2 * p));
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
    FloatVector n1 = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    v =
        reset2.fma(
            FloatVector.fromArray(SPECIES, gh, 2 * p + LENGTH),
            FloatVector.fromArray(SPECIES, gx, 2 * p + LENGTH));
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
    FloatVector n2 = q.reinterpretAsInts().or(s).reinterpretAsFloats();
    /* h_t = n + z # (h_{t-1} - n) */
    FloatVector h1 = z1.fma(FloatVector.fromArray(SPECIES, h, ho).sub(n1), n1);
    h1.blend(ZERO, h1.abs().compare(LT, FLUSH)).intoArray(h, ho);
    FloatVector h2 = z2.fma(FloatVector.fromArray(SPECIES, h, ho + LENGTH).sub(n2), n2);
    h2.blend(ZERO, h2.abs().compare(LT, FLUSH)).intoArray(h, ho + LENGTH);
  }
}
