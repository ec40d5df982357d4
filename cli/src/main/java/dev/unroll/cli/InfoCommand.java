package dev.unroll.cli;

import dev.unroll.engine.Backend;
import dev.unroll.fallback.Fma;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
    name = "info",
    description = "Prints version, JDK, the kernels chosen and why, and the lane width.",
    mixinStandardHelpOptions = true)
final class InfoCommand implements Runnable {
  @Spec private CommandSpec spec;
  @Mixin private KernelChoice kernels;

  @SuppressWarnings("NullAway.Init")
  InfoCommand() {}

  @Override
  public void run() {
    CommandLine at = spec.commandLine();
    PrintWriter out = at.getOut();
    Backend backend = kernels.backend();
    out.println("unroll   " + Version.current());
    out.println("jdk      " + Runtime.version() + ", " + System.getProperty("java.vm.name"));
    out.println("machine  " + System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    out.println("fma      " + (Fma.isFast() ? "in hardware" : "missing"));
    out.println("lanes    " + backend.kernels().laneBits() + " bits");
    out.println("kernels  " + backend.describe());
  }
}
