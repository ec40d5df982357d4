package dev.unroll.engine;

import java.util.Arrays;

/**
 * A bidirectional network over an endless sequence, in chunks with a limited view of the future
 * (latency-controlled, Zhang et al. 2016): the forward direction carries its state from chunk to
 * chunk, the reverse direction begins anew some steps after the chunk's end. The outputs are those
 * of the whole sequence but for what lies beyond that view.
 */
public final class LookAhead {
  private final Unrolled window;
  private final int chunk;
  private final float[] outputs;

  /**
   * Allocates the buffers.
   *
   * @param network the network
   * @param backend the kernels
   * @param batch sequences at a time, B
   * @param chunk steps to output at a time
   * @param ahead steps to see beyond them, at least 0
   * @throws IllegalArgumentException if a size does not fit
   */
  public LookAhead(Network network, Backend backend, int batch, int chunk, int ahead) {
    if (chunk < 1 || ahead < 0) {
      throw new IllegalArgumentException(
          "chunk must be at least 1 and ahead at least 0, not " + chunk + " and " + ahead);
    }
    this.chunk = chunk;
    int time = Math.addExact(chunk, ahead);
    window = new Unrolled(network, backend, batch, time, false);
    int row = Math.multiplyExact(batch, network.spec().networkOutputSize());
    outputs = new float[Math.multiplyExact(time, row)];
  }

  /**
   * Outputs the next chunk.
   *
   * @param x inputs [chunk + ahead, B, I]; the last {@code ahead} steps come again at the beginning
   *     of the next call. Not modified.
   * @param y outputs [chunk, B, O]. Modified.
   * @throws IllegalArgumentException if a length does not fit
   */
  public void next(float[] x, float[] y) {
    int size = chunk * window.batch() * window.outputSize();
    if (y.length != size) {
      throw new IllegalArgumentException("y must have " + size + " elements, not " + y.length);
    }
    window.forward(window.time(), x);
    window.output(outputs);
    System.arraycopy(outputs, 0, y, 0, size);
    window.carryForward(chunk);
  }

  /**
   * Outputs the last steps of the sequence and goes back to the initial state.
   *
   * @param x inputs [n, B, I] with n from 1 to chunk + ahead. Not modified.
   * @return outputs [n, B, O]
   * @throws IllegalArgumentException if the length does not fit
   */
  public float[] finish(float[] x) {
    int row = window.batch() * window.inputSize();
    if (x.length == 0 || x.length % row != 0) {
      throw new IllegalArgumentException(
          "x must have a multiple of " + row + " elements, not " + x.length);
    }
    int n = x.length / row;
    window.forward(n, x);
    float[] y = Arrays.copyOf(outputs, n * window.batch() * window.outputSize());
    window.output(y);
    window.clearState();
    return y;
  }
}
