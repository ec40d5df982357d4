package dev.unroll.engine;

/**
 * How the layers of a network are joined.
 *
 * @param bidirectional whether every layer also runs backward in time
 * @param sumDirections whether the two directions' outputs are added instead of concatenated
 * @param residual whether each layer but the first adds the output of the layer below to its own;
 *     their sizes must be equal (He et al. 2016)
 * @param inputSkip whether each layer but the first also sees the network's input, after the output
 *     of the layer below (Graves 2013)
 * @param learnedState whether initial states are parameters, {@code h0} and {@code c0} of each
 *     layer
 */
public record Topology(
    boolean bidirectional,
    boolean sumDirections,
    boolean residual,
    boolean inputSkip,
    boolean learnedState) {
  /** One layer on top of the other. */
  public static final Topology PLAIN = new Topology(false, false, false, false, false);

  /** Checks the choices. */
  public Topology {
    if (sumDirections && !bidirectional) {
      throw new IllegalArgumentException("only a bidirectional network can add its directions");
    }
  }
}
