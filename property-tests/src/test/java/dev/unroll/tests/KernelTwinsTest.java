package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.engine.Rng;
import dev.unroll.fallback.AffineKernels;
import dev.unroll.fallback.ElementKernels;
import dev.unroll.fallback.GruKernels;
import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.LossKernels;
import dev.unroll.fallback.LstmKernels;
import dev.unroll.fallback.OptimizerKernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.RnnKernels;
import dev.unroll.fallback.ScalarKernels;
import dev.unroll.fallback.StepAtOnce;
import dev.unroll.fallback.WeightFormat;
import dev.unroll.simd.WidthLoader;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every kernel method gives the same bits on the scalar twin and on the vector twin at every width.
 */
class KernelTwinsTest {
  private static final int[] SIZES = {
    16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 256
  };

  /* Units, three vectors of them and up to two at one width or another: more than share the memory. */
  private static final int[][] STEP_UNITS = {
    {9, 10, 11, 18, 20, 23, 34, 40, 46}, {3, 4, 7, 8, 15, 16, 25, 31, 32}, {50, 64, 113}
  };

  private final Set<String> exercised = new TreeSet<>();

  /** Everything that one implementation computes from seeded inputs, in order. */
  private final class Run {
    private final Kernels k;
    private final List<float[]> results = new ArrayList<>();
    private int stepsAtOnce;

    Run(Kernels kernels) {
      k = kernels;
    }

    private void keep(String method, float[]... arrays) {
      exercised.add(method);
      for (float[] a : arrays) {
        results.add(a.clone());
      }
    }

    private void keep(String method, double value) {
      exercised.add(method);
      long bits = Double.doubleToRawLongBits(value);
      int part = (1 << 22) - 1;
      results.add(new float[] {bits >>> 44, (bits >>> 22) & part, bits & part});
    }

    List<float[]> all() {
      for (WeightFormat format : WeightFormat.values()) {
        large(1056, 261, k.with(format).affine(), PackedMatrix.Use.STEP);
      }
      large(1056, 261, k.affine(), PackedMatrix.Use.BATCH);
      /* Large enough for inputs to be copied, and a vector that fills no panel; more columns than fit. */
      large(272, 500, k.affine(), PackedMatrix.Use.BATCH);
      large(272, 1100, k.affine(), PackedMatrix.Use.BATCH);
      large(160, 1500, k.affine(), PackedMatrix.Use.BATCH);
      /* Weights that stand outside the memory that those of streams share. */
      large(2080, 261, k.affine(), PackedMatrix.Use.STEP);
      /* More columns than one loop over the weights of a stream takes. */
      large(64, 1024, k.affine(), PackedMatrix.Use.STEP);
      large(16, 511, k.affine(), PackedMatrix.Use.STEP);
      large(112, 512, k.affine(), PackedMatrix.Use.STEP);
      largeOuter(528, 144, k.affine());
      largeOuter(528, 272, k.affine());
      largeOuter(560, 240, k.affine());
      for (int size : SIZES) {
        for (WeightFormat format : WeightFormat.values()) {
          affine(size, k.with(format).affine(), format == WeightFormat.F32);
        }
        affine(size, k.affine().withLargest(1024, 512), true);
        keep("withLargest");
        elements(size);
        cells(size);
        lossAndOptimizers(size);
      }
      for (int units : new int[] {17, 20, 40, 61}) {
        denseGates(units);
      }
      return results;
    }

    List<float[]> steps(int[] sizes) {
      for (int units : sizes) {
        for (int inputs : new int[] {1, 8, 17, 30, 70, 150}) {
          steps(units, inputs);
        }
      }
      return results;
    }

