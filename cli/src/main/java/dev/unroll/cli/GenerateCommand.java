package dev.unroll.cli;

import com.sun.management.ThreadMXBean;
import dev.unroll.engine.ModelFile;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Stream;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
    name = "generate",
    description = {
      "Writes text, one character (word, byte) a step.",
      "Afterwards prints to standard error the latency of a step and the bytes it allocated."
    },
    showDefaultValues = true,
    mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private ModelChoice model;
  @Mixin private KernelChoice kernels;
  @Mixin private WeightChoice weights;

  @Option(names = "--prompt", paramLabel = "TEXT", description = "Text to continue.")
  private String prompt = "";

  @Option(names = "--length", paramLabel = "N", description = "Characters (words, bytes) to write.")
  private int length = 500;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "1 samples as learned, less is bolder, 0 takes the likeliest.")
  private double temperature = 1;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Draw out of the K likeliest only; 0: all.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Draw out of the fewest whose probabilities add up to P.")
  private double topP = 1;

  @Option(names = "--seed", paramLabel = "SEED", description = "Seed of the samples.")
  private long seed = 1;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private long allocated;

  @SuppressWarnings("NullAway.Init")
  GenerateCommand() {}

  @Override
  public Integer call() throws IOException {
    if (length < 1) {
      throw new UsageException("--length must be at least 1, not " + length);
    }
    if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
      throw new UsageException("--temperature must be finite and not negative");
    }
    if (topK < 0) {
      throw new UsageException("--top-k must not be negative, not " + topK);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new UsageException("--top-p must be above 0 and at most 1, not " + topP);
    }
    ModelFile file = model.load();
    Vocabulary vocabulary = Vocabulary.of(file.attributes(), model.path().toString());
    if (vocabulary.size() != file.network().spec().inputSize()
        || vocabulary.size() != file.network().spec().networkOutputSize()) {
      throw new UsageException(model.path() + ": vocabulary and network have different sizes");
    }
    int[] start = vocabulary.encode(prompt.isEmpty() ? firstCharacter(vocabulary) : prompt);
    Stream stream = new Stream(weights.apply(file.network()), kernels.backend());
    Stream exact = weights.isReduced() ? new Stream(file.network(), kernels.backend()) : null;
    generate(stream, exact, vocabulary, start);
    return 0;
  }

  private static String firstCharacter(Vocabulary vocabulary) {
    return vocabulary.knows("\n") ? "\n" : vocabulary.decode(0);
  }

  private void generate(Stream stream, @Nullable Stream exact, Vocabulary vocabulary, int[] start) {
    PrintWriter out = spec.commandLine().getOut();
    float[] logits = new float[vocabulary.size()];
    float[] expected = new float[vocabulary.size()];
    Sampler sampler = new Sampler(vocabulary.size(), temperature, topK, topP, new Rng(seed));
    threads.getCurrentThreadAllocatedBytes(); // the first call allocates itself
    long[] nanos = new long[Math.addExact(start.length, length)];
    int at = 0;
    for (int id : start) {
      nanos[at++] = timedStep(stream, id, logits);
      compare(exact, id, expected, logits);
    }
    out.print(prompt);
    for (int i = 0; i < length; i++) {
      int id = sampler.sample(logits);
      out.print(vocabulary.decode(id));
      out.flush();
      nanos[at++] = timedStep(stream, id, logits);
      compare(exact, id, expected, logits);
    }
    out.println();
    out.flush();
    Arrays.sort(nanos);
    System.err.printf(
        Locale.ROOT,
        "%d steps: p50 %s, p99 %s, p99.9 %s, max %s; %d bytes allocated per step%n",
        at,
        Sizes.nanos(percentile(nanos, 0.5)),
        Sizes.nanos(percentile(nanos, 0.99)),
        Sizes.nanos(percentile(nanos, 0.999)),
        Sizes.nanos(nanos[at - 1]),
        allocated / at);
    if (weights.isReduced()) {
      weights.report();
    }
  }

  private void compare(@Nullable Stream exact, int id, float[] expected, float[] logits) {
    if (exact != null) {
      exact.step(id, expected);
      weights.compare(logits, expected);
    }
  }

  private long timedStep(Stream stream, int id, float[] logits) {
    long before = threads.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    stream.step(id, logits);
    long nanos = System.nanoTime() - start;
    allocated += threads.getCurrentThreadAllocatedBytes() - before;
    return nanos;
  }

  private static long percentile(long[] sorted, double part) {
    return sorted[Math.min(sorted.length - 1, (int) (sorted.length * part))];
  }
}
