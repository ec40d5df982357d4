package dev.unroll.cli;

import dev.unroll.engine.Network;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Safetensors;
import dev.unroll.engine.Trainer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * A training run at rest, in a safetensors file written at once or not at all: parameters, the best
 * ones so far, the optimizer's moments, and as text the position of everything else.
 *
 * @param numbers what {@link Training} counts, by name
 * @param parameters of the network, by name
 * @param best the best parameters so far, by name, or empty
 * @param progress the trainer's
 */
record Checkpoint(
    Map<String, String> numbers,
    Map<String, float[]> parameters,
    Map<String, float[]> best,
    Trainer.Progress progress) {
  private static final String FORMAT = "unroll.checkpoint";
  private static final String UPDATES = "updates";
  private static final String NOISE = "noise";
  private static final String CHECKSUM = "checksum";
  private static final String PARAMETER = "parameter.";
  private static final String BEST = "best.";
  private static final String FIRST = "optimizer.first";
  private static final String SECOND = "optimizer.second";

  static Map<String, float[]> parametersOf(Network network) {
    Map<String, float[]> values = new LinkedHashMap<>();
    for (Parameter p : network.parameters()) {
      values.put(p.name(), network.get(p.name()));
    }
    return values;
  }

  void save(Path path) throws IOException {
    Map<String, Safetensors.Tensor> tensors = new TreeMap<>();
    parameters.forEach((name, v) -> tensors.put(PARAMETER + name, tensor(v)));
    best.forEach((name, v) -> tensors.put(BEST + name, tensor(v)));
    if (progress.first().length > 0) {
      tensors.put(FIRST, tensor(progress.first()));
    }
    if (progress.second().length > 0) {
      tensors.put(SECOND, tensor(progress.second()));
    }
    Map<String, String> metadata = new TreeMap<>(numbers);
    metadata.put(FORMAT, "1");
    metadata.put(UPDATES, Long.toString(progress.updates()));
    metadata.put(NOISE, Long.toString(progress.noise()));
    Map<String, float[]> all = new TreeMap<>();
    tensors.forEach((name, t) -> all.put(name, t.values()));
    metadata.put(CHECKSUM, checksum(metadata, all));
    Safetensors.write(path, metadata, tensors);
  }

  private static Safetensors.Tensor tensor(float[] values) {
    return Safetensors.Tensor.of(values, values.length);
  }

  private static String checksum(Map<String, String> metadata, Map<String, float[]> tensors) {
    CRC32C crc = new CRC32C();
    metadata.forEach((k, v) -> crc.update((k + "=" + v + ";").getBytes(StandardCharsets.UTF_8)));
    tensors.forEach(
        (name, values) -> {
          crc.update(name.getBytes(StandardCharsets.UTF_8));
          for (float value : values) {
            int bits = Float.floatToRawIntBits(value);
            for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
              crc.update(bits >>> shift);
            }
          }
        });
    return Long.toHexString(crc.getValue());
  }

  static Checkpoint load(Path path) throws IOException {
    try (Safetensors file = Safetensors.open(path)) {
      Map<String, String> metadata = new TreeMap<>(file.metadata());
      if (!"1".equals(metadata.get(FORMAT))) {
        throw new UsageException(
            path + " is no checkpoint of this version; unroll train --checkpoint writes one");
      }
      Map<String, float[]> tensors = new TreeMap<>();
      for (String name : file.entries().keySet()) {
        tensors.put(name, file.floats(name));
      }
      String given = metadata.remove(CHECKSUM);
      if (!checksum(metadata, tensors).equals(given)) {
        throw new UsageException(path + " is damaged: its checksum does not fit");
      }
      Trainer.Progress progress =
          new Trainer.Progress(
              tensors.getOrDefault(FIRST, new float[0]),
              tensors.getOrDefault(SECOND, new float[0]),
              Long.parseLong(metadata.get(UPDATES)),
              Long.parseLong(metadata.get(NOISE)));
      return new Checkpoint(
          metadata, withPrefix(PARAMETER, tensors), withPrefix(BEST, tensors), progress);
    }
  }

  private static Map<String, float[]> withPrefix(String prefix, Map<String, float[]> tensors) {
    Map<String, float[]> found = new HashMap<>();
    for (Map.Entry<String, float[]> e : tensors.entrySet()) {
      if (e.getKey().startsWith(prefix)) {
        found.put(e.getKey().substring(prefix.length()), e.getValue());
      }
    }
    return found;
  }

  /** Copies parameters into a network that must have the same. */
  static void copy(Map<String, float[]> values, Network network, Path from) {
    List<String> names = network.parameters().stream().map(Parameter::name).sorted().toList();
    if (!names.equals(values.keySet().stream().sorted().toList())) {
      throw new UsageException(from + " holds other parameters than this network");
    }
    values.forEach(network::set);
  }
}
