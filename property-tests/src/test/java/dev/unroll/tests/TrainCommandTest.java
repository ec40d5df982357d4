package dev.unroll.tests;

import static dev.unroll.tests.CommandTest.refused;
import static dev.unroll.tests.CommandTest.unroll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training as people use it: interruption, tables, tokens, experiments, pictures. */
class TrainCommandTest {
  @TempDir Path directory;

  private Path file(String name, String content) throws IOException {
    Path file = directory.resolve(name);
    Files.writeString(file, content);
    return file;
  }

  private Path text() throws IOException {
    return file("text.txt", "to be, or not to be, that is the question. ".repeat(100));
  }

  private Object[] train(Path out, int steps, Object... more) throws IOException {
    List<Object> args = new ArrayList<>();
    args.addAll(List.of("train", "--text", text(), "--hidden", 8, "--layers", 2, "--batch", 4));
    args.addAll(List.of("--time", 8, "--dropout", 0.2, "--schedule", "plateau", "--every", 5));
    args.addAll(List.of("--validate-every", 10, "--steps", steps, "--out", out));
    args.addAll(List.of(more));
    return args.toArray();
  }

  @Test
  void aResumedRunEndsInTheSameBits() throws IOException {
    Path whole = directory.resolve("whole");
    Path parts = directory.resolve("parts");
    Path checkpoint = directory.resolve("checkpoint");
    Path curveA = directory.resolve("a.csv");
    Path curveB = directory.resolve("b.csv");
    assertEquals(0, unroll(train(whole, 60, "--curve", curveA)).code());
    Object[] first = train(parts, 30, "--checkpoint", checkpoint, "--checkpoint-every", 30);
    assertEquals(0, unroll(first).code());
    CommandTest.Result rest = unroll(train(parts, 60, "--resume", checkpoint, "--curve", curveB));
    assertEquals(0, rest.code(), rest.err());
    assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(parts));
    assertTrue(Files.readString(curveA).startsWith("step,train_loss,validation_loss\n"));
    assertTrue(Files.readString(curveB).contains("\n60,"), Files.readString(curveB));

