package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import dev.unroll.fallback.PackedMatrix;
import dev.unroll.fallback.WeightFormat;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One direction of one layer, unrolled over time. Step t of the sequence reads one slot of the
 * state and writes the next: slots t and t + 1 forward in time, t + 1 and t in reverse.
 *
 * <p>With lengths, a row's state stays frozen past its end, which is what PyTorch's packed
 * sequences mean: in reverse direction a row then starts at its own last step.
 */
final class UnrolledLayer {
  final LayerWeights weights;
  final State state;

  /* State of a cell that goes step by step; null where the cell works on the slots. */
  private final @Nullable State carried;

  /* In the caller alone where threads do not pay. */
  final Kernels kernels;

  private final Cell cell;
  private final @Nullable Zoneout zoneout;
  /* Inputs that are projected at once: as many as kernels of eight, of twelve and of six take. */
  private static final int ROWS_AHEAD = 96;

  /* Three vectors: of more units no kernel takes a step at once. */
  private static final int MOST_STEPPED = 3 * Kernels.LANES;

  /* Steps whose inputs are projected at once, so few that their gates stay in the cache. */
  private final int ahead;

  /* Whether the gates of all steps are kept, for BPTT. */
  private final boolean keepsGates;

  /*
   * Multiply-adds of the recurrence that a thread must have in every step, and rows: with one row
   * each, every thread reads all weights for it.
   */
  private static final long LEAST_WORK = 1 << 16;
  private static final int LEAST_ROWS = 2;

  /*
   * Threads take rows of the batch through all steps, without waiting for each other: so many of
   * them as have enough to do.
   */
  final @Nullable Team team;
  private final int threads;
  private final Team.Task forwardPass = this::forwardPart;
  private final Team.Task backwardPass = this::backwardPart;
  private final Team.Task biasPass = this::sumBiasPart;
  private final Team.Task tablePass = this::sumTablePart;

  /* Arguments of the pass. */
  private int steps;
  private int[] lengths = {};
  private int[] ids = {};
  private float[] x = Cell.NOTHING;
  private int xo;
  private int xs;
  private @Nullable GradientFlow flow;
  private int summands;
  private float[] summed = Cell.NOTHING;
  private float[] biasSum = Cell.NOTHING;

  private final float lockProbability;
  private final boolean reverse;
  private final int batch;
  private final int index;

  /** Gradient of this layer's outputs [time * batch, paddedOutput]; filled by the layer above. */
  final float[] outputGradient;

  /** Gradient of the initial state after the backward pass, of the final state before it. */
  final float[] dh;

  final float[] dc;
  private final float[] savedDh;
  private final float[] savedDc;
  private final float[] weightGradient;
  private final float[] inputBiasGradient;
  private final float[] hiddenBiasGradient;

  UnrolledLayer(
      Kernels given,
      Network network,
      int index,
      int direction,
      int batch,
      int time,
      boolean training,
      boolean inputGradient,
      Memory memory) {
    NetworkSpec spec = network.spec();
    Team shared = ParallelKernels.team(given);
    threads = threads(shared == null ? 1 : shared.size(), spec.layers().get(index), batch);
    kernels = threads > 1 ? given : ParallelKernels.alone(given);
    team = ParallelKernels.team(kernels);
    this.batch = batch;
    this.index = index;
    reverse = direction == 1;
    boolean stepwise = !training && batch == 1 && isSteppedFaster(network, index);
    LayerWeights.Packing packing =
        stepwise
            ? LayerWeights.Packing.steps(spec.layers().get(index))
            : new LayerWeights.Packing(
                LayerWeights.Packing.suited((long) batch * time),
                LayerWeights.Packing.suited(batch),
                false,
                false,
                inputGradient);
    weights =
        new LayerWeights(
            kernels, spec, network.layout(), index, direction, training, packing, memory);
    boolean locked = training && spec.regularization().lockedState() > 0;
    lockProbability = spec.regularization().lockedState();
    state = new State(weights, time + 1, batch, locked, memory);
    zoneout =
        Zoneout.isUsed(spec.regularization())
            ? new Zoneout(state, spec.regularization(), time, memory)
            : null;
    ahead = ahead(time, batch);
    keepsGates = training;
    carried = stepwise ? new State(weights, 1, 1, false, memory) : null;
    cell =
        carried != null
            ? Cell.create(kernels, weights, carried, 1, false, memory)
            : Cell.create(kernels, weights, state, training ? time : ahead, training, memory);
    int t = training ? 1 : 0;
    int r = weights.paddedOutput;
    int p = weights.paddedHidden;
    int i = weights.paddedInput;
    long widest = weights.gradientOffset(true, r) < 0 ? r : 0;
    if (!weights.isOneHot() && weights.gradientOffset(false, i) < 0) {
      widest = Math.max(widest, i);
    }
    long tableSize = weights.isOneHot() ? weights.inputSize : 0;
    outputGradient = memory.floats((long) t * time * batch, r);
    dh = memory.floats((long) t * batch, r);
    dc = memory.floats((long) t * batch, p);
    savedDh = memory.floats((long) t * batch, r);
    savedDc = memory.floats((long) t * batch, p);
    weightGradient = memory.floats((long) t * weights.gateRows, Math.max(widest, tableSize));
    inputBiasGradient = memory.floats(t, weights.gateRows);
    hiddenBiasGradient = memory.floats(t, weights.gateRows);
  }

