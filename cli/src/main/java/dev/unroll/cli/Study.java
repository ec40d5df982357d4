package dev.unroll.cli;

import java.util.List;

/**
 * An experiment: a task, the networks to compare on it, and when it counts as solved.
 *
 * @param name what the command calls it
 * @param title heading of its picture
 * @param paper where the task comes from
 * @param task the task
 * @param variants the networks
 * @param batch sequences per step
 * @param steps training steps, unless solved earlier
 * @param solved test loss below which it is solved; for classes there must be no error either
 */
record Study(
    String name,
    String title,
    String paper,
    Task task,
    List<Variant> variants,
    int batch,
    int steps,
    double solved) {

  private static final float NONE = Float.POSITIVE_INFINITY;

  /** The names that {@link #of} knows, in the order of the document. */
  static final List<String> NAMES =
      List.of("adding", "multiplication", "temporal-order", "temporal-order-3", "copy", "clipping");

  /** The name of the study that needs a text. */
  static final String TEXT = "char-lm";

  /** Language models of a text; time 0 takes windows of 64 characters. */
  static Study ofText(String text, int time) {
    int window = time == 0 ? 64 : time;
    return new Study(
        TEXT,
        "Telling the next character",
        "Mikolov et al. 2010; Graves 2013",
        Task.Characters.of(text, window),
        List.of(Variant.lstm(128, 2e-3f), Variant.gru(128, 2e-3f), Variant.rnn(128, 2e-3f, 1f)),
        32,
        1500,
        0);
  }

  /** A study by its name; time 0 takes the usual number of steps of a sequence. */
  static Study of(String name, int time) {
    return switch (name) {
      case "adding" -> adding(time == 0 ? 150 : time);
      case "multiplication" -> multiplication(time == 0 ? 100 : time);
      case "temporal-order" -> order(name, time == 0 ? 100 : time, 2);
      case "temporal-order-3" -> order(name, time == 0 ? 100 : time, 3);
      case "copy" -> copy(time == 0 ? 100 : time);
      case "clipping" -> clipping(time == 0 ? 50 : time);
      default ->
          throw new UsageException(
              "unknown experiment '"
                  + name
                  + "'; choose one of "
                  + String.join(", ", NAMES)
                  + ", char-lm, all");
    };
  }

  private static void require(String name, int time, int least) {
    if (time < least) {
      throw new UsageException(name + " needs --time of at least " + least + ", not " + time);
    }
  }

  private static Study adding(int time) {
    require("adding", time, 2);
    return new Study(
        "adding",
        "Adding two marked numbers among " + time,
        "Hochreiter & Schmidhuber 1997; Le, Jaitly & Hinton 2015",
        new Task.Arithmetic(time, false),
        List.of(
            Variant.lstm(64, 2e-3f),
            Variant.gru(64, 2e-3f),
            Variant.irnn(100, 1e-3f),
            Variant.rnn(100, 1e-3f, 1f)),
        50,
        15_000,
        0.002);
  }

  private static Study multiplication(int time) {
    require("multiplication", time, 2);
    return new Study(
        "multiplication",
        "Multiplying two marked numbers among " + time,
        "Hochreiter & Schmidhuber 1997",
        new Task.Arithmetic(time, true),
        List.of(Variant.lstm(64, 2e-3f), Variant.gru(64, 2e-3f), Variant.rnn(100, 1e-3f, 1f)),
        50,
        5000,
        0.001);
  }

  private static Study order(String name, int time, int symbols) {
    require(name, time, 20);
    return new Study(
        name,
        "Order of " + symbols + " symbols in " + time + " steps",
        "Hochreiter & Schmidhuber 1997; Pascanu, Mikolov & Bengio 2013",
        new Task.TemporalOrder(time, symbols),
        List.of(Variant.lstm(64, 1e-3f), Variant.gru(64, 1e-3f), Variant.rnn(64, 1e-3f, 1f)),
        50,
        5000,
        0.05);
  }

  private static Study copy(int delay) {
    require("copy", delay, 1);
    Task task = new Task.Copy(delay);
    return new Study(
        "copy",
        "Copying ten symbols after " + delay + " steps",
        "Arjovsky, Shah & Bengio 2016",
        task,
        List.of(
            Variant.chrono(128, Math.max(3, delay), 2e-3f),
            Variant.gru(128, 2e-3f),
            Variant.rnn(128, 1e-3f, 1f)),
        32,
        10_000,
        task.baseline() / 10);
  }

  private static Study clipping(int time) {
    require("clipping", time, 20);
    return new Study(
        "clipping",
        "Order of 2 symbols in " + time + " steps by SGD with momentum, a tanh RNN",
        "Pascanu, Mikolov & Bengio 2013",
        new Task.TemporalOrder(time, 2),
        List.of(
            Variant.descent("RNN, clipped at 1", 50, 0.02f, 1f),
            Variant.descent("RNN, not clipped", 50, 0.02f, NONE)),
        50,
        5000,
        0.05);
  }
}
