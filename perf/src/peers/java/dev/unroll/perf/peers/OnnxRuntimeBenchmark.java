package dev.unroll.perf.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Set;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** The layer in ONNX Runtime, tensors pinned. */
public class OnnxRuntimeBenchmark extends PeerBenchmark {
  private OrtSession session;
  private OnnxTensor input;
  private OnnxTensor h;
  private OnnxTensor c;
  private OnnxTensor output;
  private Map<String, OnnxTensor> given;
  private Map<String, OnnxTensor> pinned;

  /** Called by JMH. */
  @SuppressWarnings("NullAway.Init")
  public OnnxRuntimeBenchmark() {}

  private static FloatBuffer floats(int n) {
    return ByteBuffer.allocateDirect(n * Float.BYTES)
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  /**
   * Makes both, and compares them over a few calls.
   *
   * @throws OrtException if ONNX Runtime refuses the model
   * @throws InterruptedException if interrupted while the kernels are compiled
   */
  @Setup
  public void setUp() throws OrtException, InterruptedException {
    prepare();
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    session = environment.createSession(OnnxLstm.model(network, time, batch), options);
    FloatBuffer in = floats(x.length);
    in.put(x).rewind();
    FloatBuffer outputs = floats(time * batch * hidden);
    input = OnnxTensor.createTensor(environment, in, new long[] {time, batch, inputs});
    h = OnnxTensor.createTensor(environment, floats(batch * hidden), new long[] {1, batch, hidden});
    c = OnnxTensor.createTensor(environment, floats(batch * hidden), new long[] {1, batch, hidden});
    output = OnnxTensor.createTensor(environment, outputs, new long[] {time, 1, batch, hidden});
    given = Map.of("X", input, "h0", h, "c0", c);
    /* A step writes its state where it reads it. */
    pinned = step ? Map.of("Y", output, "hn", h, "cn", c) : Map.of("Y", output);
    for (int i = 0; i < 3; i++) {
      unroll();
      onnxRuntime();
      compare(outputs::get);
    }
  }

  /**
   * A step, or a batch of sequences, by ONNX Runtime.
   *
   * @throws OrtException if it fails
   */
  @Benchmark
  public void onnxRuntime() throws OrtException {
    session.run(given, Set.of(), pinned).close();
  }

  /**
   * Frees what is native.
   *
   * @throws OrtException if it fails
   */
  @TearDown
  public void tearDown() throws OrtException {
    for (OnnxTensor tensor : new OnnxTensor[] {input, h, c, output}) {
      tensor.close();
    }
    session.close();
  }
}