  /** Steps whose inputs are projected at once. */
  static int ahead(int time, int batch) {
    return Math.min(time, Math.max(1, ROWS_AHEAD / batch));
  }

  /** Threads that share the rows of a layer, of so many. */
  static int threads(int most, LayerSpec layer, int batch) {
    long weights = (long) layer.cell().gates() * layer.hidden() * layer.outputSize();
    long busy = Math.min(batch * weights / LEAST_WORK, batch / LEAST_ROWS);
    return (int) Math.max(1, Math.min(busy, most));
  }

  /* Small cells take their steps faster as a stream does, whatever is projected ahead. */
  private static boolean isSteppedFaster(Network network, int index) {
    NetworkSpec spec = network.spec();
    LayerSpec layer = spec.layers().get(index);
    int inputs = spec.layerInputSize(index);
    int hidden = layer.hidden();
    boolean small = inputs <= hidden && hidden <= MOST_STEPPED;
    return small
        && Float.BYTES * layer.cell().gates() * hidden * (inputs + hidden) <= Kernels.CACHED
        && network.weightFormat() == WeightFormat.F32
        && layer.options().isStandard()
        && layer.projection() == 0
        && !spec.isOneHot(index)
        && !Zoneout.isUsed(spec.regularization());
  }

  /** Slot of the initial state of a sequence of some steps. */
  int initialSlot(int steps) {
    return reverse ? steps : 0;
  }

  /** Slot of the final state. */
  int finalSlot(int steps) {
    return reverse ? 0 : steps;
  }

  /** Index in {@code state.h} of the output of step 0. */
  int outputOffset() {
    return state.hidden(reverse ? 0 : 1);
  }

  /** Draws the masks of a pass, or takes all noise away. */
  void drawMasks(@Nullable Rng rng, float[] parameters) {
    if (state.isLocked() && rng == null) {
      Arrays.fill(state.mask, 1f);
    } else if (state.isLocked() && rng != null) {
      int size = weights.layer.outputSize();
      for (int row = 0; row < batch; row++) {
        int at = row * weights.paddedOutput;
        Regularization.draw(rng, lockProbability, size, state.mask, at);
      }
    }
    weights.dropWeights(rng, parameters);
    if (zoneout != null) {
      zoneout.draw(rng);
    }
  }

  /* W_ih x + b of some steps, into the cell's first gates. */
  private void projectInputs(int t, int count, int row, int rows) {
    int slot = keepsGates ? 0 : t;
    if (rows == batch) {
      projectInputs(t * batch, count * batch, (t - slot) * batch);
      return;
    }
    for (int s = t; s < t + count; s++) {
      projectInputs(s * batch + row, rows, (s - slot) * batch + row);
    }
  }

  private void projectInputs(int from, int n, int to) {
    int width = weights.gateRows;
    float[] gates = cell.inputGates();
    if (weights.isOneHot()) {
      for (int i = 0; i < n; i++) {
        System.arraycopy(weights.table, ids[from + i] * width, gates, (to + i) * width, width);
      }
      return;
    }
    PackedMatrix w = Memory.require(weights.inputHidden, "features, not class ids");
    kernels.affine().affineBatch(w, n, x, xo + from * xs, xs, gates, to * width, width);
  }

  /* A pass over all rows at once, or over some of them in every thread. */
  private void share(Team.Task pass, boolean divisible) {
    Team.share(team, divisible && cell.hasIndependentRows(), pass);
  }

  /** First of the rows that a part takes. */
  int firstRow(int part, int parts) {
    int used = Math.min(parts, threads);
    return ParallelKernels.first(Math.min(part, used), used, batch, 1);
  }

  /**
   * The recurrence; a row without a step at t keeps its state.
   *
   * @param ids classes, for one-hot inputs
   * @param x features, for others
   */
  void forward(int steps, int[] lengths, int[] ids, float[] x, int xo, int xs) {
    this.steps = steps;
    this.lengths = lengths;
    this.ids = ids;
    this.x = x;
    this.xo = xo;
    this.xs = xs;
    share(forwardPass, true);
    state.endCarry();
  }

