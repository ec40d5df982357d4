package dev.unroll.fallback;

/**
 * What {@link ReducedAffine} says. Before C2 compiles a method the virtual machine makes the
 * strings of its class, in the thread that called it: classes with methods of a step have none.
 */
final class ReducedErrors {
  private ReducedErrors() {}

  static IllegalArgumentException packedWhole() {
    return new IllegalArgumentException("rows of reduced weights are packed whole");
  }

  static UnsupportedOperationException inferenceOnly() {
    return new UnsupportedOperationException("reduced weights are for inference only");
  }
}
