package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.cli.Main;
import dev.unroll.engine.Safetensors;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command, as typed: results, exit codes, and one clear line for anything that is wrong. */
class CommandTest {
  @TempDir Path directory = Path.of("");

  record Result(int code, String out, String err) {}

  static Result unroll(Object... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream o = new ByteArrayOutputStream();
    ByteArrayOutputStream e = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(o, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(e, true, StandardCharsets.UTF_8));
      String[] typed = new String[args.length];
      for (int i = 0; i < args.length; i++) {
        typed[i] = args[i].toString();
      }
      int code = Main.run(typed);
      return new Result(
          code, o.toString(StandardCharsets.UTF_8), e.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  static void refused(String part, Object... args) {
    Result r = unroll(args);
    assertEquals(2, r.code(), r.out() + r.err());
    assertTrue(r.err().contains(part), r.err());
    assertEquals(1, r.err().lines().count(), r.err());
    assertFalse(r.err().contains("\tat "), r.err());
  }

  private static Path golden(String name) {
    return Golden.files("torch").filter(p -> p.endsWith(name)).findFirst().orElseThrow();
  }

  private Path text() throws IOException {
    Path file = directory.resolve("text.txt");
    Files.writeString(file, "to be, or not to be, that is the question. ".repeat(100));
    return file;
  }

  @Test
  void trainGenerateInspect() throws IOException {
    Path model = directory.resolve("m.safetensors");
    Result train =
        unroll(
            "train",
            "--text",
            text(),
            "--hidden",
            24,
            "--steps",
            250,
            "--batch",
            8,
            "--time",
            16,
            "--lr",
            0.02,
            "--out",
            model);
    assertEquals(0, train.code(), train.err());
    String loss = train.out().replaceAll("(?s).*validation loss ([0-9.]+) nats.*", "$1");
    assertTrue(Double.parseDouble(loss) < 0.5, train.out());
    Result text =
        unroll(
            "generate",
            "--model",
            model,
            "--prompt",
            "or not to be",
            "--length",
            60,
            "--temperature",
            0);
    assertEquals(0, text.code(), text.err());
    assertTrue(
        text.out().startsWith("or not to be, that is the question. to be, or not to be, that is"),
        text.out());
    assertTrue(
        text.err().matches("(?s)72 steps: p50 .*, max .* bytes allocated per step\n"), text.err());
    Result inspect = unroll("inspect", model);
    assertTrue(inspect.out().contains("lstm.weight_hh_l0"), inspect.out());
    assertEquals(0, inspect.code());
    refused("does not know the character '#'", "generate", "--model", model, "--prompt", "#");
  }

  @Test
  void theSameSeedGivesTheSameModelOnBothKernels() throws IOException {
    byte[][] files = new byte[2][];
    String[] kernels = {"auto", "fallback"};
    for (int i = 0; i < 2; i++) {
      Path model = directory.resolve("m" + i);
      Result r =
          unroll(
              "train",
              "--text",
              text(),
              "--cell",
              "rnn",
              "--hidden",
              8,
              "--layers",
              2,
              "--steps",
              20,
              "--batch",
              4,
              "--time",
              8,
              "--seed",
              7,
              "--kernels",
              kernels[i],
              "--out",
              model);
      assertEquals(0, r.code(), r.err());
      files[i] = Files.readAllBytes(model);
    }
    assertArrayEquals(files[0], files[1]);
  }

  @Test
  void runAndGradientsGiveTheSameFileOnBothKernels() throws IOException {
    for (Path path : Golden.files("torch").toList()) {
      for (String command : new String[] {"run", "gradients"}) {
        Path auto = directory.resolve("auto");
        Path fallback = directory.resolve("fallback");
        Result a = unroll(command, "--model", path, "--input", path, "--output", auto);
        assertEquals(0, a.code(), a.err());
        unroll(
            command,
            "--model",
            path,
            "--input",
            path,
            "--output",
            fallback,
            "--kernels",
            "fallback");
        assertArrayEquals(Files.readAllBytes(auto), Files.readAllBytes(fallback), path.toString());
      }
    }
    try (Safetensors result = Safetensors.open(directory.resolve("auto"))) {
      assertTrue(result.entries().containsKey("grad.weight_hh_l0"));
      assertTrue(result.entries().containsKey("grad.h0"));
    }
  }

  @Test
  void badUsageIsOneLine() throws IOException {
    Path golden = golden("lstm_i3_h5_b2_t7_l1_s1.safetensors");
    Path out = directory.resolve("o");
    Path none = directory.resolve("none");
    refused("subcommand is missing");
    refused("Unmatched argument", "fly");
    refused("--model", "run", "--input", golden, "--output", out);
    refused("no such file", "run", "--model", none, "--input", golden, "--output", out);
    refused("directory", "run", "--model", directory, "--input", golden, "--output", out);
    refused(
        "does not exist",
        "run",
        "--model",
        golden,
        "--input",
        golden,
        "--output",
        none.resolve("o"));
    refused("gpu", "info", "--kernels", "gpu");
    refused("not a safetensors file", "inspect", text());
    refused("no language model", "generate", "--model", golden);
    refused("--steps", "train", "--text", text(), "--steps", 0, "--out", out);
    refused("--hidden", "train", "--text", text(), "--hidden", "many", "--out", out);
    refused("windows of 9000", "train", "--text", text(), "--time", 9000, "--out", out);
    refused("--lr must", "train", "--text", text(), "--lr", "NaN", "--out", out);
    refused("--clip must", "train", "--text", text(), "--clip", -1, "--out", out);
    refused("no such file", "train", "--text", none, "--out", out);
    refused("must name a file", "train", "--text", text(), "--out", directory);
    refused("heap is limited", "train", "--text", text(), "--hidden", 16000, "--out", out);
    refused("2^31", "train", "--text", text(), "--hidden", 2_000_000_000, "--out", out);
    refused("2^31", "train", "--text", text(), "--batch", 2_000_000_000, "--out", out);
    assertFalse(Files.exists(out));
  }

  @Test
  void badSequencesAreNamed() throws IOException {
    Path golden = golden("lstm_i3_h5_b2_t7_l1_s1.safetensors");
    Path rnn = golden("rnn_tanh_i3_h5_b2_t7_l2_s1.safetensors");
    Path bad = directory.resolve("bad");
    Path out = directory.resolve("o");
    Object[] run = {"run", "--model", golden, "--input", bad, "--output", out};
    write(bad, Map.of());
    refused("'input' is missing", run);
    write(bad, Map.of("input", Safetensors.Tensor.of(new float[6], 2, 3)));
    refused("[T, B, I]", run);
    write(bad, Map.of("input", Safetensors.Tensor.of(new float[4], 1, 1, 4)));
    refused("takes 3", run);
    write(bad, Map.of("input", Safetensors.Tensor.of(new float[0], 0, 1, 3)));
    refused("at least 1", run);
    Safetensors.Tensor fine = Safetensors.Tensor.of(new float[3], 1, 1, 3);
    write(bad, Map.of("input", fine, "h_0", fine));
    refused("unknown tensor 'h_0'", run);
    write(bad, Map.of("input", fine, "h0", Safetensors.Tensor.of(new float[4], 1, 1, 4)));
    refused("'h0' must have the shape [1, 1, 5]", run);
    write(bad, Map.of("input", fine, "lengths", Safetensors.Tensor.of(new float[1], 1)));
    refused("I64", run);
    write(bad, Map.of("input", Safetensors.Tensor.of(new float[] {0, Float.NaN, 0}, 1, 1, 3)));
    refused("'input' holds NaN at element 1", run);
    write(bad, Map.of("input", fine, "c0", fine));
    refused("no cell state", "run", "--model", rnn, "--input", bad, "--output", out);
    assertFalse(Files.exists(out));
  }

  private static void write(Path path, Map<String, Safetensors.Tensor> tensors) throws IOException {
    Safetensors.write(path, Map.of(), tensors);
  }
}
