package dev.unroll.perf.peers;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** The layer in PyTorch, called through DJL. */
@Fork(
    value = 1,
    jvmArgsAppend = {"-Dai.djl.offline=true", "-Dai.djl.pytorch.num_threads=1"})
public class PyTorchBenchmark extends PeerBenchmark {
  private NDManager manager;
  private NDArray input;
  private NDList parameters;
  private NDList state;
  private NDArray output;

  /** Called by JMH. */
  @SuppressWarnings("NullAway.Init")
  public PyTorchBenchmark() {}

  /**
   * Makes both, and compares them over a few calls.
   *
   * @throws InterruptedException if interrupted while the kernels are compiled
   */
  @Setup
  public void setUp() throws InterruptedException {
    prepare();
    manager = NDManager.newBaseManager();
    input = manager.create(x, new Shape(time, batch, inputs));
    parameters =
        new NDList(
            manager.create(network.get("weight_ih_l0"), new Shape(4L * hidden, inputs)),
            manager.create(network.get("weight_hh_l0"), new Shape(4L * hidden, hidden)),
            manager.create(network.get("bias_ih_l0")),
            manager.create(network.get("bias_hh_l0")));
    Shape shape = new Shape(1, batch, hidden);
    state = new NDList(manager.zeros(shape), manager.zeros(shape));
    output = manager.zeros(shape);
    for (int i = 0; i < 3; i++) {
      unroll();
      pyTorch();
      float[] outputs = output.toFloatArray();
      compare(at -> outputs[at]);
    }
  }

  /** A step, or a batch of sequences, by PyTorch. */
  @Benchmark
  public void pyTorch() {
    output.close();
    NDList result =
        input.getNDArrayInternal().lstm(input, state, parameters, true, 1, 0, false, false, false);
    output = result.get(0);
    if (step) {
      state.close();
      state = result.subNDList(1);
    } else {
      result.subNDList(1).close();
    }
  }

  /** Frees what is native. */
  @TearDown
  public void tearDown() {
    manager.close();
  }
}
