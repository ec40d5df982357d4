package dev.unroll.engine;

import dev.unroll.fallback.WeightFormat;
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
  private final WeightFormat weightFormat;

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
    weightFormat = WeightFormat.F32;
  }

  private Network(Network like, float[] parameters, WeightFormat format) {
    spec = like.spec;
    layout = like.layout;
    this.parameters = parameters;
    weightFormat = format;
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

  /** A network whose parameters no longer change with this one's. */
  Network copy() {
    return new Network(this, parameters.clone(), weightFormat);
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
   * The same network with other weights in memory: streams and unrolled networks made from it keep
   * W_ih, W_hh, projections and the head in the given format. Parameters are shared, not copied;
   * biases, embeddings, one-hot inputs and gains of normalisations stay 32-bit floats. For
   * inference only.
   *
   * @param format how to store weights
   * @return a view of this network
   * @throws IllegalArgumentException if a weight is not finite and the format cannot hold it
   */
  public Network quantize(WeightFormat format) {
    if (format == WeightFormat.INT8) {
      requireFinite();
    }
    return new Network(this, parameters, format);
  }

  private void requireFinite() {
    for (Parameter p : parameters()) {
      for (int i = 0; i < p.size(); i++) {
        if (!Float.isFinite(parameters[p.offset() + i])) {
          throw new IllegalArgumentException(
              p.name()
                  + " has the element "
                  + parameters[p.offset() + i]
                  + ", which has no 8-bit form; use f32 or bf16");
        }
      }
    }
  }

  /**
   * How weights are kept in memory for inference.
   *
   * @return {@link WeightFormat#F32} unless {@link #quantize} chose another
   */
  public WeightFormat weightFormat() {
    return weightFormat;
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
