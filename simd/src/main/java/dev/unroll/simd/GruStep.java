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

/**
 * Whole steps of GRUs whose units fit into few vectors, made like those of {@link LstmStep}: one or
 * two vectors at once, three in a kernel for both products and two for the cell.
 */
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
      float[] gx,
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
    int step = (int) one;
    long w = at & MASK;
    for (int j = 0, i = xo; j < inputs; j++, i += step) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[i]);
      xr1 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER), xr1);
      xr2 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w + BYTES, ORDER), xr2);
      long w2 = (w + 2L * BYTES) & MASK;
      xz1 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w2, ORDER), xz1);
      xz2 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w2 + BYTES, ORDER), xz2);
      long w4 = (w + 4L * BYTES) & MASK;
      xn1 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w4, ORDER), xn1);
      xn2 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w4 + BYTES, ORDER), xn2);
      w = (w + 6L * BYTES) & MASK;
    }
    /* A variable that is read later stays in a register through a loop that does not use it. */
    if (!MANY_REGISTERS) {
      xr1.intoArray(gx, 0);
      xr2.intoArray(gx, LENGTH);
      xz1.intoArray(gx, 2 * LENGTH);
      xz2.intoArray(gx, 3 * LENGTH);
      xn1.intoArray(gx, 4 * LENGTH);
      xn2.intoArray(gx, 5 * LENGTH);
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
    for (int j = 0, i = ho; j < hidden; j++, i += step) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[i]);
      hr1 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w, ORDER), hr1);
      hr2 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w + BYTES, ORDER), hr2);
      long w2 = (w + 2L * BYTES) & MASK;
      hz1 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w2, ORDER), hz1);
      hz2 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w2 + BYTES, ORDER), hz2);
      long w4 = (w + 4L * BYTES) & MASK;
      hn1 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w4, ORDER), hn1);
      hn2 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, w4 + BYTES, ORDER), hn2);
      w = (w + 6L * BYTES) & MASK;
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
    v = (MANY_REGISTERS ? xr1 : FloatVector.fromArray(SPECIES, gx, 0)).add(hr1);
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
    v = (MANY_REGISTERS ? xz1 : FloatVector.fromArray(SPECIES, gx, 2 * LENGTH)).add(hz1);
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
    v = reset.fma(hn1, MANY_REGISTERS ? xn1 : FloatVector.fromArray(SPECIES, gx, 4 * LENGTH));
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
    v = (MANY_REGISTERS ? xr2 : FloatVector.fromArray(SPECIES, gx, LENGTH)).add(hr2);
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
    v = (MANY_REGISTERS ? xz2 : FloatVector.fromArray(SPECIES, gx, 3 * LENGTH)).add(hz2);
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
    v = reset.fma(hn2, MANY_REGISTERS ? xn2 : FloatVector.fromArray(SPECIES, gx, 5 * LENGTH));
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