    private void affine(int rows, AffineKernels a, boolean training) {
      for (PackedMatrix.Use use : PackedMatrix.Use.values()) {
        for (int columns : new int[] {1, 7, 16, 33, 60, 100, 130}) {
          PackedMatrix m = a.allocate(rows, columns, use);
          int used = rows - 3;
          a.pack(m, 0, 0, used, columns, random(used * columns, 1), 0, columns);
          a.packBias(m, 0, used, random(used, 2), 0);
          assertEquals(m.bytes(), a.bytes(rows, columns, use), "bytes");
          keep("bytes");
          keep("allocate");
          keep("pack");
          keep("packBias");
          product(a, m, "affine");
          if (!training) {
            continue;
          }
          for (int again = 0; again < 4; again++) {
            float[] w = random(used * columns, 7 + again);
            int left = columns / 2;
            if (left > 0) {
              a.pack(m, 0, 0, used, left, w, 0, columns);
            }
            a.pack(m, 0, left, used, columns - left, w, left, columns);
          }
          product(a, m, "affine");
          PackedMatrix t = a.allocate(rows, columns, use);
          a.packTransposed(t, 0, 0, used, columns, random(used * columns, 3), 0, used);
          keep("packTransposed");
          product(a, t, "affine");
        }
      }
      for (int n : training ? new int[] {1, 4, 7, 300} : new int[0]) {
        float[] dw = random(rows * 48, 4);
        a.outerAccumulate(
            n, random(n * rows, 5), 0, rows, rows, random(n * 48, 6), 0, 48, 48, dw, 0, 48);
        keep("outerAccumulate", dw);
        float[] few = random(rows * 48, 4);
        a.outerAccumulate(
            n, random(n * rows, 5), 0, rows, rows, random(n * 48, 6), 0, 48, 35, few, 0, 48);
        for (int r = 0; r < rows; r++) {
          keep("outerAccumulate", Arrays.copyOfRange(few, r * 48, r * 48 + 35));
        }
      }
    }

    /* More than fits into the memory that smaller weights share, or into a cache. */
    private void large(int rows, int columns, AffineKernels a, PackedMatrix.Use use) {
      PackedMatrix m = a.allocate(rows, columns, use);
      a.pack(m, 0, 0, rows, columns, random(rows * columns, 1), 0, columns);
      product(a, m, "affine");
    }

    /* More than one block in each direction, and higher blocks of fewer terms. */
    private void largeOuter(int height, int width, AffineKernels a) {
      for (int n : new int[] {100, 261}) {
        float[] dw = random(height * width, 4);
        a.outerAccumulate(
            n,
            random(n * height, 5),
            0,
            height,
            height,
            random(n * width, 6),
            0,
            width,
            width,
            dw,
            0,
            width);
        keep("outerAccumulate", dw);
      }
    }

    private void product(AffineKernels a, PackedMatrix m, String name) {
      float[] z = new float[m.rows() + 5];
      a.affine(m, random(m.columns() + 2, 7), 2, z, 5);
      keep(name, z);
      /* The second time panels may come in another order. */
      a.affine(m, random(m.columns() + 2, 7), 2, z, 5);
      keep(name, z);
      int padded = Kernels.pad(m.columns());
      for (int n : new int[] {1, 2, 3, 4, 6, 7, 8, 9, 13, 28, 70}) {
        batch(a, m, n, padded);
      }
      /* Inputs of one set of the first-level cache. */
      if (m.columns() >= 130) {
        int stride = Math.max(1024, padded);
        batch(a, m, 13, stride);
        batch(a, m, 150, stride);
      }
    }

    private void batch(AffineKernels a, PackedMatrix m, int n, int xs) {
      float[] x = random(n * xs, 8);
      float[] zs = random(n * m.rows(), 9);
      a.affineBatchAccumulate(m, n, x, 0, xs, zs, 0, m.rows());
      keep("affineBatchAccumulate", zs);
      a.affineBatch(m, n, x, 0, xs, zs, 0, m.rows());
      keep("affineBatch", zs);
    }

