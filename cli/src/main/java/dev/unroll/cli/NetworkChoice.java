package dev.unroll.cli;

import dev.unroll.engine.Activation;
import dev.unroll.engine.CellKind;
import dev.unroll.engine.CellOptions;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Regularization;
import dev.unroll.engine.Topology;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** The options that describe a network to train and how it starts. */
final class NetworkChoice {

  /** The cells, by their usual names. */
  enum CellName {
    RNN(CellKind.RNN_TANH),
    RELU(CellKind.RNN_RELU),
    GRU(CellKind.GRU),
    LSTM(CellKind.LSTM);

    private final CellKind kind;

    CellName(CellKind kind) {
      this.kind = kind;
    }
  }

  @Option(
      names = "--cell",
      paramLabel = "rnn|relu|gru|lstm",
      description = "The recurrent cell; relu is an RNN with that nonlinearity.")
  private CellName cell = CellName.LSTM;

  @Option(names = "--hidden", paramLabel = "H", description = "Hidden size.")
  private int hidden = 128;

  @Option(names = "--layers", paramLabel = "L", description = "Number of recurrent layers.")
  private int layers = 1;

  @Option(
      names = "--projection",
      paramLabel = "R",
      description = "LSTM: size of a projected state.")
  private int projection;

  @Option(names = "--embedding", paramLabel = "E", description = "Embed characters; 0 for one-hot.")
  private int embedding;

  @Option(names = "--reset-before", description = "GRU: reset before the recurrent product.")
  private boolean resetBefore;

  @Option(names = "--peepholes", description = "LSTM: gates see the cell state.")
  private boolean peepholes;

  @Option(names = "--coupled-gate", description = "LSTM: forget gate = 1 - input gate.")
  private boolean coupledGate;

  @Option(names = "--layer-norm", description = "LSTM: normalise gates and cell state.")
  private boolean layerNorm;

  @Option(
      names = "--cell-clip",
      paramLabel = "C",
      description = "Bound of pre-activations; 0: none.")
  private float cellClip;

  @Option(
      names = "--activations",
      split = ",",
      paramLabel = "F",
      description = "Functions in ONNX's order, for example HARD_SIGMOID,TANH,TANH.")
  private List<Activation.Kind> activations = List.of();

  @Option(names = "--residual", description = "Each layer adds the output of the one below.")
  private boolean residual;

  @Option(
      names = "--bidirectional",
      description = "Layers run both ways (only with --label: else they would see their targets).")
  private boolean bidirectional;

  @Option(
      names = "--input-skip",
      description = "Each layer also sees the input (needs --embedding).")
  private boolean inputSkip;

  @Option(names = "--learned-state", description = "Initial states are parameters.")
  private boolean learnedState;

  @Option(names = "--dropout", paramLabel = "P", description = "Dropout between layers.")
  private float dropout;

  @Option(names = "--locked-input", paramLabel = "P", description = "Locked dropout of inputs.")
  private float lockedInput;

  @Option(names = "--locked-state", paramLabel = "P", description = "Locked dropout of h_{t-1}.")
  private float lockedState;

  @Option(names = "--weight-drop", paramLabel = "P", description = "Dropout of recurrent weights.")
  private float weightDrop;

  @Option(names = "--zoneout", paramLabel = "P", description = "Units of h that keep their value.")
  private float zoneout;

  @Option(names = "--zoneout-cell", paramLabel = "P", description = "The same for c of an LSTM.")
  private float zoneoutCell;

  @Option(names = "--glorot", description = "Start from Glorot's input weights.")
  private boolean glorot;

  @Option(
      names = "--recurrent-init",
      paramLabel = "pytorch|glorot|orthogonal|identity",
      description = "Start of the recurrent weights.")
  private Initialization.Recurrent recurrent = Initialization.Recurrent.PYTORCH;

  @Option(names = "--forget-bias", description = "Start from forget gates' biases of 1.")
  private boolean forgetBias;

  @Option(
      names = "--chrono",
      paramLabel = "T",
      description = "LSTM: chrono biases for dependencies of up to T steps; 0: none.")
  private int chrono;

  @SuppressWarnings("NullAway.Init")
  NetworkChoice() {}

  /** A network over class ids or features with a head. */
  NetworkSpec spec(NetworkSpec.Input input, int inputs, int outputs) {
    if (layers < 1) {
      throw new UsageException("--layers must be at least 1, not " + layers);
    }
    if (embedding < 0) {
      throw new UsageException("--embedding must not be negative, not " + embedding);
    }
    List<Activation> functions =
        activations.stream().map(Activation::of).collect(Collectors.toList());
    CellOptions options =
        new CellOptions(resetBefore, peepholes, coupledGate, layerNorm, cellClip, functions);
    LayerSpec layer = new LayerSpec(cell.kind, hidden, projection, true, options);
    NetworkSpec plain = NetworkSpec.recurrent(inputs, layers, layer);
    if (input != NetworkSpec.Input.FEATURES) {
      plain = embedding > 0 ? plain.withEmbedding(embedding) : plain.withOneHotInput();
    } else if (embedding > 0) {
      throw new UsageException("--embedding is for text");
    }
    return plain
        .with(new Topology(bidirectional, false, residual, inputSkip, learnedState))
        .with(
            new Regularization(dropout, lockedInput, lockedState, weightDrop, zoneout, zoneoutCell))
        .withHead(outputs);
  }

  boolean isBidirectional() {
    return bidirectional;
  }

  Initialization initialization() {
    return new Initialization(glorot, recurrent, forgetBias, chrono);
  }
}
