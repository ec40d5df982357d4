package dev.unroll.engine;

import java.util.Collections;
import java.util.List;

/**
 * The architecture of a network: input, recurrent layers, and an optional dense head y = W h + b.
 *
 * @param input what a step consumes
 * @param inputSize features of {@link Input#FEATURES}, or the number of classes of the other kinds
 * @param embeddingSize features of an embedded class; 0 unless {@link Input#EMBEDDING}
 * @param layers the recurrent layers, first to last
 * @param topology how the layers are joined
 * @param regularization noise in training
 * @param outputSize outputs of the dense head; 0 for none
 */
public record NetworkSpec(
    Input input,
    int inputSize,
    int embeddingSize,
    List<LayerSpec> layers,
    Topology topology,
    Regularization regularization,
    int outputSize) {

  /** What a step consumes. */
  public enum Input {
    /** A vector of floats. */
    FEATURES,
    /** A class id, taken as a one-hot vector. */
    ONE_HOT,
    /** A class id, replaced by its row of {@code embedding.weight}. */
    EMBEDDING
  }

  /** Checks the sizes. */
  public NetworkSpec {
    layers = List.copyOf(layers);
    if (inputSize < 1) {
      throw new IllegalArgumentException("input size must be at least 1, not " + inputSize);
    }
    if (input == Input.EMBEDDING ? embeddingSize < 1 : embeddingSize != 0) {
      throw new IllegalArgumentException(
          "embedding size " + embeddingSize + " does not fit input kind " + input);
    }
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("a network needs at least one recurrent layer");
    }
    if (outputSize < 0) {
      throw new IllegalArgumentException("output size must not be negative, not " + outputSize);
    }
    if (topology.inputSkip() && input == Input.ONE_HOT) {
      throw new IllegalArgumentException(
          "an input skip needs features or an embedding, not one-hot classes");
    }
    for (int l = 1; l < layers.size() && topology.residual(); l++) {
      int below = layers.get(l - 1).outputSize();
      if (layers.get(l).outputSize() != below) {
        throw new IllegalArgumentException(
            "residual connections need layers of one size, not "
                + below
                + " and "
                + layers.get(l).outputSize());
      }
    }
  }

  /**
   * Unidirectional layers of one kind over feature vectors, without a head: PyTorch's nn.RNN,
   * nn.GRU, nn.LSTM.
   *
   * @param inputSize features per step
   * @param layers number of layers
   * @param layer the layer
   * @return the architecture
   */
  public static NetworkSpec recurrent(int inputSize, int layers, LayerSpec layer) {
    return new NetworkSpec(
        Input.FEATURES,
        inputSize,
        0,
        Collections.nCopies(layers, layer),
        Topology.PLAIN,
        Regularization.NONE,
        0);
  }

  /**
   * The same with a dense head on every step's output.
   *
   * @param size outputs of the head
   * @return the architecture
   */
  public NetworkSpec withHead(int size) {
    return new NetworkSpec(input, inputSize, embeddingSize, layers, topology, regularization, size);
  }

  /**
   * The same with the other direction in every layer.
   *
   * @return the architecture
   */
  public NetworkSpec bothDirections() {
    return with(
        new Topology(
            true,
            topology.sumDirections(),
            topology.residual(),
            topology.inputSkip(),
            topology.learnedState()));
  }

  /**
   * The same over class ids, as one-hot vectors.
   *
   * @return the architecture
   */
  public NetworkSpec withOneHotInput() {
    return new NetworkSpec(
        Input.ONE_HOT, inputSize, 0, layers, topology, regularization, outputSize);
  }

  /**
   * The same over class ids, embedded.
   *
   * @param size features of the embedding
   * @return the architecture
   */
  public NetworkSpec withEmbedding(int size) {
    return new NetworkSpec(
        Input.EMBEDDING, inputSize, size, layers, topology, regularization, outputSize);
  }

  /**
   * The same with layers joined otherwise.
   *
   * @param other how
   * @return the architecture
   */
  public NetworkSpec with(Topology other) {
    return new NetworkSpec(
        input, inputSize, embeddingSize, layers, other, regularization, outputSize);
  }

  /**
   * The same with noise in training.
   *
   * @param noise the probabilities
   * @return the architecture
   */
  public NetworkSpec with(Regularization noise) {
    return new NetworkSpec(input, inputSize, embeddingSize, layers, topology, noise, outputSize);
  }

  /**
   * Whether every layer also runs backward in time.
   *
   * @return the topology's choice
   */
  public boolean bidirectional() {
    return topology.bidirectional();
  }

  /**
   * Directions per layer.
   *
   * @return 2 if bidirectional, else 1
   */
  public int directions() {
    return bidirectional() ? 2 : 1;
  }

  /**
   * Features that a layer consumes per step.
   *
   * @param layer index of the layer
   * @return columns of its {@code weight_ih}
   */
  public int layerInputSize(int layer) {
    int first = input == Input.EMBEDDING ? embeddingSize : inputSize;
    if (layer == 0) {
      return first;
    }
    return Math.addExact(layerOutputSize(layer - 1), topology.inputSkip() ? first : 0);
  }

  /** Whether a layer looks up the rows of classes in a table instead of multiplying its inputs. */
  boolean isOneHot(int layer) {
    return layer == 0 && input == Input.ONE_HOT;
  }

  /**
   * Features that a layer produces per step, both directions together.
   *
   * @param layer index of the layer
   * @return its output size, twice if the directions are concatenated
   */
  public int layerOutputSize(int layer) {
    int parts = bidirectional() && !topology.sumDirections() ? 2 : 1;
    return Math.multiplyExact(parts, layers.get(layer).outputSize());
  }

  /**
   * Features that the last layer produces per step, both directions together.
   *
   * @return columns of the head's weight
   */
  public int recurrentOutputSize() {
    return layerOutputSize(layers.size() - 1);
  }

  /**
   * Features that the network produces per step.
   *
   * @return the head's outputs, or the last layer's
   */
  public int networkOutputSize() {
    return outputSize > 0 ? outputSize : recurrentOutputSize();
  }

  /**
   * Floats of hidden state per sequence, over all layers and directions.
   *
   * @return the sum of the output sizes
   */
  public int hiddenStateSize() {
    int sum = 0;
    /* By index: an iterator would be garbage of each training step until C2 has compiled this. */
    for (int l = 0; l < layers.size(); l++) {
      sum = Math.addExact(sum, Math.multiplyExact(directions(), layers.get(l).outputSize()));
    }
    return sum;
  }

  /**
   * Floats of cell state per sequence, over all layers and directions.
   *
   * @return the sum of the hidden sizes of the LSTM layers
   */
  public int cellStateSize() {
    int sum = 0;
    for (int l = 0; l < layers.size(); l++) {
      LayerSpec layer = layers.get(l);
      if (layer.cell().hasCellState()) {
        sum = Math.addExact(sum, Math.multiplyExact(directions(), layer.hidden()));
      }
    }
    return sum;
  }

  /**
   * Prefix of the recurrent parameters' names: empty for a bare recurrent module.
   *
   * @return for example {@code lstm.}
   */
  String recurrentPrefix() {
    if (outputSize == 0 && input != Input.EMBEDDING) {
      return "";
    }
    String family = layers.get(0).cell().family();
    /* No lambda: the first one in a virtual machine takes as long as everything else in here. */
    for (LayerSpec layer : layers) {
      if (!layer.cell().family().equals(family)) {
        return "rnn.";
      }
    }
    return family + ".";
  }
}