    private void elements(int n) {
      ElementKernels e = k.elements();
      float[] x = wild(n, 10);
      float[] y = new float[n];
      e.sigmoid(n, x, 0, y, 0);
      keep("sigmoid", y);
      e.tanh(n, x, 0, y, 0);
      keep("tanh", y);
      e.exp(n, x, 0, y, 0);
      keep("exp", y);
      e.copy(n - 3, x, 2, y, 1);
      keep("copy", y);
      float[] a = random(n, 11);
      float[] b = random(n, 12);
      e.axpy(n, 0.3f, a, 0, b, 0);
      keep("axpy", b);
      e.add(n, a, 0, b, 0, y, 0);
      keep("add", y);
      e.multiply(n, a, 0, b, 0, y, 0);
      keep("multiply", y);
      e.multiplyAccumulate(n, a, 0, b, 0, y, 0);
      keep("multiplyAccumulate", y);
      e.scaleInPlace(n, 0.7f, y, 0);
      keep("scaleInPlace", y);
      e.sumRowsAccumulate(9, n, random(9 * n, 13), 0, n, y, 0);
      keep("sumRowsAccumulate", y);
      keep("sumOfSquares", e.sumOfSquares(n * 100, random(n * 100, 14), 0));
    }

    private void cells(int p) {
      rows(p, p);
      rows(p, p - 7);
      pointwise(p);
    }

    /* Several rows, padded or not. */
    private void rows(int p, int units) {
      int n = 3;
      float[] z = wild(n * 4 * p, 20);
      float[] c = tiny(n * p, 21);
      float[] next = new float[n * p];
      float[] tc = new float[n * p];
      float[] h = new float[n * p];
      k.lstm().forward(n, units, p, z, 0, c, 0, next, 0, tc, 0, h, 0);
      keepUnits("lstm.forward", p, units, z, next, tc, h);
      float[] dc = tiny(n * p, 22);
      k.lstm().backward(n, units, p, z, 0, c, 0, tc, 0, random(n * p, 23), 0, dc, 0);
      keepUnits("lstm.backward", p, units, z, dc);

      float[] gx = wild(n * 3 * p, 24);
      float[] gh = random(n * 3 * p, 25);
      float[] hp = tiny(n * p, 26);
      k.gru().forward(n, units, p, gx, 0, gh, 0, hp, 0, h, 0);
      keepUnits("gru.forward", p, units, gx, h);
      float[] dh = tiny(n * p, 27);
      k.gru().backward(n, units, p, gx, 0, gh, 0, hp, 0, dh, 0);
      keepUnits("gru.backward", p, units, gx, gh, dh);
    }

    private void keepUnits(String method, int p, int units, float[]... padded) {
      for (float[] a : padded) {
        for (int from = units; from < a.length; from += p) {
          Arrays.fill(a, from, from + p - units, 0f);
        }
        keep(method, a);
      }
    }

    private void pointwise(int p) {
      float[] zr = tiny(p, 28);
      float[] hr = new float[p];
      k.rnn().forwardTanh(p, zr, 0, hr, 0);
      keep("forwardTanh", hr);
      k.rnn().backwardTanh(p, hr, 0, tiny(p, 29), 0, zr, 0);
      keep("backwardTanh", zr);
      k.rnn().forwardRelu(p, wild(p, 30), 0, hr, 0);
      keep("forwardRelu", hr);
      k.rnn().backwardRelu(p, hr, 0, tiny(p, 31), 0, zr, 0);
      keep("backwardRelu", zr);
    }

    /*
     * Small cells may take a step at once, which others take in two kernels; what they leave in the
     * padding differs where there are infinities.
     */
    private void steps(int units, int inputs) {
      float[] x = wild(inputs + 2, 32);
      float[] c = Arrays.copyOf(tiny(units, 33), Kernels.pad(units));
      float[] ofLstm = state(units, 34);
      float[] ofGru = state(units, 38);
      float[] ofRnn = state(units, 39);
      float[] ofRelu = state(units, 46);
      int n = units + 3;
      int columns = inputs + units;
      int dense = k.lstm().stepStride(units, columns);
      PackedMatrix wLstm = matrix(4, units, dense, columns);
      /* As in sequences. */
      int p = Kernels.pad(units);
      PackedMatrix padded = matrix(4, units, p, columns);
      float[] cPadded = c.clone();
      float[] hPadded = ofLstm.clone();
      int stride = k.gru().stepStride(units, columns);
      PackedMatrix wih = matrix(3, units, stride, inputs);
      PackedMatrix whh = matrix(3, units, stride, units);
      PackedMatrix wRnn = matrix(1, units, Kernels.pad(units), columns);
      for (int t = 0; t < 3; t++) {
        float[] xt = t == 1 ? x : random(inputs + 2, 35 + t);
        lstmStep(dense, wLstm, units, xt, c, ofLstm);
        lstmStep(p, padded, units, xt, cPadded, hPadded);
        keep("lstm.step", Arrays.copyOf(c, units), Arrays.copyOf(ofLstm, n));
        keep("lstm.step", Arrays.copyOf(cPadded, units), Arrays.copyOf(hPadded, n));
        gruStep(t != 1, wih, whh, units, xt, ofGru);
        keep("gru.step", Arrays.copyOf(ofGru, n));
        rnnStep(false, wRnn, units, xt, ofRnn);
        rnnStep(true, wRnn, units, xt, ofRelu);
        keep("rnn.step", Arrays.copyOf(ofRnn, n), Arrays.copyOf(ofRelu, n));
      }
    }