  /* The recurrence of one row as a stream. */
  private void stepThrough(State own) {
    state.takeCarried(0, batch);
    own.copyRows(state, initialSlot(steps), 0, 0, batch);
    for (int s = 0; s < steps; s++) {
      int t = reverse ? steps - 1 - s : s;
      if (t < lengths[0]) {
        cell.step(x, xo + t * xs);
      }
      state.copyRows(own, 0, reverse ? t : t + 1, 0, batch);
    }
  }

  private void forwardPart(int part, int parts) {
    if (carried != null) {
      stepThrough(carried);
      return;
    }
    int row = firstRow(part, parts);
    int rows = firstRow(part + 1, parts) - row;
    if (rows == 0) {
      return;
    }
    state.takeCarried(row, rows);
    int slot = 0;
    for (int s = 0; s < steps; s++) {
      if (s % ahead == 0) {
        int count = Math.min(ahead, steps - s);
        int first = reverse ? steps - s - count : s;
        projectInputs(first, count, row, rows);
        slot = keepsGates ? 0 : first;
      }
      int t = reverse ? steps - 1 - s : s;
      int previous = reverse ? t + 1 : t;
      int next = reverse ? t : t + 1;
      state.lock(previous, kernels, row, rows);
      cell.forward(t - slot, previous, next, row, rows);
      if (zoneout != null) {
        zoneout.forward(t, previous, next, row, rows);
      }
      for (int i = row; i < row + rows; i++) {
        if (t >= lengths[i]) {
          state.copyRows(previous, next, i, 1);
        }
      }
    }
  }

  /** BPTT: gates become their gradients, {@link #dh} and {@link #dc} those of the initial state. */
  void backward(int steps, int[] lengths, @Nullable GradientFlow flow) {
    this.steps = steps;
    this.lengths = lengths;
    this.flow = flow;
    share(backwardPass, flow == null);
  }

  private void backwardPart(int part, int parts) {
    int row = firstRow(part, parts);
    int rows = firstRow(part + 1, parts) - row;
    if (rows == 0) {
      return;
    }
    int r = weights.paddedOutput;
    int own = row * r;
    for (int s = steps - 1; s >= 0; s--) {
      int t = reverse ? steps - 1 - s : s;
      int previous = reverse ? t + 1 : t;
      int next = reverse ? t : t + 1;
      setFrozenRowsAside(t, row, rows);
      int above = t * batch * r + own;
      kernels.elements().add(rows * r, outputGradient, above, dh, own, dh, own);
      if (zoneout != null) {
        zoneout.beforeBackward(t, dh, dc, row, rows);
      }
      if (flow != null) {
        flow.record(index, reverse ? 1 : 0, t, dh, cell.cellGradientNorm(t, dh, dc));
        cell.observe(t, next, flow, index, reverse ? 1 : 0);
      }
      cell.backward(t, previous, next, dh, dc, row, rows);
      if (zoneout != null) {
        zoneout.afterBackward(dh, dc, row, rows);
      }
      putFrozenRowsBack(t, row, rows);
    }
  }

  /* A frozen row has no step at t: its gradients pass by, and its gates get zeros. */
  private void setFrozenRowsAside(int t, int first, int rows) {
    int r = weights.paddedOutput;
    int p = weights.paddedHidden;
    for (int row = first; row < first + rows; row++) {
      if (t >= lengths[row]) {
        System.arraycopy(dh, row * r, savedDh, row * r, r);
        System.arraycopy(dc, row * p, savedDc, row * p, p);
        Arrays.fill(dh, row * r, row * r + r, 0f);
        Arrays.fill(dc, row * p, row * p + p, 0f);
        int at = (t * batch + row) * r;
        Arrays.fill(outputGradient, at, at + r, 0f);
      }
    }
  }

  private void putFrozenRowsBack(int t, int first, int rows) {
    int r = weights.paddedOutput;
    int p = weights.paddedHidden;
    for (int row = first; row < first + rows; row++) {
      if (t >= lengths[row]) {
        System.arraycopy(savedDh, row * r, dh, row * r, r);
        System.arraycopy(savedDc, row * p, dc, row * p, p);
      }
    }
  }

