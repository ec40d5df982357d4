package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import org.jspecify.annotations.Nullable;

/**
 * Trains a network with a dense head: forward, loss, BPTT, clipping, update, over buffers allocated
 * once.
 *
 * <p>With carried state (truncated BPTT, Williams &amp; Peng 1990) each step continues from the
 * final state of the one before, and gradients stop at the boundary. Otherwise each step starts
 * from zero.
 *
 * <p>With a stride k1 shorter than the sequence k2 = T, each step goes on k1 steps after the last
 * one and its gradients reach back over k2: the sequences given overlap by k2 - k1 steps, whose
 * targets count once only.
 *
 * <p>A step whose gradient norm is not finite changes no parameter; {@link #lastStepSkipped} tells.
 */
public final class Trainer {

  /**
   * The settings that fix the buffers.
   *
   * @param batch sequences at a time
   * @param time steps of a sequence
   * @param loss what to make small
   * @param optimizer the update rule
   * @param carryState whether the state goes on from step to step
   */
  public record Options(int batch, int time, Loss loss, Optimizer optimizer, boolean carryState) {}

  /* Rows whose losses are added up, so that the sum is the same for any number of threads. */
  private static final int LOSS_ROWS = 64;

  private final Network network;
  private final Kernels kernels;
  private final Options options;
  private final Unrolled unrolled;
  private final OptimizerState optimizer;
  private final float[] targets;
  private float learningRate = 1e-3f;
  private float clipNorm = Float.POSITIVE_INFINITY;
  private float clipValue = Float.POSITIVE_INFINITY;
  private Schedule schedule = new Schedule.Constant();
  private int accumulation = 1;
  private int accumulated;
  private int stride;
  private boolean fresh = true;
  private Rng noise = new Rng(0);
  private final boolean[] counts;
  private final int[] classes;
  private final double[] losses;
  private final Team.Task lossPass = this::lossPart;
  private double gradientNorm;
  private boolean skipped;
  private int counted;
  private @Nullable GradientFlow flow;

  /**
   * Allocates the workspace.
   *
   * @param network the network. Its parameters are modified by {@link #step}.
   * @param backend the kernels
   * @param options the settings
   * @throws IllegalArgumentException if the network has no head or a buffer would exceed 2^31
   *     elements
   */
  public Trainer(Network network, Backend backend, Options options) {
    NetworkSpec spec = network.spec();
    requireHead(spec);
    if (options.carryState() && spec.bidirectional()) {
      throw new IllegalArgumentException("a bidirectional network cannot carry its state");
    }
    this.network = network;
    this.options = options;
    kernels = backend.batchKernels();
    unrolled = Unrolled.ofTrainer(network, backend, options.batch(), options.time());
    Memory memory = Memory.allocating();
    optimizer = new OptimizerState(options.optimizer(), kernels, network.layout().size(), memory);
    targets = targets(spec, options, memory);
    classes = memory.ints(options.loss() == Loss.SOFTMAX_CROSS_ENTROPY ? rows() : 0, 1);
    losses = new double[classes.length / LOSS_ROWS + 1];
    counts = new boolean[rows()];
    stride = options.time();
  }

  private static void requireHead(NetworkSpec spec) {
    if (spec.outputSize() == 0) {
      throw new IllegalArgumentException("training needs a network with a dense head");
    }
  }

  private static float[] targets(NetworkSpec spec, Options options, Memory memory) {
    boolean dense = options.loss() == Loss.MEAN_SQUARED_ERROR;
    long rows = dense ? (long) options.batch() * options.time() : 0;
    return memory.floats(rows, Kernels.pad(spec.outputSize()));
  }

  /**
   * The memory that the constructor would allocate, to be asked first.
   *
   * @param network the network
   * @param options the settings
   * @return bytes
   * @throws IllegalArgumentException if a buffer would exceed 2^31 elements
   */
  public static long bytesNeeded(Network network, Options options) {
    requireHead(network.spec());
    Memory memory = Memory.measuring();
    targets(network.spec(), options, memory);
    memory.floats(options.optimizer().slots(), network.layout().size());
    memory.ints(options.loss() == Loss.SOFTMAX_CROSS_ENTROPY ? options.batch() : 0, options.time());
    long workspace = Unrolled.bytesOfTrainer(network, options.batch(), options.time());
    return Math.addExact(workspace, memory.bytes());
  }