    /* From index 3 on. */
    private float[] state(int units, long seed) {
      return Arrays.copyOf(tiny(units + 3, seed), Kernels.pad(units) + 3);
    }

    private PackedMatrix matrix(int gates, int units, int stride, int columns) {
      int rows = Kernels.pad(gates * stride);
      PackedMatrix m = k.affine().allocate(rows, columns, PackedMatrix.Use.STEP);
      for (int g = 0; g < gates; g++) {
        float[] w = random(units * columns, 50 + g);
        k.affine().pack(m, g * stride, 0, units, columns, w, 0, columns);
        k.affine().packBias(m, g * stride, units, random(units, 60 + g), 0);
      }
      return m;
    }

    private float[] joined(int units, float[] x, float[] h) {
      float[] xh = Arrays.copyOfRange(x, 2, x.length + units);
      System.arraycopy(h, 3, xh, x.length - 2, units);
      return xh;
    }

    /* h with room for x before it. */
    private float[] withRoom(float[] x, float[] h) {
      int room = x.length - 2;
      float[] xh = new float[room + h.length];
      System.arraycopy(h, 0, xh, room, h.length);
      return xh;
    }

    /* x from index 2 on, h from index 3. */
    private boolean isDoneAtOnce(Optional<StepAtOnce> step, float[] x, float[] h, int units) {
      return isDoneAtOnce(step, x, h, 3, units);
    }

    private boolean isDoneAtOnce(
        Optional<StepAtOnce> step, float[] x, float[] h, int ho, int units) {
      float[] y = new float[units];
      step.ifPresent(s -> s.step(x, 2, y));
      if (step.isPresent()) {
        assertArrayEquals(Arrays.copyOfRange(h, ho, ho + units), y, units + " units: h_t, y");
      }
      stepsAtOnce += step.isPresent() ? 1 : 0;
      return step.isPresent();
    }

    /* Which leaves the state alone. */
    private void idle(Optional<StepAtOnce> step, float[] state) {
      float[] before = state.clone();
      step.ifPresent(StepAtOnce::idle);
      assertArrayEquals(before, state);
      stepsAtOnce += step.isPresent() ? 1 : 0;
    }

    private void lstmStep(int stride, PackedMatrix w, int units, float[] x, float[] c, float[] h) {
      float[] xh = withRoom(x, h);
      int ho = x.length + 1;
      float[] z = new float[4 * Kernels.pad(units)];
      float[] tanhC = new float[c.length];
      Optional<StepAtOnce> step = k.lstm().atOnce(stride, w, units, z, c, 0, tanhC, xh, ho);
      if (isDoneAtOnce(step, x, xh, ho, units)) {
        System.arraycopy(xh, ho, h, 3, h.length - 3);
        return;
      }
      k.affine().affine(w, joined(units, x, h), 0, z, 0);
      k.lstm().forward(1, units, stride, z, 0, c, 0, c, 0, tanhC, 0, h, 3);
    }

