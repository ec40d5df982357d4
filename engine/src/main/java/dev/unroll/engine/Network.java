package dev.unroll.engine;

import java.util.Arrays;
import java.util.Collection;

/**
 * A network: its architecture and its parameters as row-major floats under PyTorch's names.
 *
 * <p>Streams and unrolled networks read the parameters when they are made or refreshed, so a
 * network may serve many of them. A trainer changes the parameters; nobody else may read them
 * during a step.
 */
public final class Network {
  private final NetworkSpec spec;
  private final ParameterLayout layout;
  private final float[] parameters;

  /**
   * A network with all parameters 0.
   *
   * @param spec the architecture
   * @throws IllegalArgumentException if it has more parameters than an array can hold
   */
  public Network(NetworkSpec spec) {
    this.spec = spec;
    layout = layout(spec);
    parameters = new float[layout.size()];
  }

  /**
   * The memory of a network's parameters, to be asked before it is made.
   *
   * @param spec the architecture
   * @return bytes
   * @throws IllegalArgumentException if it has more parameters than an array can hold
   */
  public static long bytesNeeded(NetworkSpec spec) {
    return (long) Float.BYTES * layout(spec).size();
  }

  private static ParameterLayout layout(NetworkSpec spec) {
    try {
      return new ParameterLayout(spec);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException(
          "the network has more than 2^31 parameters; choose smaller sizes", e);
    }
  }

  /**
   * A network with random parameters.
   *
   * @param spec the architecture
   * @param initialization the distribution
   * @param seed the same seed gives the same parameters on every machine
   * @return the network
   */
  public static Network create(NetworkSpec spec, Initialization initialization, long seed) {
    Network network = new Network(spec);
    initialization.apply(spec, network.layout, network.parameters, seed);
    return network;
  }

  /**
   * The architecture.
   *
   * @return the description this network was made from
   */
  public NetworkSpec spec() {
    return spec;
  }

  /**
   * The parameters' names and shapes, in PyTorch's order.
   *
   * @return an unmodifiable view
   */
  public Collection<Parameter> parameters() {
    return layout.parameters();
  }

  /**
   * Number of parameters.
   *
   * @return the sum of all tensors' sizes
   */
  public long parameterCount() {
    return layout.parameters().stream().mapToLong(Parameter::size).sum();
  }

  /**
   * Copies a parameter out.
   *
   * @param name its name
   * @return its values, row-major
   * @throws IllegalArgumentException if there is no such parameter
   */
  public float[] get(String name) {
    Parameter p = layout.get(name);
    return Arrays.copyOfRange(parameters, p.offset(), p.offset() + p.size());
  }

  /**
   * Copies a parameter in.
   *
   * @param name its name
   * @param values row-major values. Not modified.
   * @throws IllegalArgumentException if there is no such parameter or the length differs
   */
  public void set(String name, float[] values) {
    Parameter p = layout.get(name);
    if (values.length != p.size()) {
      throw new IllegalArgumentException(
          name + " has shape " + p.shape() + ", " + p.size() + " values; got " + values.length);
    }
    System.arraycopy(values, 0, parameters, p.offset(), values.length);
  }

  ParameterLayout layout() {
    return layout;
  }

  float[] values() {
    return parameters;
  }
}
