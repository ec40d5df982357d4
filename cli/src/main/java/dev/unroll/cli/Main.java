package dev.unroll.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Entry point of the {@code unroll} command. */
@Command(
    name = "unroll",
    description = "Recurrent networks on the JVM: train, generate, run, check gradients.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    subcommands = {
      TrainCommand.class,
      EvaluateCommand.class,
      GenerateCommand.class,
      RunCommand.class,
      GradientsCommand.class,
      ExperimentCommand.class,
      GradientFlowCommand.class,
      InspectCommand.class,
      InfoCommand.class
    })
public final class Main implements Runnable {
  private static final int BAD_INPUT = 2;
  private static final int INTERNAL = 1;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  /** Called by picocli. */
  @SuppressWarnings("NullAway.Init")
  Main() {}

  /**
   * Runs the command and exits with its code.
   *
   * @param args as typed
   */
  public static void main(String[] args) {
    StandardError.restore();
    System.setOut(new PrintStream(System.out, true, StandardCharsets.UTF_8));
    System.exit(run(args));
  }

  /**
   * Runs the command.
   *
   * @param args as typed
   * @return 0 on success, 2 for bad usage or input, 1 for a fault of the program
   */
  public static int run(String... args) {
    CommandLine command = new CommandLine(new Main());
    command.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
    command.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
    command.setCaseInsensitiveEnumValuesAllowed(true);
    command.setParameterExceptionHandler(
        (e, given) -> {
          CommandLine at = e.getCommandLine();
          String help = at.getCommandSpec().qualifiedName() + " --help";
          return fail(at, firstLine(e) + " (see " + help + ")", BAD_INPUT);
        });
    command.setExecutionExceptionHandler((e, at, parsed) -> report(e, at));
    try {
      return command.execute(args);
    } catch (OutOfMemoryError e) {
      return fail(command, outOfMemory(), BAD_INPUT);
    }
  }

  private static int report(Exception e, CommandLine at) {
    if (e instanceof UsageException
        || e instanceof IllegalArgumentException
        || e instanceof UnsupportedOperationException) {
      String what = e instanceof InvalidPathException ? "bad path: " : "";
      return fail(at, what + firstLine(e), BAD_INPUT);
    }
    if (e instanceof IOException io) {
      return fail(at, describe(io), BAD_INPUT);
    }
    if (System.getenv("UNROLL_DEBUG") != null) {
      e.printStackTrace(at.getErr());
    }
    return fail(at, "internal error: " + e + " (UNROLL_DEBUG=1 shows where)", INTERNAL);
  }

  private static String outOfMemory() {
    return "not enough memory: the heap is limited to "
        + Sizes.bytes(Runtime.getRuntime().maxMemory())
        + "; choose smaller sizes, or give more with UNROLL_JAVA_OPTS=-Xmx...";
  }

  private static String describe(IOException e) {
    if (e instanceof NoSuchFileException missing) {
      return "no such file: " + missing.getFile();
    }
    if (e instanceof AccessDeniedException denied) {
      return "no permission: " + denied.getFile();
    }
    if (e instanceof FileSystemException file && file.getReason() != null) {
      return file.getFile() + ": " + file.getReason();
    }
    return firstLine(e);
  }

  private static String firstLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
  }

  private static int fail(CommandLine at, String message, int code) {
    at.getErr().println("unroll: " + message);
    return code;
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "a subcommand is missing: train, evaluate, generate, run, gradients, gradient-flow, experiment,"
            + " inspect, info");
  }
}
