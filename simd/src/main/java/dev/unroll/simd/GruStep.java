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
 * Whole steps of GRUs whose units fit into few vectors, made like those of {@link LstmStep}: one or
 * two vectors at once, three in a kernel for both products and two for the cell.
 *
 * <p>Of one vector of units or two the inputs go first, so that they are multiplied during the last
 * step's activations. What a second loop carries from column to column, xo or ho, is a parameter
 * that comes on the stack: C2 keeps one that comes in a register in a vector register over the
 * first loop and then moves it there and back in every column of the second, 6 to 16 per cent of a
 * step.
 */
final class GruStep {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int BYTES = LENGTH * Float.BYTES;

  /* From gate to gate in a column, and in the bias. */
  private static final int ROWS = Kernels.LANES;
  private static final int GATE = ROWS * Float.BYTES;

  /* Padded, with narrow lanes. */
  private static final int COLUMN_OF_SEVEN = Kernels.pad(7 * LENGTH) * Float.BYTES;
  private static final int COLUMN_OF_NINE = Kernels.pad(9 * LENGTH) * Float.BYTES;

  private GruStep() {}

  /* One vector of units, gates r, z, n: x̂ = b_ih + W_ih x and ĥ = b_hh + W_hh h_{t-1}. */
  static void ofOne(
      long at,
      float[] bias,
      long recurrent,
      float[] recurrentBias,
      int inputs,
      int hidden,
      float[] x,
      int xo,
      float[] h,
      int ho,
      float[] out) {
    if (hidden == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector xr = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector xz = FloatVector.fromArray(SPECIES, bias, ROWS);
    FloatVector xn = FloatVector.fromArray(SPECIES, bias, 2 * ROWS);
    int step = Slab.step;
    long w = at & START;
    int end = (inputs & COLUMNS) * (3 * GATE);
    for (int p = 0, i = xo; p < end; p += 3 * GATE, i += step) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      xr = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), xr);
      xz = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + GATE) & MASK, ORDER), xz);
      xn =
          xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * GATE) & MASK, ORDER), xn);
    }
    FloatVector hr = FloatVector.fromArray(SPECIES, recurrentBias, 0);
    FloatVector hz = FloatVector.fromArray(SPECIES, recurrentBias, ROWS);
    FloatVector hn = FloatVector.fromArray(SPECIES, recurrentBias, 2 * ROWS);
    w = recurrent & START;
    end = (hidden & COLUMNS) * (3 * GATE);
    for (int p = 0, i = ho; p < end; p += 3 * GATE, i += step) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[i]);
      long o = w + p;
      hr = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), hr);
      hz = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + GATE) & MASK, ORDER), hz);
      hn =
          hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * GATE) & MASK, ORDER), hn);
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
    ht.intoArray(out, 0);
  }

  /* Two vectors of units. */
  static void ofTwo(
      int inputs,
      int hidden,
      long at,
      int xo,
      float[] x,
      float[] bias,
      long recurrent,
      float[] recurrentBias,
      float[] scratch,
      float[] h,
      int ho,
      float[] out) {
    if (hidden == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector xr1 = FloatVector.fromArray(SPECIES, bias, 0);
    FloatVector xr2 = FloatVector.fromArray(SPECIES, bias, LENGTH);
    FloatVector xz1 = FloatVector.fromArray(SPECIES, bias, 2 * LENGTH);
    FloatVector xz2 = FloatVector.fromArray(SPECIES, bias, 3 * LENGTH);
    FloatVector xn1 = FloatVector.fromArray(SPECIES, bias, 4 * LENGTH);
    FloatVector xn2 = FloatVector.fromArray(SPECIES, bias, 5 * LENGTH);
    int step = Slab.step;
    long w = at & START;
    int end = (inputs & COLUMNS) * (6 * BYTES);
    for (int p = 0, i = xo; p < end; p += 6 * BYTES, i += step) {
      FloatVector xj = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      xr1 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), xr1);
      xr2 = xj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), xr2);
      xz1 =
          xj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), xz1);
      xz2 =
          xj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), xz2);
      xn1 =
          xj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4L * BYTES) & MASK, ORDER), xn1);
      xn2 =
          xj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 5L * BYTES) & MASK, ORDER), xn2);
    }
    /* A variable that is read later stays in a register through a loop that does not use it. */
    if (!MANY_REGISTERS) {
      xr1.intoArray(scratch, 0);
      xr2.intoArray(scratch, LENGTH);
      xz1.intoArray(scratch, 2 * LENGTH);
      xz2.intoArray(scratch, 3 * LENGTH);
      xn1.intoArray(scratch, 4 * LENGTH);
      xn2.intoArray(scratch, 5 * LENGTH);
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
    w = recurrent & START;
    end = (hidden & COLUMNS) * (6 * BYTES);
    for (int p = 0, i = ho; p < end; p += 6 * BYTES, i += step) {
      FloatVector hj = FloatVector.broadcast(SPECIES, h[i]);
      long o = w + p;
      hr1 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), hr1);
      hr2 = hj.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), hr2);
      hz1 =
          hj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 2L * BYTES) & MASK, ORDER), hz1);
      hz2 =
          hj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 3L * BYTES) & MASK, ORDER), hz2);
      hn1 =
          hj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 4L * BYTES) & MASK, ORDER), hn1);
      hn2 =
          hj.fma(
              FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + 5L * BYTES) & MASK, ORDER), hn2);
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
    v = hr1.add(MANY_REGISTERS ? xr1 : FloatVector.fromArray(SPECIES, scratch, 0));
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
    v = hz1.add(MANY_REGISTERS ? xz1 : FloatVector.fromArray(SPECIES, scratch, 2 * LENGTH));
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
    v = reset.fma(hn1, MANY_REGISTERS ? xn1 : FloatVector.fromArray(SPECIES, scratch, 4 * LENGTH));
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
    ht.intoArray(out, 0);
    /* The second vector. */
    v = hr2.add(MANY_REGISTERS ? xr2 : FloatVector.fromArray(SPECIES, scratch, LENGTH));
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
    v = hz2.add(MANY_REGISTERS ? xz2 : FloatVector.fromArray(SPECIES, scratch, 3 * LENGTH));
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
    v = reset.fma(hn2, MANY_REGISTERS ? xn2 : FloatVector.fromArray(SPECIES, scratch, 5 * LENGTH));
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
    ht.intoArray(out, LENGTH);
  }

  /* Three vectors of units: both products in one kernel, and the cell; p from gate to gate. */
  static void ofThree(
      boolean unitsFirst,
      int units,
      int p,
      Panels wih,
      float[] x,
      int xo,
      float[] gx,
      Panels whh,
      float[] h,
      int ho,
      float[] gh,
      float[] out) {
    boolean idle = units == 0;
    if (unitsFirst) {
      products(idle, p, whh, h, ho, gh, wih, x, xo, gx);
    } else {
      products(idle, p, wih, x, xo, gx, whh, h, ho, gh);
    }
    int gates = idle ? 0 : p;
    cellOfTwo(gates, gx, gh, h, ho, out);
    cellOfThird(gates, gx, gh, h, ho + 2 * LENGTH, out);
  }

  /*
   * z = b + W x and y = c + V h, as many vectors of rows as three gates fill. In one kernel, as two
   * calls of one that both use take 3 to 8 per cent more of a step. Offsets are masked for good
   * after every two vectors, as in SlabGemv: in a network of several layers the weights come from
   * the second-level cache.
   */
  private static void products(
      boolean idle,
      int p,
      Panels w,
      float[] x,
      int xo,
      float[] z,
      Panels v,
      float[] h,
      int ho,
      float[] y) {
    int m = w.columns();
    int n = idle ? 0 : v.columns();
    switch ((3 * p + LENGTH - 1) / LENGTH) {
      case 9 -> productsOfNine(w.slab, m, x, xo, w.bias, z, v.slab, n, h, ho, v.bias, y);
      case 8 -> productsOfEight(w.slab, m, x, xo, w.bias, z, v.slab, n, h, ho, v.bias, y);
      default -> productsOfSeven(w.slab, m, x, xo, w.bias, z, v.slab, n, h, ho, v.bias, y);
    }
  }

  /* Seven vectors of rows. */
  private static void productsOfSeven(
      long at,
      int columns,
      float[] x,
      int xo,
      float[] b,
      float[] z,
      long recurrent,
      int units,
      float[] h,
      int ho,
      float[] c,
      float[] y) {
    if (units == 0) {
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
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * COLUMN_OF_SEVEN;
    for (int p = 0, i = xo; p < end; p += COLUMN_OF_SEVEN, i += step) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      o = (o + 2L * BYTES) & START;
      a2 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a2);
      a3 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a3);
      o = (o + 2L * BYTES) & START;
      a4 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
      a5 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a5);
      o = (o + 2L * BYTES) & START;
      a6 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a6);
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
    w = recurrent & START;
    end = (units & COLUMNS) * COLUMN_OF_SEVEN;
    for (int p = 0, i = ho; p < end; p += COLUMN_OF_SEVEN, i += step) {
      FloatVector hk = FloatVector.broadcast(SPECIES, h[i]);
      long o = w + p;
      u0 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u0);
      u1 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u1);
      o = (o + 2L * BYTES) & START;
      u2 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u2);
      u3 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u3);
      o = (o + 2L * BYTES) & START;
      u4 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u4);
      u5 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u5);
      o = (o + 2L * BYTES) & START;
      u6 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u6);
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
      long at,
      int columns,
      float[] x,
      int xo,
      float[] b,
      float[] z,
      long recurrent,
      int units,
      float[] h,
      int ho,
      float[] c,
      float[] y) {
    if (units == 0) {
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
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * (8 * BYTES);
    for (int p = 0, i = xo; p < end; p += 8 * BYTES, i += step) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      o = (o + 2L * BYTES) & START;
      a2 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a2);
      a3 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a3);
      o = (o + 2L * BYTES) & START;
      a4 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
      a5 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a5);
      o = (o + 2L * BYTES) & START;
      a6 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a6);
      a7 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a7);
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
    w = recurrent & START;
    end = (units & COLUMNS) * (8 * BYTES);
    for (int p = 0, i = ho; p < end; p += 8 * BYTES, i += step) {
      FloatVector hk = FloatVector.broadcast(SPECIES, h[i]);
      long o = w + p;
      u0 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u0);
      u1 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u1);
      o = (o + 2L * BYTES) & START;
      u2 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u2);
      u3 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u3);
      o = (o + 2L * BYTES) & START;
      u4 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u4);
      u5 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u5);
      o = (o + 2L * BYTES) & START;
      u6 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u6);
      u7 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u7);
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
      long at,
      int columns,
      float[] x,
      int xo,
      float[] b,
      float[] z,
      long recurrent,
      int units,
      float[] h,
      int ho,
      float[] c,
      float[] y) {
    if (units == 0) {
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
    int step = Slab.step;
    long w = at & START;
    int end = (columns & COLUMNS) * COLUMN_OF_NINE;
    for (int p = 0, i = xo; p < end; p += COLUMN_OF_NINE, i += step) {
      FloatVector xk = FloatVector.broadcast(SPECIES, x[i]);
      long o = w + p;
      a0 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a0);
      a1 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a1);
      o = (o + 2L * BYTES) & START;
      a2 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a2);
      a3 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a3);
      o = (o + 2L * BYTES) & START;
      a4 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a4);
      a5 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a5);
      o = (o + 2L * BYTES) & START;
      a6 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a6);
      a7 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), a7);
      o = (o + 2L * BYTES) & START;
      a8 = xk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), a8);
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
    w = recurrent & START;
    end = (units & COLUMNS) * COLUMN_OF_NINE;
    for (int p = 0, i = ho; p < end; p += COLUMN_OF_NINE, i += step) {
      FloatVector hk = FloatVector.broadcast(SPECIES, h[i]);
      long o = w + p;
      u0 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u0);
      u1 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u1);
      o = (o + 2L * BYTES) & START;
      u2 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u2);
      u3 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u3);
      o = (o + 2L * BYTES) & START;
      u4 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u4);
      u5 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u5);
      o = (o + 2L * BYTES) & START;
      u6 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u6);
      u7 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, (o + BYTES) & MASK, ORDER), u7);
      o = (o + 2L * BYTES) & START;
      u8 = hk.fma(FloatVector.fromMemorySegment(SPECIES, MEMORY, o & MASK, ORDER), u8);
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
  private static void cellOfTwo(int p, float[] gx, float[] gh, float[] h, int ho, float[] out) {
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
    h1 = h1.blend(ZERO, h1.abs().compare(LT, FLUSH));
    h1.intoArray(h, ho);
    h1.intoArray(out, 0);
    FloatVector h2 = z2.fma(FloatVector.fromArray(SPECIES, h, ho + LENGTH).sub(n2), n2);
    h2 = h2.blend(ZERO, h2.abs().compare(LT, FLUSH));
    h2.intoArray(h, ho + LENGTH);
    h2.intoArray(out, LENGTH);
  }

  /* The cell of the third vector of units; its gates are not kept. */
  private static void cellOfThird(int p, float[] gx, float[] gh, float[] h, int ho, float[] out) {
    if (p == 0) {
      for (int turn = 0; turn < IDLE_TURNS; turn++) {}
      return;
    }
    FloatVector v, a, t, k, r, q, e;
    IntVector s;
    /* r = sigmoid(x̂_r + ĥ_r) */
    v =
        FloatVector.fromArray(SPECIES, gx, 2 * LENGTH)
            .add(FloatVector.fromArray(SPECIES, gh, 2 * LENGTH));
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
    v =
        FloatVector.fromArray(SPECIES, gx, p + 2 * LENGTH)
            .add(FloatVector.fromArray(SPECIES, gh, p + 2 * LENGTH));
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
    v =
        reset.fma(
            FloatVector.fromArray(SPECIES, gh, 2 * p + 2 * LENGTH),
            FloatVector.fromArray(SPECIES, gx, 2 * p + 2 * LENGTH));
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
    ht.intoArray(out, 2 * LENGTH);
  }
}
