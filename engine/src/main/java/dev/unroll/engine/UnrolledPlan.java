package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import java.util.ArrayList;
import java.util.List;

/**
 * Sequences on the vector kernels, over the buffers of those that the caller begins with. Their
 * weights are packed when the caller changes over.
 *
 * @param memory what hands out the caller's buffers
 */
record UnrolledPlan(
    Network network, Backend backend, int batch, int time, boolean training, Memory memory)
    implements WarmUp.Plan<Unrolled> {
  /* Inputs of the largest kernel over weights of few elements. */
  private static final int KERNEL = 8;

  /* Inputs and outputs of the small network. */
  private static final int FEW = 16;

  private record Key(NetworkSpec spec, Kernels kernels, int threads, int batch, int time) {}

  UnrolledPlan {
    if (batch < 1 || time < 1) {
      throw new IllegalArgumentException(
          "batch and time must be at least 1, not " + batch + " and " + time);
    }
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
   * So few steps that their products leave as many inputs beside those of the largest kernel as the
   * products of all steps.
   */
  private int scratchTime() {
    int period = KERNEL * UnrolledLayer.ahead(time, batch);
    return time <= 2 * period ? time : period + time % period;
  }

  @Override
  public Unrolled make() {
    return new Unrolled(this, backend.batchKernels(), Memory.sharing(memory));
  }

  @Override
  public WarmUp.Scratch scratch(Unrolled made) {
    return new Sequences(scratch(network, scratchTime()), small());
  }

  private Unrolled scratch(Network of, int steps) {
    UnrolledPlan plan = new UnrolledPlan(of, backend, batch, steps, training, Memory.allocating());
    Unrolled scratch = new Unrolled(plan, backend.batchKernels(), plan.memory);
    scratch.begin();
    return scratch;
  }

  /* So little to do for the same kernels as can be; those of one row depend on the number of units. */
  private Unrolled small() {
    if (batch == 1) {
      return scratch(network, Math.min(time, KERNEL + time % KERNEL));
    }
    Network small = Network.create(few(network.spec()), Initialization.PYTORCH, 0);
    return scratch(small.quantize(network.weightFormat()), UnrolledLayer.ahead(time, batch));
  }

  private static NetworkSpec few(NetworkSpec spec) {
    List<LayerSpec> layers = new ArrayList<>();
    for (LayerSpec l : spec.layers()) {
      int hidden = few(l.hidden());
      int projection = Math.min(hidden, l.projection());
      layers.add(new LayerSpec(l.cell(), hidden, projection, l.bias(), l.options()));
    }
    return new NetworkSpec(
        spec.input(),
        Math.min(FEW, spec.inputSize()),
        Math.min(FEW, spec.embeddingSize()),
        layers,
        spec.topology(),
        spec.regularization(),
        Math.min(FEW, spec.outputSize()));
  }

  /* Panels have two vectors of rows, of sixteen floats at most. */
  private static int few(int units) {
    int pair = 2 * Kernels.LANES;
    return units < 2 * pair ? units : pair + units % pair;
  }

  private static final class Sequences implements WarmUp.Scratch {
    private final Unrolled whole;
    private final Unrolled small;
    private final float[] x;
    private final int[] ids;
    private final float[] y;

    Sequences(Unrolled whole, Unrolled small) {
      this.whole = whole;
      this.small = small;
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
    public void callKernels() {
      small.run();
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
