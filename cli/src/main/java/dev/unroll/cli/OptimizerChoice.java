package dev.unroll.cli;

import dev.unroll.engine.Optimizer;
import dev.unroll.engine.Schedule;
import dev.unroll.engine.Trainer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say how parameters are updated. */
final class OptimizerChoice {

  /** The update rules. */
  enum Rule {
    ADAM,
    ADAMW,
    SGD,
    RMSPROP
  }

  /** The schedules of the learning rate. */
  enum Descent {
    CONSTANT,
    STEP,
    COSINE,
    PLATEAU
  }

  @Option(
      names = "--optimizer",
      paramLabel = "adam|adamw|sgd|rmsprop",
      description = "Update rule.")
  private Rule rule = Rule.ADAM;

  @Option(names = "--lr", paramLabel = "RATE", description = "Learning rate.")
  private float learningRate = 2e-3f;

  @Option(names = "--momentum", paramLabel = "M", description = "Momentum of SGD.")
  private float momentum;

  @Option(names = "--nesterov", description = "SGD: momentum in Nesterov's form.")
  private boolean nesterov;

  @Option(names = "--weight-decay", paramLabel = "D", description = "Weight decay.")
  private float weightDecay;

  @Option(names = "--clip", paramLabel = "NORM", description = "Largest gradient norm.")
  private float clip = 5f;

  @Option(names = "--clip-value", paramLabel = "G", description = "Largest gradient element.")
  private float clipValue = Float.POSITIVE_INFINITY;

  @Option(names = "--accumulate", paramLabel = "K", description = "Steps per update.")
  private int accumulate = 1;

  @Option(
      names = "--schedule",
      paramLabel = "constant|step|cosine|plateau",
      description = "Learning rate over time; plateau watches the smoothed training loss.")
  private Descent descent = Descent.CONSTANT;

  @Option(
      names = "--every",
      paramLabel = "N",
      description = "step: updates between drops; plateau: updates between looks.")
  private int every = 500;

  @Option(names = "--gamma", paramLabel = "F", description = "step, plateau: factor of a drop.")
  private double gamma = 0.5;

  @Option(names = "--patience", paramLabel = "N", description = "plateau: looks without gain.")
  private int patience = 2;

  @Option(names = "--warm-up", paramLabel = "N", description = "Updates of a linear rise before.")
  private int warmUp;

  private Schedule.@Nullable Plateau plateau;

  @SuppressWarnings("NullAway.Init")
  OptimizerChoice() {}

  Optimizer optimizer() {
    return switch (rule) {
      case ADAM -> new Optimizer.Adam(0.9f, 0.999f, 1e-8f, weightDecay, false);
      case ADAMW -> new Optimizer.Adam(0.9f, 0.999f, 1e-8f, weightDecay, true);
      case SGD -> new Optimizer.Sgd(momentum, nesterov, weightDecay);
      case RMSPROP -> new Optimizer.RmsProp(0.99f, 1e-8f, weightDecay);
    };
  }

  /** Checks the options before anything is made. */
  void check() {
    if (!(learningRate >= 0 && learningRate < Float.POSITIVE_INFINITY)) {
      throw new UsageException("--lr must be finite and not negative, not " + learningRate);
    }
    if (!(clip > 0)) {
      throw new UsageException("--clip must be positive, not " + clip);
    }
    if (!(clipValue > 0)) {
      throw new UsageException("--clip-value must be positive, not " + clipValue);
    }
    if (accumulate < 1 || every < 1) {
      throw new UsageException("--accumulate and --every must be at least 1");
    }
    if (warmUp < 0) {
      throw new UsageException("--warm-up must not be negative, not " + warmUp);
    }
    optimizer();
    schedule(1);
  }

  private Schedule schedule(int steps) {
    Schedule main =
        switch (descent) {
          case CONSTANT -> new Schedule.Constant();
          case STEP -> new Schedule.Step(every, gamma);
          case COSINE -> new Schedule.Cosine(Math.max(1, steps / accumulate - warmUp), 0);
          case PLATEAU -> {
            Schedule.Plateau watching = new Schedule.Plateau(gamma, patience);
            plateau = watching;
            yield watching;
          }
        };
    return warmUp > 0 ? new Schedule.WarmUpThen(warmUp, main) : main;
  }

  void configure(Trainer trainer, int steps) {
    trainer.setLearningRate(learningRate);
    trainer.setClipNorm(clip);
    trainer.setClipValue(clipValue);
    trainer.setAccumulation(accumulate);
    trainer.setSchedule(schedule(steps));
  }

  /** What a schedule has learnt from the losses, as text. */
  String scheduleState() {
    return plateau == null ? "" : plateau.state();
  }

  void restoreSchedule(String state) {
    if (plateau != null) {
      plateau.restore(state);
    }
  }

  /** All that decides how parameters are updated, but for the number of steps where it does not. */
  String describe(int steps) {
    String until = descent == Descent.COSINE ? " over " + steps : "";
    return optimizer()
        + " lr "
        + learningRate
        + " clip "
        + clip
        + " clip value "
        + clipValue
        + " accumulate "
        + accumulate
        + " "
        + descent
        + until
        + " every "
        + every
        + " gamma "
        + gamma
        + " patience "
        + patience
        + " warm-up "
        + warmUp;
  }

  /** Largest gradient norm. */
  float clip() {
    return clip;
  }

  /** Steps between updates. */
  int accumulate() {
    return accumulate;
  }

  /** Shows the loss to a schedule that watches it. */
  void observe(int step, double loss) {
    if (plateau != null && step % every == 0) {
      plateau.observe(loss);
    }
  }
}
