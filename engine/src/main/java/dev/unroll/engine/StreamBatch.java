package dev.unroll.engine;

/**
 * Many streams over one network, advanced together: row i goes on exactly as a {@link Stream} of
 * its own would. A step allocates nothing.
 *
 * <p>Starts on the scalar kernels and changes over as a {@link Stream} does, with the same bits.
 *
 * <p>Reads the network's parameters when it is made. Not safe for use by several threads.
 */
public final class StreamBatch {
  private final Unrolled step;

  /**
   * Streams from their initial state.
   *
   * @param network the network
   * @param backend the kernels
   * @param batch number of streams, B
   * @throws UnsupportedOperationException if the network is bidirectional
   */
  public StreamBatch(Network network, Backend backend, int batch) {
    if (network.spec().bidirectional()) {
      throw new UnsupportedOperationException(
          "a bidirectional network cannot stream: its reverse direction starts at the last step;"
              + " LookAhead runs it in chunks");
    }
    step = new Unrolled(network, backend, batch, 1, false);
  }

  /**
   * Advances every stream by one vector.
   *
   * @param x features [B, I]. Not modified.
   * @param y outputs [B, O]. Modified.
   * @throws IllegalArgumentException if a length does not fit or the network takes class ids
   */
  public void step(float[] x, float[] y) {
    step.forward(1, x);
    step.output(y);
    step.carryState();
  }

  /**
   * Advances every stream by one class id.
   *
   * @param ids classes [B]. Not modified.
   * @param y outputs [B, O]. Modified.
   * @throws IllegalArgumentException if an id or a length does not fit or the network takes
   *     features
   */
  public void step(int[] ids, float[] y) {
    step.forward(1, ids);
    step.output(y);
    step.carryState();
  }

  /**
   * Sets one stream back to the initial state.
   *
   * @param row the stream, in [0, B)
   * @throws IllegalArgumentException if there is no such stream
   */
  public void reset(int row) {
    step.clearRow(row);
  }

  /**
   * Copies one stream's state out, laid out as by {@link Stream#saveState}.
   *
   * @param row the stream, in [0, B)
   * @param h hidden states of all layers. Modified.
   * @param c cell states of the LSTM layers. Modified.
   * @throws IllegalArgumentException if there is no such stream or a length does not fit
   */
  public void saveState(int row, float[] h, float[] c) {
    step.moveRow(row, h, c, false);
  }

  /**
   * Copies a state into one stream; see {@link Stream#restoreState}.
   *
   * @param row the stream, in [0, B)
   * @param h hidden states of all layers. Not modified.
   * @param c cell states of the LSTM layers. Not modified.
   * @throws IllegalArgumentException if there is no such stream or a length does not fit
   */
  public void restoreState(int row, float[] h, float[] c) {
    step.moveRow(row, h, c, true);
  }
}
