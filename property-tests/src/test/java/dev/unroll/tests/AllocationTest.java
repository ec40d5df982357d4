package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.unroll.engine.Backend;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.CellOptions;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Loss;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Optimizer;
import dev.unroll.engine.Regularization;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Schedule;
import dev.unroll.engine.Stream;
import dev.unroll.engine.StreamBatch;
import dev.unroll.engine.Topology;
import dev.unroll.engine.Trainer;
import dev.unroll.engine.Unrolled;
import dev.unroll.fallback.WeightFormat;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 0 bytes per step, sequence and training step, once C2 has compiled the kernels. */
class AllocationTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final Backend VECTORS = Backend.of(Backend.preferred().kernels());
  private static final int CALLS = 200;
  private static final long PATIENCE_NANOS = 30_000_000_000L;

  /* Until compiled, vector code boxes; a round without any byte proves that it no longer does. */
  private static void assertNoBytes(Runnable action) {
    long least = Long.MAX_VALUE;
    long start = System.nanoTime();
    while (least > 0 && System.nanoTime() - start < PATIENCE_NANOS) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < CALLS; i++) {
        action.run();
      }
      least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    assertEquals(0, least, "bytes in " + CALLS + " calls");
  }

  /* The program's own count in a virtual machine of its own. Returns what that machine logged. */
  private static String assertNoBytesIn(
      String program, String args, String kernels, String... options)
      throws IOException, InterruptedException {
    Forked.Result result = run(program, args, kernels, options);
    assertEquals("0 bytes", result.out().strip());
    return result.err();
  }

  private static Forked.Result run(String program, String args, String kernels, String... options)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>();
    all.add("--add-modules=jdk.incubator.vector");
    all.add("-Dunroll.kernels=" + kernels);
    all.add("-XX:+IgnoreUnrecognizedVMOptions");
    all.addAll(List.of(options));
    Forked.Result result = Forked.run(all, "dev.unroll.tests." + program, List.of(args.split(" ")));
    assertEquals(0, result.code(), result.err());
    return result;
  }

  /* Of each cell, the usual one in sizes that take different kernels, and one with everything. */
  static java.util.stream.Stream<NetworkSpec> networks() {
    List<NetworkSpec> specs = new ArrayList<>();
    for (CellKind cell : CellKind.values()) {
      for (int hidden : new int[] {7, 14, 28, 40}) {
        specs.add(NetworkSpec.recurrent(20, 2, LayerSpec.of(cell, hidden)).withHead(10));
      }
    }
    CellOptions lstm = new CellOptions(false, true, true, true, 3f, List.of());
    CellOptions gru = new CellOptions(true, false, false, false, 3f, List.of());
    Regularization noise = new Regularization(0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f);
    for (LayerSpec layer :
        List.of(
            new LayerSpec(CellKind.LSTM, 40, 12, true, lstm),
            LayerSpec.of(CellKind.GRU, 40).with(gru))) {
      specs.add(
          NetworkSpec.recurrent(20, 2, layer)
              .with(new Topology(false, false, true, true, true))
              .with(noise)
              .withHead(10));
    }
    return specs.stream();
  }

  private static Network network(NetworkSpec spec) {
    return Network.create(spec, Initialization.PYTORCH, 1);
  }

  @ParameterizedTest
  @MethodSource("networks")
  void aStepAllocatesNothing(NetworkSpec spec) {
    Stream stream = new Stream(network(spec), VECTORS);
    float[] x = new float[20];
    float[] y = new float[10];
    assertNoBytes(() -> stream.step(x, y));
  }

  @ParameterizedTest
  @EnumSource(WeightFormat.class)
  void aStepOverReducedWeightsAllocatesNothing(WeightFormat format) {
    NetworkSpec spec = NetworkSpec.recurrent(21, 2, LayerSpec.of(CellKind.LSTM, 43)).withHead(10);
    Stream stream = new Stream(network(spec).quantize(format), VECTORS);
    float[] x = new float[21];
    float[] y = new float[10];
    assertNoBytes(() -> stream.step(x, y));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void aStepOfManyStreamsAllocatesNothing(NetworkSpec spec) {
    StreamBatch streams = new StreamBatch(network(spec), VECTORS, 5);
    float[] x = new float[5 * 20];
    float[] y = new float[5 * 10];
    assertNoBytes(() -> streams.step(x, y));
  }

  @Test
  void aStreamAllocatesNothingFromItsFirstStepOn() throws InterruptedException {
    Network network = network(NetworkSpec.recurrent(20, 1, LayerSpec.of(CellKind.LSTM, 40)));
    Stream stream = new Stream(network);
    Stream scalar = new Stream(network, Backend.choose("fallback"));
    float[] x = new float[20];
    float[] y = new float[40];
    float[] expected = new float[40];
    THREADS.getCurrentThreadAllocatedBytes();
    long bytes = THREADS.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < CALLS; i++) {
      stream.step(x, y);
    }
    assertEquals(0, THREADS.getCurrentThreadAllocatedBytes() - bytes, "before the hand-over");
    Backend.warmUp();
    stream.step(x, y); // hands over
    for (int i = 0; i <= CALLS; i++) {
      scalar.step(x, expected);
    }
    assertArrayEquals(expected, y, "across the hand-over");
    assertNoBytes(() -> stream.step(x, y));
  }

  /*
   * Not even once: in a virtual machine of its own, where nothing else was compiled; with sixteen
   * vector registers too. A kernel that is too much for C1 may never be compiled by C2.
   */
  @ParameterizedTest
  @CsvSource({
    "LSTM 64 0 1 F32 0, 3",
    "LSTM 20 9 2 F32 0, 3",
    "LSTM 16 0 1 F32 0, 2",
    "LSTM 40 0 1 BF16 0, 3",
    "GRU 16 0 3 F32 0, 3",
    "GRU 16 0 1 F32 0, 2",
    "GRU 34 0 1 F32 0, 3",
    "GRU 40 0 1 F32 0, 3",
    "GRU 24 0 1 F32 0, 2",
    "RNN_TANH 40 0 1 F32 0, 3",
    "RNN_TANH 20 0 1 F32 0, 2",
    "RNN_TANH 720 0 1 F32 0, 3",
    "RNN_RELU 64 0 1 INT8 0, 3"
  })
  void aStreamAllocatesNothingOverItsHandOver(String network, int avx)
      throws IOException, InterruptedException {
    String log =
        assertNoBytesIn(
            "HandOver",
            network,
            System.getProperty("tests.kernels", "auto"),
            "-XX:UseAVX=" + avx,
            "-XX:+PrintCompilation",
            "-XX:+DisplayVMOutputToStderr");
    List<String> refused =
        log.lines().filter(l -> l.matches(".*dev\\.unroll.*COMPILE SKIPPED.*")).toList();
    assertEquals(List.of(), refused);
  }

  /* Kernels that C2 has compiled for one network's steps serve the next one's as they are. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "RNN_TANH 1 8 1 RNN_TANH 27 13 1",
        "RNN_RELU 4 4 1 RNN_TANH 5 16 1",
        "RNN_TANH 2 20 1 RNN_RELU 27 31 1",
        "RNN_TANH 1 40 1 RNN_RELU 30 35 2",
        "LSTM 1 8 1 LSTM 27 13 2",
        "LSTM 1 24 1 GRU 30 31 1",
        "GRU 1 24 1 GRU 30 31 2",
        "GRU 1 40 1 LSTM 30 80 1"
      })
  void aStreamAllocatesNothingWhileAnotherNetworkBegins(String networks)
      throws IOException, InterruptedException {
    assertNoBytesIn("Neighbour", networks, System.getProperty("tests.kernels", "auto"));
  }

  /*
   * A batch of streams allocates no vector either. Its classes have messages, and the virtual machine
   * makes the strings of a class in the caller before it compiles a method, once.
   */
  @ParameterizedTest
  @CsvSource({
    "LSTM 40 0 1 F32 16, 3",
    "LSTM 20 9 2 F32 5, 3",
    "GRU 64 0 1 F32 3, 3",
    "GRU 20 0 1 F32 1, 3",
    "GRU 32 0 1 F32 1, 3",
    "RNN_TANH 33 0 2 INT8 4, 3",
    "LSTM 30 0 1 F32 7, 2"
  })
  void aBatchAllocatesOnlyStringsOverItsHandOver(String network, int avx)
      throws IOException, InterruptedException {
    String kernels = System.getProperty("tests.kernels", "auto");
    String out = run("HandOver", network, kernels, "-XX:UseAVX=" + avx).out().strip();
    long bytes = Long.parseLong(out.replace(" bytes", ""));
    assertTrue(bytes < 8192, out);
  }

  /* With sixteen vector registers too; scalar kernels also where C2 removes nothing. */
  @ParameterizedTest
  @CsvSource({
    "LSTM 40 5 1000000, -XX:UseAVX=2",
    "GRU 60 7 1000000, -XX:UseAVX=2",
    "LSTM 50 13 1000000, -XX:UseAVX=3",
    "GRU 24 3 1000000, -XX:UseAVX=3",
    "LSTM 20 5 20, -XX:TieredStopAtLevel=1",
    "GRU 20 2 20, -XX:TieredStopAtLevel=1"
  })
  void aTrainingStepAllocatesNothingInItsOwnVirtualMachine(String network, String option)
      throws IOException, InterruptedException {
    boolean scalar = option.contains("Tiered");
    String kernels = scalar ? "fallback" : System.getProperty("tests.kernels", "auto");
    assertNoBytesIn("TrainingBytes", network, kernels, option);
  }

  @ParameterizedTest
  @MethodSource("networks")
  void aSequenceAllocatesNothing(NetworkSpec spec) {
    Unrolled unrolled = new Unrolled(network(spec), VECTORS, 1, 5, false);
    float[] x = new float[5 * 20];
    float[] y = new float[5 * 10];
    assertNoBytes(
        () -> {
          unrolled.forward(5, x);
          unrolled.output(y);
        });
  }

  @ParameterizedTest
  @MethodSource("networks")
  void aSequenceAndItsBpttAllocateNothing(NetworkSpec spec) {
    Network network = network(spec);
    Unrolled unrolled = new Unrolled(network, Backend.preferred(), 5, 3, true);
    Rng noise = new Rng(1);
    unrolled.setNoise(noise);
    float[] x = new float[5 * 3 * 20];
    float[] dy = new float[5 * 3 * 10];
    float[] dh = new float[5 * spec.hiddenStateSize()];
    float[] dc = new float[5 * spec.cellStateSize()];
    assertNoBytes(
        () -> {
          unrolled.forward(3, x);
          unrolled.output(dy);
          unrolled.backward(dy, dh, dc);
        });
  }

  @ParameterizedTest
  @EnumSource(
      value = CellKind.class,
      names = {"LSTM", "GRU"})
  void aTrainingStepOnThreadsAllocatesNothing(CellKind cell) {
    Network network = network(NetworkSpec.recurrent(20, 1, LayerSpec.of(cell, 128)).withHead(10));
    Trainer trainer =
        new Trainer(
            network,
            Backend.preferred().withThreads(2),
            new Trainer.Options(
                32, 2, Loss.SOFTMAX_CROSS_ENTROPY, Optimizer.Adam.defaults(), false));
    float[] x = new float[32 * 2 * 20];
    int[] target = new int[32 * 2];
    assertNoBytes(() -> trainer.step(x, target));
  }

  @ParameterizedTest
  @MethodSource("networks")
  void aTrainingStepAllocatesNothing(NetworkSpec spec) {
    Trainer trainer =
        new Trainer(
            network(spec),
            Backend.preferred(),
            new Trainer.Options(4, 3, Loss.SOFTMAX_CROSS_ENTROPY, Optimizer.Adam.defaults(), true));
    float[] x = new float[4 * 3 * 20];
    int[] target = new int[4 * 3];
    trainer.setClipNorm(0.1f);
    trainer.setSchedule(new Schedule.Cosine(1000, 0.1));
    assertNoBytes(() -> trainer.step(x, target));
  }
}