    private void gruStep(
        boolean inputsFirst, PackedMatrix wih, PackedMatrix whh, int units, float[] x, float[] h) {
      int stride = k.gru().stepStride(units, wih.columns() + units);
      float[] gx = new float[3 * Kernels.pad(units)];
      float[] gh = new float[gx.length];
      Optional<StepAtOnce> step = k.gru().atOnce(!inputsFirst, stride, wih, gx, whh, h, 3, gh);
      if (!inputsFirst && step.isPresent()) {
        /* The second step begins with the other matrix. */
        float[] first = h.clone();
        step.get().step(x, 2, new float[0]);
        System.arraycopy(first, 0, h, 0, h.length);
      }
      if (isDoneAtOnce(step, x, h, units)) {
        return;
      }
      k.affine().affine(wih, x, 2, gx, 0);
      k.affine().affine(whh, h, 3, gh, 0);
      k.gru().forward(1, units, stride, gx, 0, gh, 0, h, 3, h, 3);
    }

    private void rnnStep(boolean relu, PackedMatrix w, int units, float[] x, float[] h) {
      float[] xh = withRoom(x, h);
      int ho = x.length + 1;
      float[] z = new float[w.rows()];
      if (isDoneAtOnce(k.rnn().atOnce(relu, w, units, z, xh, ho), x, xh, ho, units)) {
        System.arraycopy(xh, ho, h, 3, h.length - 3);
        return;
      }
      k.affine().affine(w, joined(units, x, h), 0, z, 0);
      if (relu) {
        k.rnn().forwardRelu(w.rows(), z, 0, h, 3);
      } else {
        k.rnn().forwardTanh(w.rows(), z, 0, h, 3);
      }
    }

    /* Gates without their padding. */
    private void denseGates(int units) {
      int p = Kernels.pad(units);
      for (int columns : new int[] {units + 1, units + 200}) {
        int ofLstm = k.lstm().stepStride(units, columns);
        int ofGru = k.gru().stepStride(units, columns);
        assertTrue(ofLstm >= units && ofLstm <= p, "stride " + ofLstm + " for " + units);
        assertTrue(ofGru >= units && ofGru <= p, "stride " + ofGru + " for " + units);
      }
      keep("lstm.stepStride");
      keep("gru.stepStride");
      float[] z = wild(3 * units + p, 41);
      float[] c = tiny(p, 42);
      float[] h = tiny(p, 43);
      k.lstm().forward(1, units, units, z, 0, c, 0, c, 0, new float[p], 0, h, 0);
      keep("lstm.forward", Arrays.copyOf(c, units), Arrays.copyOf(h, units));
      float[] gx = wild(2 * units + p, 44);
      k.gru().forward(1, units, units, gx, 0, random(2 * units + p, 45), 0, h, 0, h, 0);
      keep("gru.forward", Arrays.copyOf(h, units));
    }

    /* Without results to write to, every kernel of a step returns at once. */
    private void idle() {
      float[] none = {};
      for (WeightFormat format : WeightFormat.values()) {
        AffineKernels a = k.with(format).affine();
        for (int rows : new int[] {16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 4112}) {
          for (int columns : new int[] {1, 33, 130}) {
            PackedMatrix m = a.allocate(rows, columns, PackedMatrix.Use.STEP);
            a.affine(m, none, 0, none, 0);
            a.affineBatch(m, 1, none, 0, 0, none, 0, 0);
            a.affineBatchAccumulate(m, 1, none, 0, 0, none, 0, 0);
          }
        }
      }
      for (int units : new int[] {3, 8, 15, 25, 31, 34, 40, 46, 64}) {
        int columns = units + 1;
        float[] h = state(units, 70);
        float[] c = state(units, 71);
        int stride = k.lstm().stepStride(units, columns);
        PackedMatrix w = matrix(4, units, stride, columns);
        float[] z = new float[4 * Kernels.pad(units)];
        idle(k.lstm().atOnce(stride, w, units, z, c, 0, c, h, 3), h);
        stride = k.gru().stepStride(units, columns);
        PackedMatrix wih = matrix(3, units, stride, 1);
        PackedMatrix whh = matrix(3, units, stride, units);
        idle(k.gru().atOnce(false, stride, wih, z, whh, h, 3, z), h);
        w = matrix(1, units, Kernels.pad(units), columns);
        idle(k.rnn().atOnce(false, w, units, z, h, 3), h);
      }
      k.lstm().forward(1, 48, 0, none, 0, none, 0, none, 0, none, 0, none, 0);
      k.gru().forward(1, 48, 0, none, 0, none, 0, none, 0, none, 0);
      k.rnn().forwardTanh(0, none, 0, none, 0);
      k.rnn().forwardRelu(0, none, 0, none, 0);
      k.elements().add(0, none, 0, none, 0, none, 0);
      k.elements().copy(0, none, 0, none, 0);
    }