    refused("belongs to another run", train(parts, 60, "--resume", checkpoint, "--lr", 0.1));
    refused("at step 30 already", train(parts, 30, "--resume", checkpoint));
    refused("no checkpoint", train(parts, 60, "--resume", whole));
    byte[] bytes = Files.readAllBytes(checkpoint);
    bytes[bytes.length - 9] ^= 1;
    Files.write(checkpoint, bytes);
    refused("damaged", train(parts, 60, "--resume", checkpoint));
  }

  @Test
  void aRunStopsEarlyAndKeepsTheBestModel() throws IOException {
    Path out = directory.resolve("m");
    CommandTest.Result r = unroll(train(out, 4000, "--stop-after", 3, "--lr", 0.3));
    assertEquals(0, r.code(), r.err());
    assertTrue(r.out().contains("stopped early, no gain since step"), r.out());
    assertTrue(r.out().contains("the best model, of step"), r.out());
  }

  @Test
  void wordsAndBytes() throws IOException {
    for (String level : new String[] {"word", "byte"}) {
      Path out = directory.resolve(level);
      CommandTest.Result r =
          unroll(
              "train",
              "--text",
              text(),
              "--level",
              level,
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
              out);
      assertEquals(0, r.code(), r.err());
      CommandTest.Result e = unroll("evaluate", "--model", out, "--text", text());
      assertEquals(0, e.code(), e.err());
      String accuracy = e.out().replaceAll("(?s).*accuracy ([0-9.]+)%.*", "$1");
      assertTrue(Double.parseDouble(accuracy) > 50, e.out());
      CommandTest.Result g =
          unroll("generate", "--model", out, "--prompt", "to be", "--top-k", 1, "--length", 9);
      assertTrue(g.out().startsWith("to be, "), g.out());
    }
    Path model = directory.resolve("byte");
    refused("--top-k", "generate", "--model", model, "--top-k", -1);
    refused("--top-p", "generate", "--model", model, "--top-p", 0);
  }

  @Test
  void aForecastBeatsTheLastValue() throws IOException {
    StringBuilder rows = new StringBuilder("day,load,heat\n");
    for (int i = 0; i < 600; i++) {
      double load = 100 + 20 * StrictMath.sin(i / 3.0);
      rows.append(String.format(Locale.ROOT, "d%d,%.4f,%d%n", i, load, i % 7));
    }
    Path csv = file("series.csv", rows.toString());
    Path out = directory.resolve("m");
    Object[] base = {"train", "--csv", csv, "--hidden", 16, "--window", 24, "--out", out};
    CommandTest.Result r = unroll(with(base, "--target", "load", "--steps", 300, "--lr", 0.01));
    assertEquals(0, r.code(), r.err());
    CommandTest.Result e = unroll("evaluate", "--model", out, "--csv", csv);
    String[] found =
        e.out().replaceAll("(?s).*?RMSE ([0-9.]+).*RMSE ([0-9.]+).*", "$1 $2").split(" ", -1);
    assertTrue(Double.parseDouble(found[0]) < 0.5 * Double.parseDouble(found[1].strip()), e.out());

    refused("no column 'lood'", with(base, "--target", "lood"));
    refused("line 2, column 'day'", with(base, "--target", "load", "--features", "day,load"));
    refused("either --target", base);
    refused("--bidirectional is for --label", with(base, "--target", "load", "--bidirectional"));
    refused(
        "windows of 500", "train", "--csv", csv, "--target", "load", "--window", 500, "--out", out);
    refused(
        "has 2 fields",
        "train",
        "--csv",
        file("b.csv", "a,b,c\n1,2\n"),
        "--target",
        "a",
        "--out",
        out);
  }

  @Test
  void sequencesAreClassified() throws IOException {
    StringBuilder rows = new StringBuilder("id,x,kind\n");
    for (int s = 0; s < 60; s++) {
      for (int i = 0; i < 12 + s % 5; i++) {
        double x = StrictMath.sin(i / (s % 2 == 0 ? 1.0 : 4.0));
        rows.append(String.format(Locale.ROOT, "%d,%.4f,%s%n", s, x, s % 2 == 0 ? "fast" : "slow"));
      }
    }
    Path csv = file("labels.csv", rows.toString());
    Path out = directory.resolve("m");
    CommandTest.Result r =
        unroll(
            "train",
            "--csv",
            csv,
            "--label",
            "kind",
            "--sequence",
            "id",
            "--hidden",
            8,
            "--bidirectional",
            "--steps",
            150,
            "--lr",
            0.01,
            "--out",
            out);
    assertEquals(0, r.code(), r.err());
    CommandTest.Result e = unroll("evaluate", "--model", out, "--csv", csv);
    assertTrue(e.out().startsWith("60 sequences: accuracy 100.00%"), e.out() + e.err());
    refused("--label and --sequence", "train", "--csv", csv, "--label", "kind", "--out", out);
    Path language = directory.resolve("language");
    assertEquals(0, unroll(train(language, 10)).code());
    refused("was not trained on a table", "evaluate", "--model", language, "--csv", csv);
    refused("is no language model", "evaluate", "--model", out, "--text", text());
  }

  private static Object[] with(Object[] args, Object... more) {
    List<Object> all = new ArrayList<>(List.of(args));
    all.addAll(List.of(more));
    return all.toArray();
  }

  @Test
  void gradientsAreSeenToVanishAndToExplode() throws IOException {
    Path csv = directory.resolve("flow.csv");
    Path svg = directory.resolve("flow.svg");
    CommandTest.Result r =
        unroll(
            "gradient-flow",
            "--time",
            60,
            "--hidden",
            24,
            "--csv",
            csv,
            "--plot",
            svg,
            "--networks",
            "rnn:0.5,relu:3,lstm:5");
    assertEquals(0, r.code(), r.err());
    assertTrue(r.out().matches("(?s).*rnn:0.5 +0.500 .*?vanishes: .*"), r.out());
    assertTrue(r.out().matches("(?s).*relu:3 +3.000 .*?explodes: .*"), r.out());
    assertTrue(r.out().matches("(?s).*lstm:5 .*?healthy: .*"), r.out());
    assertEquals(1 + 3 * 60, Files.readAllLines(csv).size());
    assertTrue(Files.readString(svg).contains("<svg"));
    refused("unknown network 'cnn'", "gradient-flow", "--networks", "cnn");
    refused(".png or .svg", "gradient-flow", "--plot", directory.resolve("a.gif"));
  }

  @Test
  void anExperimentComparesNetworks() throws IOException {
    Path out = directory.resolve("results");
    CommandTest.Result r =
        unroll(
            "experiment",
            "adding",
            "--time",
            10,
            "--only",
            "LSTM,RNN",
            "--steps",
            200,
            "--out",
            out);
    assertEquals(0, r.code(), r.err());
    assertTrue(r.out().contains("| LSTM, 64 units |"), r.out());
    assertTrue(Files.readString(out.resolve("adding-10.csv")).startsWith("network,step,"));
    assertTrue(Files.size(out.resolve("adding-10.png")) > 1000);
    assertTrue(
        Files.readString(out.resolve("adding-10.md")).contains("Baseline: mean squared error"));
    Object[] text = {"experiment", "char-lm", "--text", text(), "--time", 16, "--out", out};
    CommandTest.Result lm = unroll(with(text, "--only", "GRU", "--steps", 100));
    assertEquals(0, lm.code(), lm.err());
    String loss =
        lm.out().replaceAll("(?s).*GRU, 128 units [|] [0-9]+ [|] +[|] ([0-9.]+) .*", "$1");
    assertTrue(Double.parseDouble(loss) < 1, lm.out());
    refused("needs --text", "experiment", "char-lm");
    refused("unknown experiment", "experiment", "subtracting");
    refused("no network 'CNN'", "experiment", "adding", "--only", "CNN");
    refused("at least 20", "experiment", "temporal-order", "--time", 5);
    assertFalse(Files.exists(directory.resolve("experiments")));
  }
}
