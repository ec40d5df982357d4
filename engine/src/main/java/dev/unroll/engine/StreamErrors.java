package dev.unroll.engine;

/**
 * What a {@link Stream} says to wrong calls. Before C2 compiles a method the virtual machine makes
 * the strings of its class, in the thread that called it: classes with methods of a step have none.
 */
final class StreamErrors {
  private StreamErrors() {}

  static UnsupportedOperationException bidirectional() {
    return new UnsupportedOperationException(
        "a bidirectional network cannot stream: its reverse direction starts at the last step;"
            + " run whole sequences with Unrolled");
  }

  static IllegalArgumentException takesClasses() {
    return new IllegalArgumentException("this network takes class ids: call step(int, float[])");
  }

  static IllegalArgumentException takesFeatures() {
    return new IllegalArgumentException(
        "this network takes feature vectors: call step(float[], float[])");
  }

  static IllegalArgumentException noClass(int id, int classes) {
    return new IllegalArgumentException("class " + id + " is not from 0 to " + (classes - 1));
  }

  static IllegalArgumentException inputLength(int wanted, int given) {
    return length("x", wanted, given);
  }

  static IllegalArgumentException outputLength(int wanted, int given) {
    return length("y", wanted, given);
  }

  private static IllegalArgumentException length(String what, int wanted, int given) {
    return new IllegalArgumentException(what + " must have " + wanted + " elements, not " + given);
  }

  static IllegalArgumentException stateLength(NetworkSpec spec, int hidden, int cell) {
    return new IllegalArgumentException(
        "the state has "
            + spec.hiddenStateSize()
            + " hidden and "
            + spec.cellStateSize()
            + " cell elements, not "
            + hidden
            + " and "
            + cell);
  }
}