  /** Adds dW_hh = dzᵀ h_{t-1} and the biases' gradients to the flat gradients. */
  void addRecurrentGradients(int steps, float[] gradients) {
    int n = steps * batch;
    int rows = weights.gateRows;
    int r = weights.paddedOutput;
    int columns = weights.layer.outputSize();
    int before = state.hidden(reverse ? 1 : 0);
    int offset = weights.gradientOffset(true, r);
    float[] dw = sumIn(offset, rows * r, gradients);
    int at = Math.max(offset, 0);
    float[] dz = cell.recurrentGates();
    int ofHidden = weights.hiddenRows;
    kernels
        .affine()
        .outerAccumulate(n, dz, 0, rows, ofHidden, state.recurrent, before, r, columns, dw, at, r);
    if (ofHidden < rows) {
      float[] reset = cell.resetHidden();
      int to = at + ofHidden * r;
      kernels.affine().outerAccumulate(n, dz, ofHidden, rows, r, reset, 0, r, columns, dw, to, r);
    }
    if (offset < 0) {
      weights.addWeightGradient(true, weightGradient, r, gradients);
    }

    sumBias(n, cell.biasGates(), inputBiasGradient);
    boolean shared = !weights.separateBias();
    if (!shared) {
      sumBias(n, cell.recurrentGates(), hiddenBiasGradient);
    }
    float[] hiddenBias = shared ? inputBiasGradient : hiddenBiasGradient;
    weights.addBiasGradients(inputBiasGradient, hiddenBias, gradients);
    cell.addGradients(n, gradients);
  }

  /* The flat gradients where the sum stands in them as it is, else the padded buffer, cleared. */
  private float[] sumIn(int offset, int size, float[] gradients) {
    if (offset >= 0) {
      return gradients;
    }
    Arrays.fill(weightGradient, 0, size, 0f);
    return weightGradient;
  }

  private void sumBias(int n, float[] gates, float[] sum) {
    summed = gates;
    biasSum = sum;
    shareSum(n, biasPass);
  }

  /* Sums over n rows of gates; each part takes some of the gates. */
  private void shareSum(int n, Team.Task pass) {
    summands = n;
    Team.share(team, (long) n * weights.gateRows >= ParallelKernels.SMALL_MATRIX, pass);
  }

  private void sumBiasPart(int part, int parts) {
    int rows = weights.gateRows;
    int from = ParallelKernels.first(part, parts, rows, Kernels.LANES);
    int to = ParallelKernels.first(part + 1, parts, rows, Kernels.LANES);
    Arrays.fill(biasSum, from, to, 0f);
    kernels.elements().sumRowsAccumulate(summands, to - from, summed, from, rows, biasSum, from);
  }

  /** Adds dW_ih = dzᵀ x. */
  void addInputGradients(int steps, float[] x, int xo, int xs, float[] gradients) {
    int rows = weights.gateRows;
    int stride = weights.paddedInput;
    int offset = weights.gradientOffset(false, stride);
    float[] dw = sumIn(offset, rows * stride, gradients);
    kernels
        .affine()
        .outerAccumulate(
            steps * batch,
            cell.inputGates(),
            0,
            rows,
            rows,
            x,
            xo,
            xs,
            weights.inputSize,
            dw,
            Math.max(offset, 0),
            stride);
    if (offset < 0) {
      weights.addWeightGradient(false, weightGradient, stride, gradients);
    }
  }

  /**
   * The same for one-hot x: row v of the table gets the gates' gradients of the steps with class v.
   */
  void addInputGradients(int steps, int[] ids, float[] gradients) {
    this.ids = ids;
    shareSum(steps * batch, tablePass);
    weights.addTableGradient(weightGradient, gradients);
  }

  private void sumTablePart(int part, int parts) {
    int rows = weights.gateRows;
    int from = ParallelKernels.first(part, parts, rows, Kernels.LANES);
    int count = ParallelKernels.first(part + 1, parts, rows, Kernels.LANES) - from;
    for (int v = 0; v < weights.inputSize; v++) {
      Arrays.fill(weightGradient, v * rows + from, v * rows + from + count, 0f);
    }
    float[] dz = cell.inputGates();
    for (int i = 0; i < summands; i++) {
      int at = ids[i] * rows + from;
      kernels.elements().add(count, dz, i * rows + from, weightGradient, at, weightGradient, at);
    }
  }

  /** Gradient of the inputs: dx = W_ihᵀ dz, or dx += for the second direction. */
  void inputGradient(int steps, float[] dx, boolean accumulate) {
    int n = steps * batch;
    int rows = weights.gateRows;
    int columns = weights.paddedInput;
    PackedMatrix back =
        Memory.require(weights.inputHiddenTransposed, "made for gradients of inputs");
    if (accumulate) {
      kernels.affine().affineBatchAccumulate(back, n, cell.inputGates(), 0, rows, dx, 0, columns);
    } else {
      kernels.affine().affineBatch(back, n, cell.inputGates(), 0, rows, dx, 0, columns);
    }
  }
}
