package dev.unroll.perf.peers;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import dev.unroll.engine.Network;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * An ONNX model of one LSTM layer with the parameters of a network. Inputs X [T, B, I], h0 and c0 [1, B,
 * H]; outputs Y [T, 1, B, H], hn and cn [1, B, H]. ONNX orders the gates i, o, f, c.
 *
 * <p>Field numbers are those of onnx.proto3.
 */
final class OnnxLstm {
  private static final int IR_VERSION = 8;
  private static final int OPSET = 14;
  private static final int FLOAT = 1;
  private static final int ATTRIBUTE_INT = 2;

  /* Blocks i, f, g, o of PyTorch in the order of ONNX. */
  private static final int[] GATES = {0, 3, 1, 2};

  private OnnxLstm() {}

  private interface Body {
    void write(CodedOutputStream out) throws IOException;
  }

  private static ByteString message(Body body) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      body.write(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ByteString.copyFrom(bytes.toByteArray());
  }

  static byte[] model(Network network, int time, int batch) {
    int inputs = network.spec().inputSize();
    int hidden = network.spec().layers().get(0).hidden();
    ByteString graph =
        message(
            g -> {
              g.writeBytes(1, node(hidden));
              g.writeString(2, "lstm");
              g.writeBytes(5, weights(network, "W", "weight_ih_l0", hidden, inputs));
              g.writeBytes(5, weights(network, "R", "weight_hh_l0", hidden, hidden));
              g.writeBytes(5, biases(network, hidden));
              g.writeBytes(11, value("X", time, batch, inputs));
              g.writeBytes(11, value("h0", 1, batch, hidden));
              g.writeBytes(11, value("c0", 1, batch, hidden));
              g.writeBytes(12, value("Y", time, 1, batch, hidden));
              g.writeBytes(12, value("hn", 1, batch, hidden));
              g.writeBytes(12, value("cn", 1, batch, hidden));
            });
    return message(
            m -> {
              m.writeInt64(1, IR_VERSION);
              m.writeBytes(7, graph);
              m.writeBytes(8, message(o -> o.writeInt64(2, OPSET)));
            })
        .toByteArray();
  }

  private static ByteString node(int hidden) {
    return message(
        n -> {
          for (String input : new String[] {"X", "W", "R", "B", "", "h0", "c0"}) {
            n.writeString(1, input);
          }
          for (String output : new String[] {"Y", "hn", "cn"}) {
            n.writeString(2, output);
          }
          n.writeString(4, "LSTM");
          n.writeBytes(
              5,
              message(
                  a -> {
                    a.writeString(1, "hidden_size");
                    a.writeInt64(3, hidden);
                    a.writeInt32(20, ATTRIBUTE_INT);
                  }));
        });
  }

  private static ByteString weights(
      Network network, String name, String parameter, int hidden, int columns) {
    float[] from = network.get(parameter);
    float[] to = new float[from.length];
    int block = hidden * columns;
    for (int gate = 0; gate < GATES.length; gate++) {
      System.arraycopy(from, GATES[gate] * block, to, gate * block, block);
    }
    return tensor(name, to, 1, 4L * hidden, columns);
  }

  private static ByteString biases(Network network, int hidden) {
    float[] to = new float[8 * hidden];
    float[] input = network.get("bias_ih_l0");
    float[] recurrent = network.get("bias_hh_l0");
    for (int gate = 0; gate < GATES.length; gate++) {
      System.arraycopy(input, GATES[gate] * hidden, to, gate * hidden, hidden);
      System.arraycopy(recurrent, GATES[gate] * hidden, to, (4 + gate) * hidden, hidden);
    }
    return tensor("B", to, 1, 8L * hidden);
  }

  private static ByteString tensor(String name, float[] values, long... shape) {
    ByteBuffer raw = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    raw.asFloatBuffer().put(values);
    return message(
        t -> {
          for (long size : shape) {
            t.writeInt64(1, size);
          }
          t.writeInt32(2, FLOAT);
          t.writeString(8, name);
          t.writeBytes(9, ByteString.copyFrom(raw.array()));
        });
  }

  private static ByteString value(String name, long... shape) {
    ByteString dimensions =
        message(
            s -> {
              for (long size : shape) {
                s.writeBytes(1, message(d -> d.writeInt64(1, size)));
              }
            });
    ByteString type =
        message(
            t -> {
              t.writeInt32(1, FLOAT);
              t.writeBytes(2, dimensions);
            });
    return message(
        v -> {
          v.writeString(1, name);
          v.writeBytes(2, message(t -> t.writeBytes(1, type)));
        });
  }
}
