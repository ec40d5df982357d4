package dev.unroll.perf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The machine's own limits, for rooflines: floating-point operations (GFLOP/s) and reads (GB/s) of
 * one core.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgs = "--add-modules=jdk.incubator.vector")
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
public class LimitBenchmark {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int FLOPS = 1 << 22;
  private static final int BYTES = 1 << 26;

  /** Called by JMH. */
  public LimitBenchmark() {}

  /** Memory of some size. */
  @State(Scope.Thread)
  public static class Memory {
    /** How much is read again and again. */
    @Param({"16", "512", "4096", "65536"})
    public int kilobytes;

    private MemorySegment segment;

    /** Called by JMH. */
    @SuppressWarnings("NullAway.Init")
    public Memory() {}

    /** Allocates it. */
    @Setup
    public void setUp() {
      segment = Arena.ofAuto().allocate(kilobytes * 1024L, 64);
    }
  }

  /** Fused multiply-adds of the widest vectors the processor has. */
  @Benchmark
  @OperationsPerInvocation(FLOPS)
  public float fma() {
    return multiplyAdd();
  }

  /** The same of 256 bits. */
  @Benchmark
  @Fork(
      value = 1,
      jvmArgs = {
        "--add-modules=jdk.incubator.vector",
        "-XX:+IgnoreUnrecognizedVMOptions",
        "-XX:UseAVX=2"
      })
  @OperationsPerInvocation(FLOPS)
  public float fma256() {
    return multiplyAdd();
  }

  /** Reads. */
  @Benchmark
  @OperationsPerInvocation(BYTES)
  public float read(Memory memory) {
    return readAll(memory.segment, BYTES / (memory.kilobytes * 1024));
  }

  private static float multiplyAdd() {
    FloatVector x = FloatVector.broadcast(SPECIES, 0.5f);
    FloatVector y = FloatVector.broadcast(SPECIES, 1f);
    FloatVector a0 = x;
    FloatVector a1 = x;
    FloatVector a2 = x;
    FloatVector a3 = x;
    FloatVector a4 = x;
    FloatVector a5 = x;
    FloatVector a6 = x;
    FloatVector a7 = x;
    FloatVector a8 = x;
    FloatVector a9 = x;
    for (int i = 0; i < FLOPS / 20 / SPECIES.length(); i++) {
      a0 = a0.fma(x, y);
      a1 = a1.fma(x, y);
      a2 = a2.fma(x, y);
      a3 = a3.fma(x, y);
      a4 = a4.fma(x, y);
      a5 = a5.fma(x, y);
      a6 = a6.fma(x, y);
      a7 = a7.fma(x, y);
      a8 = a8.fma(x, y);
      a9 = a9.fma(x, y);
    }
    FloatVector low = a0.add(a1).add(a2).add(a3).add(a4);
    return low.add(a5).add(a6).add(a7).add(a8).add(a9).lane(0);
  }

  private static float readAll(MemorySegment m, int passes) {
    int length = SPECIES.vectorByteSize();
    ByteOrder order = ByteOrder.nativeOrder();
    FloatVector a0 = FloatVector.zero(SPECIES);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    long end = m.byteSize();
    for (int pass = 0; pass < passes; pass++) {
      for (long i = 0; i < end; i += 4L * length) {
        a0 = a0.add(FloatVector.fromMemorySegment(SPECIES, m, i, order));
        a1 = a1.add(FloatVector.fromMemorySegment(SPECIES, m, i + length, order));
        a2 = a2.add(FloatVector.fromMemorySegment(SPECIES, m, i + 2L * length, order));
        a3 = a3.add(FloatVector.fromMemorySegment(SPECIES, m, i + 3L * length, order));
      }
    }
    return a0.add(a1).add(a2).add(a3).lane(0);
  }
}
