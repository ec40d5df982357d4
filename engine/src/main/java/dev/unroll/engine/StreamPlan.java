package dev.unroll.engine;

import dev.unroll.fallback.Kernels;
import java.util.List;

/**
 * A stream's layers on the vector kernels.
 *
 * @param network as it was when the stream was made
 */
record StreamPlan(Network network, Backend backend) implements WarmUp.Plan<StreamLayers> {

  private record Key(NetworkSpec spec, Kernels kernels) {}

  @Override
  public Object key() {
    return new Key(network.spec(), backend.kernels().with(network.weightFormat()));
  }

  @Override
  public boolean isHurried() {
    return false;
  }

  @Override
  public StreamLayers make() {
    return new StreamLayers(network, backend.kernels());
  }

  @Override
  public WarmUp.Scratch scratch(StreamLayers made) {
    return new Steps(network.spec(), new StreamLayers(network, backend.kernels(), made));
  }

  /*
   * Most calls of a kernel do nothing, and a few show C2 which way a step goes. With more idle steps
   * before a real one C2 takes what a kernel does for rare, and spills registers inside its loops.
   */
  private static final int IDLE_STEPS = 8;

  private static final class Steps implements WarmUp.Scratch {
    private final NetworkSpec spec;
    private final StreamLayers layers;
    private final float[] x;
    private final float[] y;

    Steps(NetworkSpec spec, StreamLayers layers) {
      this.spec = spec;
      this.layers = layers;
      x = new float[spec.inputSize()];
      y = new float[spec.networkOutputSize()];
    }

    @Override
    public List<Runnable> calls() {
      return List.of(this::callKernels);
    }

    private void callKernels() {
      for (int i = 0; i < IDLE_STEPS; i++) {
        layers.callKernels(true);
      }
      layers.callKernels(false);
    }

    @Override
    public void step(int i) {
      if (spec.input() == NetworkSpec.Input.FEATURES) {
        x[i % x.length] = (i & 15) / 16f;
        layers.step(x, y);
      } else {
        layers.step(i % spec.inputSize(), y);
      }
    }

    @Override
    public void probe() {
      layers.rehearse(x, y);
    }
  }
}
