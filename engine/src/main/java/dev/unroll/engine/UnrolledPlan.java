package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import java.util.ArrayList;
import java.util.List;

/**
 * Sequences on the vector kernels, over the buffers of those that the caller begins with. Their
 * weights are packed when the caller changes over.
 *
 * @param inputGradient whether training wants the gradient of the network's inputs, too
 * @param memory what hands out the caller's buffers
 */
record UnrolledPlan(
    Network network,
    Backend backend,
    int batch,
    int time,
    boolean training,
    boolean inputGradient,
    Memory memory)
    implements WarmUp.Plan<Unrolled> {
  /* Inputs of the largest kernel over weights of few elements. */
  private static final int KERNEL = 8;

  /* What is left beside these is left beside those of any kernel. */
  private static final int KERNELS = 24;

  /*
   * Inputs and outputs of the small network. C2 is to compile a kernel because it was called often,
   * not because its loops went round often, as it takes three to four times as long for code that is
   * entered in the middle of a loop. So a call of an LSTM's has much less than 66 rounds, the ratio
   * of the two limits. With fewer inputs C2 would take what the loops do for rare, and spill
   * registers there; gradients have loops over 32 columns.
   */
  private static final int FEW = 24;
  private static final int FEW_IN_TRAINING = 32;

  /* Units of the small network, and gates of so many that fill two panels: C2 is to see a loop. */
  private static final int FEW_UNITS = Kernels.LANES;
  private static final int MANY_GATES = 4;

  /*
   * Times the work of the small network that a training step should be for it to pay: less where
   * threads share the step, as they leave no processor to the compilers.
   */
  private static final int WORTHWHILE = 1 << 10;
  private static final int WORTHWHILE_SHARED = 1 << 8;

  private record Key(NetworkSpec spec, Kernels kernels, int threads, int batch, int time) {}

  UnrolledPlan {
    if (batch < 1 || time < 1) {
      throw new IllegalArgumentException(
          "batch and time must be at least 1, not " + batch + " and " + time);
    }
  }

  /**
   * The backend's kernels, all matrices the way of the layers' largest. Tables of classes count for
   * nothing, as no product has them, nor does a head, which may be many times as large.
   */
  Kernels kernels() {
    NetworkSpec spec = network.spec();
    int rows = 0;
    int columns = 0;
    for (int l = 0; l < spec.layers().size(); l++) {
      LayerSpec layer = spec.layers().get(l);
      int gateRows = layer.cell().gates() * layer.hidden();
      int widest = Math.max(layer.outputSize(), spec.isOneHot(l) ? 0 : spec.layerInputSize(l));
      if ((long) gateRows * widest > (long) rows * columns) {
        rows = gateRows;
        columns = widest;
      }
    }
    return backend.batchKernels().withLargest(rows, columns);
  }

  /**
   * Whether to begin with the backend's own kernels: training wants them soon, not steps at once.
   */
  boolean startsReady() {
    return training || WarmUp.isOver(this);
  }

  @Override
  public Object key() {
    Kernels kernels = backend.kernels().with(network.weightFormat());
    return new Key(network.spec(), kernels, backend.threads(), batch, scratchTime());
  }

  @Override
  public boolean isHurried() {
    return true;
  }

  /*
   * So few steps that their products leave as many inputs beside those of kernels as the products
   * of all steps: of a block that is projected at once, of the last block, and of the head.
   */
  private int scratchTime() {
    int ahead = UnrolledLayer.ahead(time, batch);
    int steps = ahead + time % ahead;
    while ((long) (time - steps) * batch % KERNELS != 0) {
      steps += ahead;
    }
    return steps;
  }

  @Override
  public Unrolled make() {
    return new Unrolled(this, kernels(), Memory.sharing(memory));
  }

  @Override
  public WarmUp.Scratch scratch(Unrolled made) {
    Kernels kernels = kernels();
    Unrolled whole = scratch(network, kernels, batch, scratchTime());
    if (batch > 1) {
      int rows = rowsOfThread();
      Unrolled[] small = small(rows, UnrolledLayer.ahead(time, rows));
      return new Sequences(whole, List.of(() -> pass(small)));
    }
    /* Products of many rows, then those of one, which depend on the number of units. */
    Unrolled[] products = small(Math.min(time, KERNELS + time % KERNELS), 1);
    Unrolled steps = scratch(network, kernels, 1, Math.min(time, KERNEL + time % KERNEL));
    return new Sequences(whole, List.of(() -> pass(products), steps::run));
  }

  private void pass(Unrolled[] small) {
    for (Unrolled unrolled : small) {
      unrolled.run();
      if (training) {
        unrolled.backwardFromHead();
        unrolled.refresh();
      }
    }
  }

  private Unrolled scratch(Network of, Kernels kernels, int rows, int steps) {
    UnrolledPlan plan =
        new UnrolledPlan(of, backend, rows, steps, training, inputGradient, Memory.allocating());
    Unrolled scratch = new Unrolled(plan, kernels, plan.memory);
    scratch.begin();
    return scratch;
  }

  /*
   * So little to do for the same kernels as can be. Few gates of sixteen units fill no two panels,
   * and calls of a GRU of 32 have many rounds; beside one of sixteen they have less on average.
   */
  private Unrolled[] small(int rows, int steps) {
    Unrolled usual = small(units(), rows, steps);
    int gates = gates();
    return gates > 1 && gates < MANY_GATES
        ? new Unrolled[] {usual, small(FEW_UNITS, rows, steps)}
        : new Unrolled[] {usual};
  }

  private int units() {
    return gates() < MANY_GATES ? 2 * FEW_UNITS : FEW_UNITS;
  }

  private Unrolled small(int units, int rows, int steps) {
    Network small = Network.create(few(units), Initialization.PYTORCH, 0);
    return scratch(small.quantize(network.weightFormat()), kernels(), rows, steps);
  }

  /**
   * Has the kernels of training compiled by small networks, unless a training step is little work.
   * Otherwise C2 finds one kernel after the other, when the first step comes to it, and in the
   * middle of its loops.
   */
  void rehearse() {
    if (!backend.needsWarmUp()) {
      return;
    }
    int rows = rowsOfThread();
    int steps = Math.min(time, 1 + (KERNELS - 1) / rows);
    long work = (long) steps * rows * new ParameterLayout(few(units())).size();
    int least = rows < batch ? WORTHWHILE_SHARED : WORTHWHILE;
    if ((long) time * batch * network.layout().size() < least * work) {
      return;
    }
    Unrolled[] small = small(rows, steps);
    WarmUp.rehearse(() -> pass(small));
  }

  /* Rows of the sequences that one thread has at most. */
  private int rowsOfThread() {
    int parts = 1;
    for (LayerSpec layer : network.spec().layers()) {
      parts = Math.max(parts, UnrolledLayer.threads(backend.threads(), layer, batch));
    }
    return (batch + parts - 1) / parts;
  }

  /* Those of the layer that has the fewest. */
  private int gates() {
    int gates = MANY_GATES;
    for (LayerSpec l : network.spec().layers()) {
      gates = Math.min(gates, l.cell().gates());
    }
    return gates;
  }

  private NetworkSpec few(int least) {
    NetworkSpec spec = network.spec();
    int few = training ? FEW_IN_TRAINING : FEW;
    List<LayerSpec> layers = new ArrayList<>();
    for (LayerSpec l : spec.layers()) {
      int hidden = few(l.hidden(), least);
      int projection = few(l.projection(), least);
      hidden += hidden > projection ? 0 : least;
      layers.add(new LayerSpec(l.cell(), hidden, projection, l.bias(), l.options()));
    }
    return new NetworkSpec(
        spec.input(),
        Math.min(few, spec.inputSize()),
        Math.min(few, spec.embeddingSize()),
        layers,
        spec.topology(),
        spec.regularization(),
        Math.min(few, spec.outputSize()));
  }

  /* Few units, and as many more as leave the same rows beside panels. */
  private static int few(int units, int least) {
    return units < 2 * least ? units : least + units % least;
  }

  private static final class Sequences implements WarmUp.Scratch {
    private final Unrolled whole;
    private final List<Runnable> calls;
    private final float[] x;
    private final int[] ids;
    private final float[] y;

    Sequences(Unrolled whole, List<Runnable> calls) {
      this.whole = whole;
      this.calls = calls;
      int rows = whole.batch() * whole.time();
      boolean features = whole.network().spec().input() == NetworkSpec.Input.FEATURES;
      x = new float[features ? rows * whole.inputSize() : 0];
      ids = new int[features ? 0 : rows];
      y = new float[rows * whole.outputSize()];
    }

    @Override
    public int steps() {
      return Math.max(2, 100 / (whole.batch() * whole.time()));
    }

    @Override
    public List<Runnable> calls() {
      return calls;
    }

    @Override
    public void prepare() {
      whole.refresh();
    }

    @Override
    public void probe() {
      whole.run();
    }

    @Override
    public void step(int i) {
      if (x.length > 0) {
        whole.forward(whole.time(), x);
      } else {
        whole.forward(whole.time(), ids);
      }
      whole.output(y);
      whole.carryForward(whole.time());
    }
  }
}
