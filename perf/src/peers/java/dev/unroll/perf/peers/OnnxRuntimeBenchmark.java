package dev.unroll.perf.peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Stream;
import dev.unroll.engine.Unrolled;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One LSTM layer here and in ONNX Runtime, one thread each, tensors pinned; the results are compared
 * before anything is measured. T x B x inputs x hidden; with T = B = 1 it is a step with the state
 * carried.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 1, jvmArgs = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 7, time = 1)
public class OnnxRuntimeBenchmark {
  private static final float TOLERANCE = 1e-4f;

  /** Steps, sequences, inputs, hidden size. */
  @Param({"1x1x16x32", "1x1x40x64", "1x1x128x256", "32x1x64x128", "64x32x128x256"})
  public String size = "";

  private int time;
  private boolean step;
  private float[] x;
  private float[] y;
  private Stream stream;
  private Unrolled unrolled;
  private OrtSession session;
  private OnnxTensor input;
  private OnnxTensor h;
  private OnnxTensor c;
  private OnnxTensor output;
  private FloatBuffer outputs;
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
   */
  @Setup
  public void setUp() throws OrtException {
    int[] sizes = Arrays.stream(size.split("x", -1)).mapToInt(Integer::parseInt).toArray();
    time = sizes[0];
    int batch = sizes[1];
    int inputs = sizes[2];
    int hidden = sizes[3];
    step = time * batch == 1;
    NetworkSpec spec = NetworkSpec.recurrent(inputs, 1, LayerSpec.of(CellKind.LSTM, hidden));
    Network network = Network.create(spec, Initialization.PYTORCH, 1);
    stream = new Stream(network);
    unrolled = new Unrolled(network, Backend.preferred(), batch, time, false);
    x = new float[time * batch * inputs];
    for (int i = 0; i < x.length; i++) {
      x[i] = (i % 19 - 9) / 9f;
    }
    y = new float[time * batch * hidden];

    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    session = environment.createSession(OnnxLstm.model(network, time, batch), options);
    FloatBuffer in = floats(x.length);
    in.put(x).rewind();
    outputs = floats(y.length);
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
      compare();
    }
  }

  private void compare() {
    if (!step) {
      unrolled.output(y);
    }
    for (int i = 0; i < y.length; i++) {
      if (!(Math.abs(y[i] - outputs.get(i)) <= TOLERANCE)) {
        throw new IllegalStateException(
            "output " + i + ": " + y[i] + " here, " + outputs.get(i) + " in ONNX Runtime");
      }
    }
  }

  /** A step of a stream, or a batch of sequences, by Unroll. */
  @Benchmark
  public void unroll() {
    if (step) {
      stream.step(x, y);
    } else {
      unrolled.forward(time, x);
    }
  }

  /**
   * The same by ONNX Runtime.
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
