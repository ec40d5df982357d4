package dev.unroll.cli;

import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Optimizer;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Rng;

/**
 * One of the networks that an experiment compares, with its settings.
 *
 * @param name what tables and pictures call it
 * @param cell the cell
 * @param hidden hidden size
 * @param initialization how it starts
 * @param optimizer update rule
 * @param learningRate learning rate
 * @param clip largest gradient norm; infinity for none
 */
record Variant(
    String name,
    CellKind cell,
    int hidden,
    Initialization initialization,
    Optimizer optimizer,
    float learningRate,
    float clip) {

  private static final Optimizer ADAM = Optimizer.Adam.defaults();
  private static final float INPUT_DEVIATION = 0.001f;

  static Variant lstm(int hidden, float learningRate) {
    Initialization init = new Initialization(true, Initialization.Recurrent.ORTHOGONAL, true, 0);
    return new Variant("LSTM", CellKind.LSTM, hidden, init, ADAM, learningRate, 1f);
  }

  /** With biases for dependencies of up to so many steps (Tallec &amp; Ollivier 2018). */
  static Variant chrono(int hidden, int steps, float learningRate) {
    Initialization init =
        new Initialization(true, Initialization.Recurrent.ORTHOGONAL, false, steps);
    return new Variant("LSTM, chrono", CellKind.LSTM, hidden, init, ADAM, learningRate, 1f);
  }

  static Variant gru(int hidden, float learningRate) {
    Initialization init = new Initialization(true, Initialization.Recurrent.ORTHOGONAL, false, 0);
    return new Variant("GRU", CellKind.GRU, hidden, init, ADAM, learningRate, 1f);
  }

  /** ReLU from the identity (Le, Jaitly &amp; Hinton 2015). */
  static Variant irnn(int hidden, float learningRate) {
    Initialization init = new Initialization(false, Initialization.Recurrent.IDENTITY, false, 0);
    return new Variant("IRNN", CellKind.RNN_RELU, hidden, init, ADAM, learningRate, 1f);
  }

  static Variant rnn(int hidden, float learningRate, float clip) {
    Initialization init = new Initialization(false, Initialization.Recurrent.PYTORCH, false, 0);
    return new Variant("RNN", CellKind.RNN_TANH, hidden, init, ADAM, learningRate, clip);
  }

  /** Orthogonal, by stochastic gradient descent with momentum: what clipping was invented for. */
  static Variant descent(String name, int hidden, float learningRate, float clip) {
    Initialization init = new Initialization(true, Initialization.Recurrent.ORTHOGONAL, false, 0);
    Optimizer sgd = new Optimizer.Sgd(0.9f, false, 0f);
    return new Variant(name, CellKind.RNN_TANH, hidden, init, sgd, learningRate, clip);
  }

  Network network(Task task, long seed) {
    NetworkSpec spec =
        NetworkSpec.recurrent(task.inputs(), 1, LayerSpec.of(cell, hidden))
            .withHead(task.outputs());
    Network network = Network.create(spec, initialization, seed);
    if (initialization.recurrent() == Initialization.Recurrent.IDENTITY) {
      shrinkInput(network, seed);
    }
    return network;
  }

  /* The paper's input weights: normal with a standard deviation of 0.001. */
  private static void shrinkInput(Network network, long seed) {
    Rng rng = new Rng(seed ^ 0x51ED270BL);
    for (Parameter p : network.parameters()) {
      if (p.name().contains("weight_ih")) {
        float[] values = new float[p.size()];
        for (int i = 0; i < values.length; i++) {
          values[i] = INPUT_DEVIATION * rng.gaussian();
        }
        network.set(p.name(), values);
      }
    }
  }
}
