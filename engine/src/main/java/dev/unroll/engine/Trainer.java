package dev.unroll.engine;

import dev.unroll.fallback.Kernels;

/**
 * Trains a network with a dense head: forward, loss, BPTT, clipping, update, over buffers allocated
 * once.
 *
 * <p>With carried state (truncated BPTT, Williams &amp; Peng 1990) each step continues from the
 * final state of the one before, and gradients stop at the boundary. Otherwise each step starts
 * from zero.
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

  private final Network network;
  private final Kernels kernels;
  private final Options options;
  private final Unrolled unrolled;
  private final OptimizerState optimizer;
  private final float[] targets;
  private float learningRate = 1e-3f;
  private float clipNorm = Float.POSITIVE_INFINITY;
  private double gradientNorm;
  private boolean skipped;
  private int counted;

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
    kernels = backend.kernels();
    unrolled = new Unrolled(network, backend, options.batch(), options.time(), true);
    Memory memory = Memory.allocating();
    optimizer = new OptimizerState(options.optimizer(), kernels, network.layout().size(), memory);
    targets = targets(spec, options, memory);
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
    long workspace = Unrolled.bytesNeeded(network, options.batch(), options.time(), true);
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

  /** Sets the carried state to zero. */
  public void resetState() {
    unrolled.clearState();
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
    forward(x);
    return finish(crossEntropy(target));
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
    forward(ids);
    return finish(crossEntropy(target));
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
    forward(ids);
    return crossEntropy(target);
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
    forward(x);
    return squaredError();
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
      unrolled.carryState();
    } else {
      unrolled.clearState();
    }
  }

  private int rows() {
    return options.batch() * options.time();
  }

  private void checkTargets(int[] target) {
    int classes = network.spec().outputSize();
    if (options.loss() != Loss.SOFTMAX_CROSS_ENTROPY) {
      throw new IllegalArgumentException("class targets need the loss SOFTMAX_CROSS_ENTROPY");
    }
    if (target.length != rows()) {
      throw new IllegalArgumentException(
          "target must have " + rows() + " classes, not " + target.length);
    }
    counted = 0;
    for (int i = 0; i < target.length; i++) {
      if (target[i] < -1 || target[i] >= classes) {
        throw new IllegalArgumentException(
            "target["
                + i
                + "] is class "
                + target[i]
                + "; classes are 0 to "
                + (classes - 1)
                + ", or -1 to leave it out");
      }
      counted += target[i] >= 0 ? 1 : 0;
    }
    if (counted == 0) {
      throw new IllegalArgumentException("all targets are left out");
    }
  }

  private void setTargets(float[] target) {
    int size = network.spec().outputSize();
    if (options.loss() != Loss.MEAN_SQUARED_ERROR) {
      throw new IllegalArgumentException("dense targets need the loss MEAN_SQUARED_ERROR");
    }
    if (target.length != rows() * size) {
      throw new IllegalArgumentException(
          "target must have " + rows() * size + " elements, not " + target.length);
    }
    Rows.copy(rows(), size, target, 0, size, targets, 0, unrolled.headStride());
  }

  private double crossEntropy(int[] target) {
    int classes = network.spec().outputSize();
    float[] y = unrolled.headOutput();
    int stride = unrolled.headStride();
    double sum =
        kernels.loss().softmaxCrossEntropy(rows(), classes, y, 0, stride, target, 0, 1f / counted);
    return sum / counted;
  }

  private double squaredError() {
    int elements = rows() * network.spec().outputSize();
    int padded = rows() * unrolled.headStride();
    double sum =
        kernels.loss().squaredError(padded, unrolled.headOutput(), 0, targets, 0, 2f / elements);
    return sum / elements;
  }

  private double finish(double loss) {
    unrolled.clearGradients();
    unrolled.backwardFromHead();
    float[] g = unrolled.gradients();
    gradientNorm = Math.sqrt(kernels.elements().sumOfSquares(g.length, g, 0));
    skipped = !(gradientNorm < Double.POSITIVE_INFINITY);
    if (!skipped) {
      double factor = clipNorm / (gradientNorm + 1e-6);
      if (factor < 1) {
        kernels.elements().scaleInPlace(g.length, (float) factor, g, 0);
      }
      optimizer.update(network.values(), g, learningRate);
      unrolled.refresh();
    }
    return loss;
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
   * Number of updates so far.
   *
   * @return updates
   */
  public long updates() {
    return optimizer.step();
  }
}