    private void lossAndOptimizers(int n) {
      int classes = n - 5;
      float[] y = random(70 * (n + 3), 40);
      int[] target = new int[70];
      Arrays.setAll(target, i -> i % 3 == 2 ? -1 : i * classes / 70);
      for (int stride : new int[] {n, n + 3}) {
        keep(
            "softmaxCrossEntropy",
            k.loss().softmaxCrossEntropy(70, classes, y, 0, stride, target, 0, 0.25f));
        keep("softmaxCrossEntropy", y);
      }
      keep("squaredError", k.loss().squaredError(4 * n, y, 0, random(4 * n, 41), 0, 0.1f));
      keep("squaredError", y);

      float[] w = random(n, 42);
      float[] g = random(n, 43);
      float[] v = random(n, 44);
      float[] s = squares(n, 45);
      OptimizerKernels o = k.optimizer();
      o.sgd(0, n, w, g, 0.1f, 0.01f);
      keep("sgd", w);
      o.momentum(0, n, w, g, v, 0.1f, 0.9f, false, 0.01f);
      o.momentum(0, n, w, g, v, 0.1f, 0.9f, true, 0f);
      keep("momentum", w, v);
      OptimizerKernels.AdamStep step = new OptimizerKernels.AdamStep();
      step.beta1 = 0.9f;
      step.beta2 = 0.999f;
      step.eps = 1e-8f;
      step.keep = 0.99f;
      step.decay = 0.01f;
      step.stepSize = 0.01f;
      step.rootCorrection2 = 0.3f;
      o.adam(0, n, w, g, v, s, step);
      keep("adam", w, v, s);
      o.rmsProp(0, n, w, g, s, 0.01f, 0.99f, 1e-8f, 0.01f);
      keep("rmsProp", w, s);
    }

    private void keep(String method) {
      exercised.add(method);
    }
  }

  private static float[] random(int n, long seed) {
    Rng rng = new Rng(seed);
    float[] a = new float[n];
    for (int i = 0; i < n; i++) {
      a[i] = rng.uniform(-2, 2);
    }
    return a;
  }

  private static float[] squares(int n, long seed) {
    float[] a = random(n, seed);
    for (int i = 0; i < n; i++) {
      a[i] *= a[i];
    }
    return a;
  }

  /* Ordinary values and the edges of every branch. */
  private static float[] wild(int n, long seed) {
    float[] edges = {
      0f,
      -0f,
      Float.MIN_VALUE,
      -Float.MIN_VALUE,
      1e-40f,
      0x1p-100f,
      -0x1p-101f,
      0.17f,
      9.02f,
      -10.5f,
      16.7f,
      88.8f,
      -87.4f,
      -103.9f,
      -106f,
      Float.MAX_VALUE,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      Float.NaN,
      40f
    };
    Rng rng = new Rng(seed);
    float[] a = new float[n];
    for (int i = 0; i < n; i++) {
      a[i] = rng.nextInt(3) == 0 ? edges[rng.nextInt(edges.length)] : rng.uniform(-12, 12);
    }
    return a;
  }

  /* Values around the flush to zero. */
  private static float[] tiny(int n, long seed) {
    Rng rng = new Rng(seed);
    float[] a = new float[n];
    for (int i = 0; i < n; i++) {
      a[i] = rng.uniform(-1, 1) * (rng.nextInt(2) == 0 ? 1f : 0x1p-99f);
    }
    return a;
  }

  @ParameterizedTest
  @ValueSource(ints = {128, 256, 512})
  void everyKernelGivesTheSameBits(int width) {
    Kernels vector = WidthLoader.kernels(width);
    assertEquals(width, vector.laneBits());
    assertSameBits(new Run(ScalarKernels.instance()).all(), new Run(vector).all());
  }

