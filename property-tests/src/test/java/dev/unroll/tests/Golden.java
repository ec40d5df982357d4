package dev.unroll.tests;

import dev.unroll.engine.Safetensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A file of golden vectors, read without the engine's own conversions: results are doubles. */
final class Golden {
  private final Path path;
  private final Safetensors file;
  private final byte[] bytes;
  private final int dataStart;

  Golden(Path path) throws IOException {
    this.path = path;
    bytes = Files.readAllBytes(path);
    dataStart = 8 + (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    file = Safetensors.open(path);
    file.close();
  }

  static Stream<Path> files(String directory) {
    try {
      URL url = Golden.class.getResource("/" + directory);
      if (url == null) {
        throw new IllegalStateException("no golden vectors in " + directory);
      }
      try (Stream<Path> listing = Files.list(Path.of(url.toURI()))) {
        return listing.sorted().toList().stream();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  Path path() {
    return path;
  }

  Map<String, String> metadata() {
    return file.metadata();
  }

  boolean has(String name) {
    return file.entries().containsKey(name);
  }

  Iterable<String> names() {
    return file.entries().keySet();
  }

  List<Long> shape(String name) {
    return entry(name).shape();
  }

  private Safetensors.Entry entry(String name) {
    Safetensors.Entry entry = file.entries().get(name);
    if (entry == null) {
      throw new IllegalStateException(path + " has no " + name);
    }
    return entry;
  }

  double[] doubles(String name) {
    Safetensors.Entry entry = entry(name);
    ByteBuffer data =
        ByteBuffer.wrap(bytes, dataStart + (int) entry.begin(), (int) (entry.end() - entry.begin()))
            .order(ByteOrder.LITTLE_ENDIAN);
    double[] values = new double[(int) entry.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (entry.type()) {
            case F64 -> data.getDouble();
            case F32 -> data.getFloat();
            case I64 -> (double) data.getLong();
            default -> throw new IllegalStateException(name + " is " + entry.type());
          };
    }
    return values;
  }

  float[] floats(String name) {
    double[] values = doubles(name);
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  int[] ints(String name) {
    double[] values = doubles(name);
    int[] ints = new int[values.length];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = (int) values[i];
    }
    return ints;
  }
}