  /**
   * Sets the learning rate of the coming steps; 1e-3 at first.
   *
   * @param rate finite and not negative
   */
  public void setLearningRate(float rate) {
    if (!(rate >= 0 && rate < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "learning rate must be finite and not negative, not " + rate);
    }
    learningRate = rate;
  }

  /**
   * Clips the global norm of the gradients (Pascanu et al. 2013): g *= min(1, norm / (|g| + 1e-6)).
   *
   * @param norm largest norm, or infinity for none
   */
  public void setClipNorm(float norm) {
    if (!(norm > 0)) {
      throw new IllegalArgumentException("the largest norm must be positive, not " + norm);
    }
    clipNorm = norm;
  }

  /**
   * Clips every element of the gradients to [-bound, bound], before the norm is clipped.
   *
   * @param bound largest magnitude, or infinity for none
   */
  public void setClipValue(float bound) {
    if (!(bound > 0)) {
      throw new IllegalArgumentException("the largest magnitude must be positive, not " + bound);
    }
    clipValue = bound;
  }

  /**
   * Sets how the learning rate changes with the updates.
   *
   * @param change the schedule
   */
  public void setSchedule(Schedule change) {
    schedule = change;
  }

  /**
   * Updates once every so many steps, with the mean of their gradients.
   *
   * @param count steps per update
   */
  public void setAccumulation(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("steps per update must be at least 1, not " + count);
    }
    accumulation = count;
    accumulated = 0;
  }

  /**
   * Sets k1 of truncated BPTT: how many steps the carried state advances; T at first.
   *
   * @param k1 from 1 to T
   * @throws IllegalStateException if the state is not carried
   */
  public void setStride(int k1) {
    if (!options.carryState()) {
      throw new IllegalStateException("a stride needs carried state");
    }
    if (k1 < 1 || k1 > options.time()) {
      throw new IllegalArgumentException(
          "the stride must be from 1 to " + options.time() + ", not " + k1);
    }
    stride = k1;
  }

  /**
   * Seeds the masks of {@link NetworkSpec#regularization} for the coming steps; 0 at first.
   *
   * @param seed the same seed gives the same masks on every machine
   */
  public void setNoiseSeed(long seed) {
    noise = new Rng(seed);
  }

  /**
   * Has the gradients of the coming steps recorded.
   *
   * @param observer made for this network and T, or null for none
   */
  public void observe(@Nullable GradientFlow observer) {
    flow = observer;
    unrolled.observe(observer);
  }

  /** Sets the carried state to its start. */
  public void resetState() {
    unrolled.clearState();
    fresh = true;
  }

  /**
   * One step on feature vectors with dense targets.
   *
   * @param x inputs [T, B, I]. Not modified.
   * @param target targets [T, B, O]. Not modified.
   * @return the loss before the update
   */
  public double step(float[] x, float[] target) {
    setTargets(target);
    unrolled.setNoise(noise);
    forward(x);
    return finish(squaredError());
  }

  /**
   * One step on feature vectors with dense targets, some of them left out of the loss.
   *
   * @param x inputs [T, B, I]. Not modified.
   * @param target targets [T, B, O]. Not modified.
   * @param mask whether a target counts [T, B]. Not modified.
   * @return the loss before the update: the mean over the elements that count
   */
  public double step(float[] x, float[] target, boolean[] mask) {
    setTargets(target, mask);
    unrolled.setNoise(noise);
    forward(x);
    return finish(squaredError());
  }

  /**
   * One step on feature vectors with class targets.
   *
   * @param x inputs [T, B, I]. Not modified.
   * @param target classes [T, B], each in [0, O), or -1 to leave an element out. Not modified.
   * @return the loss before the update
   */
  public double step(float[] x, int[] target) {
    checkTargets(target);
    unrolled.setNoise(noise);
    forward(x);
    return finish(crossEntropy());
  }

  /**
   * One step on class ids with class targets: a language model.
   *
   * @param ids inputs [T, B]. Not modified.
   * @param target classes [T, B], each in [0, O), or -1 to leave an element out. Not modified.
   * @return the loss before the update
   */
  public double step(int[] ids, int[] target) {
    checkTargets(target);
    unrolled.setNoise(noise);
    forward(ids);
    return finish(crossEntropy());
  }

  /**
   * The loss without an update; the carried state advances as in a step.
   *
   * @param ids inputs [T, B]. Not modified.
   * @param target classes [T, B], each in [0, O), or -1 to leave an element out. Not modified.
   * @return the loss
   */
  public double evaluate(int[] ids, int[] target) {
    checkTargets(target);
    unrolled.setNoise(null);
    forward(ids);
    return crossEntropy();
  }

  /**
   * The loss without an update; the carried state advances as in a step.
   *
   * @param x inputs [T, B, I]. Not modified.
   * @param target targets [T, B, O]. Not modified.
   * @return the loss
   */
  public double evaluate(float[] x, float[] target) {
    setTargets(target);
    unrolled.setNoise(null);
    forward(x);
    return squaredError();
  }

  /**
   * The loss without an update; the carried state advances as in a step.
   *
   * @param x inputs [T, B, I]. Not modified.
   * @param target targets [T, B, O]. Not modified.
   * @param mask whether a target counts [T, B]. Not modified.
   * @return the loss: the mean over the elements that count
   */
  public double evaluate(float[] x, float[] target, boolean[] mask) {
    setTargets(target, mask);
    unrolled.setNoise(null);
    forward(x);
    return squaredError();
  }

  /**
   * The loss without an update; the carried state advances as in a step.
   *
   * @param x inputs [T, B, I]. Not modified.
   * @param target classes [T, B], each in [0, O), or -1 to leave an element out. Not modified.
   * @return the loss
   */
  public double evaluate(float[] x, int[] target) {
    checkTargets(target);
    unrolled.setNoise(null);
    forward(x);
    return crossEntropy();
  }

  private void forward(float[] x) {
    beforeForward();
    unrolled.forward(options.time(), x);
  }

  private void forward(int[] ids) {
    beforeForward();
    unrolled.forward(options.time(), ids);
  }

  private void beforeForward() {
    if (options.carryState()) {
      if (!fresh) {
        unrolled.carryState(stride);
      }
      fresh = false;
    } else {
      unrolled.clearState();
    }
  }

  private int rows() {
    return options.batch() * options.time();
  }

  private void checkTargets(int[] target) {
    int outputs = network.spec().outputSize();
    if (options.loss() != Loss.SOFTMAX_CROSS_ENTROPY) {
      throw new IllegalArgumentException("class targets need the loss SOFTMAX_CROSS_ENTROPY");
    }
    if (target.length != rows()) {
      throw new IllegalArgumentException(
          "target must have " + rows() + " classes, not " + target.length);
    }
    counted = 0;
    for (int i = 0; i < target.length; i++) {
      if (target[i] < -1 || target[i] >= outputs) {
        throw new IllegalArgumentException(
            "target["
                + i
                + "] is class "
                + target[i]
                + "; classes are 0 to "
                + (outputs - 1)
                + ", or -1 to leave it out");
      }
      counted += target[i] >= 0 && !seenBefore(i) ? 1 : 0;
    }
    requireTargets();
    for (int i = 0; i < target.length; i++) {
      classes[i] = seenBefore(i) ? -1 : target[i];
    }
  }

  private void requireTargets() {
    if (counted == 0) {
      throw new IllegalArgumentException("all targets are left out");
    }
  }

  /* Of overlapping sequences only the last stride counts, but for the first sequence. */
  private boolean seenBefore(int i) {
    return options.carryState() && !fresh && i < (options.time() - stride) * options.batch();
  }

  private void setTargets(float[] target) {
    setTargets(target, null);
  }

  private void setTargets(float[] target, boolean @Nullable [] mask) {
    int size = network.spec().outputSize();
    if (options.loss() != Loss.MEAN_SQUARED_ERROR) {
      throw new IllegalArgumentException("dense targets need the loss MEAN_SQUARED_ERROR");
    }
    if (target.length != rows() * size) {
      throw new IllegalArgumentException(
          "target must have " + rows() * size + " elements, not " + target.length);
    }
    if (mask != null && mask.length != rows()) {
      throw new IllegalArgumentException(
          "mask must have " + rows() + " elements, not " + mask.length);
    }
    counted = 0;
    for (int i = 0; i < rows(); i++) {
      counts[i] = (mask == null || mask[i]) && !seenBefore(i);
      counted += counts[i] ? 1 : 0;
    }
    requireTargets();
    Rows.copy(rows(), size, target, 0, size, targets, 0, unrolled.headStride());
  }

  private double crossEntropy() {
    long elements = (long) rows() * network.spec().outputSize();
    Team.share(ParallelKernels.team(kernels), elements >= ParallelKernels.SMALL_LOSS, lossPass);
    double sum = 0;
    for (double loss : losses) {
      sum += loss;
    }
    return sum / counted;
  }

  private void lossPart(int part, int parts) {
    int outputs = network.spec().outputSize();
    float[] y = unrolled.headOutput();
    int ys = unrolled.headStride();
    int first = ParallelKernels.first(part, parts, rows(), LOSS_ROWS);
    int end = ParallelKernels.first(part + 1, parts, rows(), LOSS_ROWS);
    for (int row = first; row < end; row += LOSS_ROWS) {
      int n = Math.min(LOSS_ROWS, end - row);
      losses[row / LOSS_ROWS] =
          kernels
              .loss()
              .softmaxCrossEntropy(n, outputs, y, row * ys, ys, classes, row, 1f / counted);
    }
  }

  private double squaredError() {
    int elements = counted * network.spec().outputSize();
    int ys = unrolled.headStride();
    for (int i = 0; i < rows(); i++) {
      if (!counts[i]) {
        // The target is the output itself: no error and no gradient.
        System.arraycopy(unrolled.headOutput(), i * ys, targets, i * ys, ys);
      }
    }
    int padded = rows() * unrolled.headStride();
    double sum =
        kernels.loss().squaredError(padded, unrolled.headOutput(), 0, targets, 0, 2f / elements);
    return sum / elements;
  }

  private double finish(double loss) {
    if (accumulated == 0) {
      unrolled.clearGradients();
    }
    unrolled.backwardFromHead();
    accumulated++;
    if (accumulated < accumulation) {
      skipped = false;
      return loss;
    }
    accumulated = 0;
    float[] g = unrolled.gradients();
    if (accumulation > 1) {
      kernels.elements().scaleInPlace(g.length, 1f / accumulation, g, 0);
    }
    gradientNorm = Math.sqrt(kernels.elements().sumOfSquares(g.length, g, 0));
    skipped = !(gradientNorm < Double.POSITIVE_INFINITY);
    if (!skipped) {
      clip(g);
      double rate = learningRate * schedule.factor(optimizer.step());
      if (flow != null) {
        flow.beforeUpdate(network.values());
      }
      optimizer.update(network.values(), g, (float) rate);
      if (flow != null) {
        flow.afterUpdate(network.values());
      }
      unrolled.refresh();
    }
    return loss;
  }

  private void clip(float[] g) {
    double norm = gradientNorm;
    if (clipValue < Float.POSITIVE_INFINITY) {
      for (int i = 0; i < g.length; i++) {
        g[i] = Math.min(clipValue, Math.max(-clipValue, g[i]));
      }
      norm = Math.sqrt(kernels.elements().sumOfSquares(g.length, g, 0));
    }
    double factor = clipNorm / (norm + 1e-6);
    if (factor < 1) {
      kernels.elements().scaleInPlace(g.length, (float) factor, g, 0);
    }
  }

  /**
   * Global norm of the last step's gradients, before clipping.
   *
   * @return the Euclidean norm over all parameters
   */
  public double gradientNorm() {
    return gradientNorm;
  }

  /**
   * Whether the last step left the parameters alone because its gradients were not finite.
   *
   * @return true after a skipped step
   */
  public boolean lastStepSkipped() {
    return skipped;
  }

  /**
   * What a trainer needs to go on exactly where it was: moments of the optimizer, its number of
   * updates, the state of the noise. The parameters are the network's own; gradients that are being
   * accumulated and the carried state are not part of it.
   *
   * @param first first moments or momentum, or empty
   * @param second second moments, or empty
   * @param updates number of updates
   * @param noise state of the noise's generator
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Progress(float[] first, float[] second, long updates, long noise) {}

  /**
   * Copies the progress out.
   *
   * @return the progress after the last step
   * @throws IllegalStateException in the middle of an accumulation
   */
  public Progress progress() {
    if (accumulated > 0) {
      throw new IllegalStateException("gradients are being accumulated: ask after an update");
    }
    return optimizer.progress(noise.state());
  }

  /**
   * Copies a progress in: the next step continues exactly where it was taken.
   *
   * @param progress of a trainer with the same network and options. Not modified.
   * @throws IllegalArgumentException if its moments do not fit
   */
  public void restore(Progress progress) {
    optimizer.restore(progress);
    noise = new Rng(progress.noise());
    accumulated = 0;
    unrolled.refresh();
  }

  /**
   * Number of updates so far.
   *
   * @return updates
   */
  public long updates() {
    return optimizer.step();
  }
}