  /*
   * With kernels of their own for each list of sizes, as only weights in the memory that those share
   * take steps at once, and it has room again only when the collector has been there.
   */
  @ParameterizedTest
  @CsvSource({"128, 800", "256, 1000", "512, 1150"})
  void stepsGiveTheSameBits(int width, int least) {
    int stepsAtOnce = 0;
    for (int[] sizes : STEP_UNITS) {
      Run scalarRun = new Run(ScalarKernels.instance());
      Run vectorRun = new Run(WidthLoader.kernels(width));
      assertSameBits(scalarRun.steps(sizes), vectorRun.steps(sizes));
      assertEquals(0, scalarRun.stepsAtOnce, "the scalar twin takes two kernels");
      stepsAtOnce += vectorRun.stepsAtOnce;
    }
    assertTrue(stepsAtOnce >= least, "steps at once: " + stepsAtOnce);
  }

  private static void assertSameBits(List<float[]> expected, List<float[]> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      // assertArrayEquals with floats compares by Float.compare: bits, with all NaN equal.
      assertArrayEquals(expected.get(i), actual.get(i), "result " + i);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {128, 256, 512})
  void idleCallsDoNothing(int width) {
    Run run = new Run(WidthLoader.kernels(width));
    run.idle();
    assertTrue(run.stepsAtOnce >= 3, "steps at once: " + run.stepsAtOnce);
  }

  /*
   * Weights of a step share one piece of memory while there is room, and have their own when there is
   * none or when they are large.
   */
  @ParameterizedTest
  @ValueSource(ints = {128, 256, 512})
  void weightsStandAnywhere(int width) {
    AffineKernels vector = WidthLoader.kernels(width).affine();
    AffineKernels scalar = ScalarKernels.instance().affine();
    List<PackedMatrix> kept = new ArrayList<>();
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 30; i++) {
        int rows = i == 7 ? 1040 : 16 * (i % 20 + 1);
        int columns = i == 7 ? 301 : 201 + i;
        PackedMatrix mine = vector.allocate(rows, columns, PackedMatrix.Use.STEP);
        kept.add(mine);
        assertEquals(0f, sum(vector, mine), "fresh weights are zero");
        PackedMatrix twin = scalar.allocate(rows, columns, PackedMatrix.Use.STEP);
        float[] w = random(rows * columns, i);
        vector.pack(mine, 0, 0, rows, columns, w, 0, columns);
        scalar.pack(twin, 0, 0, rows, columns, w, 0, columns);
        kept.add(twin);
      }
      float[] x = random(400, 99);
      for (int i = 0; i < kept.size(); i += 2) {
        float[] expected = new float[kept.get(i).rows()];
        float[] actual = new float[expected.length];
        scalar.affine(kept.get(i + 1), x, 0, expected, 0);
        vector.affine(kept.get(i), x, 0, actual, 0);
        assertArrayEquals(expected, actual, "matrix " + i);
      }
      /* Every other one goes, and others take its place. */
      for (int i = kept.size() / 4 * 4 - 2; i >= 0; i -= 4) {
        kept.subList(i, i + 2).clear();
      }
      System.gc();
    }
  }

  private static float sum(AffineKernels affine, PackedMatrix m) {
    float[] x = new float[m.columns()];
    Arrays.fill(x, 1f);
    float[] z = new float[m.rows()];
    affine.affine(m, x, 0, z, 0);
    float sum = 0;
    for (float v : z) {
      sum += Math.abs(v);
    }
    return sum;
  }

  @Test
  void noKernelMethodIsLeftOut() {
    Run run = new Run(ScalarKernels.instance());
    run.all();
    run.steps(STEP_UNITS[0]);
    long methods =
        List.of(
                AffineKernels.class,
                ElementKernels.class,
                RnnKernels.class,
                LstmKernels.class,
                GruKernels.class,
                LossKernels.class,
                OptimizerKernels.class)
            .stream()
            .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
            .filter(m -> !Modifier.isStatic(m.getModifiers()) && !m.isSynthetic())
            .count();
    assertEquals(methods, exercised.size(), "exercised: " + exercised);
  }
}
