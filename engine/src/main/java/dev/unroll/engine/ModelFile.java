package dev.unroll.engine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * A network in a safetensors file: the architecture and free attributes in {@code __metadata__},
 * the parameters under PyTorch's names. PyTorch reads it as a state dict; a bare state dict of one
 * nn.RNN, nn.GRU or nn.LSTM is read too, its architecture inferred from names and shapes.
 *
 * <p>A checksum over metadata, names, shapes and data tells a damaged file.
 *
 * @param network the network
 * @param attributes what the application wants to keep with it, for example a vocabulary
 */
public record ModelFile(Network network, Map<String, String> attributes) {
  private static final String PREFIX = "unroll.";
  private static final String FORMAT = PREFIX + "format";
  private static final String INPUT = PREFIX + "input";
  private static final String INPUT_SIZE = PREFIX + "input_size";
  private static final String EMBEDDING_SIZE = PREFIX + "embedding_size";
  private static final String LAYERS = PREFIX + "layers";
  private static final String BIDIRECTIONAL = PREFIX + "bidirectional";
  private static final String SUM_DIRECTIONS = PREFIX + "sum_directions";
  private static final String RESIDUAL = PREFIX + "residual";
  private static final String INPUT_SKIP = PREFIX + "input_skip";
  private static final String LEARNED_STATE = PREFIX + "learned_state";
  private static final String DROPOUT = PREFIX + "dropout";
  private static final String LOCKED_INPUT = PREFIX + "locked_input";
  private static final String LOCKED_STATE = PREFIX + "locked_state";
  private static final String WEIGHT_DROP = PREFIX + "weight_drop";
  private static final String ZONEOUT_HIDDEN = PREFIX + "zoneout_hidden";
  private static final String ZONEOUT_CELL = PREFIX + "zoneout_cell";
  private static final String OUTPUT_SIZE = PREFIX + "output_size";
  private static final String CHECKSUM = PREFIX + "checksum";
  private static final String ATTRIBUTE = PREFIX + "attribute.";
  private static final String VERSION = "1";
  private static final String RESET_BEFORE = "reset_before";
  private static final String PEEPHOLES = "peepholes";
  private static final String COUPLED_GATE = "coupled_gate";
  private static final String LAYER_NORM = "layer_norm";
  private static final String CLIP = "clip=";

  /** Copies the attributes. */
  public ModelFile {
    attributes = Map.copyOf(attributes);
  }

  /**
   * How to read.
   *
   * @param allowNonFinite whether NaN and infinite weights are accepted
   * @param relu whether a bare state dict of an nn.RNN has the nonlinearity relu, which it does not
   *     say
   */
  public record Options(boolean allowNonFinite, boolean relu) {
    /** Finite weights; tanh. */
    public static final Options DEFAULT = new Options(false, false);
  }

  /**
   * Writes the file, at once or not at all.
   *
   * @param path the file
   * @throws IllegalArgumentException if an attribute holds half of a surrogate pair
   * @throws IOException if it cannot be written
   */
  public void save(Path path) throws IOException {
    Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
    for (Parameter p : network.parameters()) {
      tensors.put(p.name(), new Safetensors.Tensor(p.shape(), network.values(), p.offset()));
    }
    Map<String, String> metadata = describe(network.spec());
    attributes.forEach((key, value) -> metadata.put(ATTRIBUTE + key, value));
    CRC32C crc = new CRC32C();
    update(crc, metadata);
    for (Map.Entry<String, Safetensors.Tensor> e : new TreeMap<>(tensors).entrySet()) {
      Safetensors.Tensor tensor = e.getValue();
      update(crc, e.getKey() + tensor.shape());
      crc.update(Safetensors.bytes(tensor.values(), tensor.offset(), tensor.size()).array());
    }
    metadata.put(CHECKSUM, Long.toHexString(crc.getValue()));
    Safetensors.write(path, metadata, tensors);
  }

  private static void update(CRC32C crc, Map<String, String> metadata) {
    for (Map.Entry<String, String> e : new TreeMap<>(metadata).entrySet()) {
      update(crc, e.getKey() + "=" + e.getValue());
    }
  }

  private static void update(CRC32C crc, String text) {
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    crc.update(0);
  }

  private static Map<String, String> describe(NetworkSpec spec) {
    List<String> layers = new ArrayList<>();
    for (LayerSpec l : spec.layers()) {
      String bias = l.bias() ? "bias" : "nobias";
      String options = l.options().isStandard() ? "" : ":" + describe(l.options());
      layers.add(l.cell() + ":" + l.hidden() + ":" + l.projection() + ":" + bias + options);
    }
    Map<String, String> metadata = new TreeMap<>();
    metadata.put(FORMAT, VERSION);
    metadata.put(INPUT, spec.input().name());
    metadata.put(INPUT_SIZE, Integer.toString(spec.inputSize()));
    metadata.put(EMBEDDING_SIZE, Integer.toString(spec.embeddingSize()));
    metadata.put(LAYERS, String.join(",", layers));
    metadata.put(BIDIRECTIONAL, Boolean.toString(spec.bidirectional()));
    Topology t = spec.topology();
    putFlag(metadata, SUM_DIRECTIONS, t.sumDirections());
    putFlag(metadata, RESIDUAL, t.residual());
    putFlag(metadata, INPUT_SKIP, t.inputSkip());
    putFlag(metadata, LEARNED_STATE, t.learnedState());
    Regularization r = spec.regularization();
    putProbability(metadata, DROPOUT, r.dropout());
    putProbability(metadata, LOCKED_INPUT, r.lockedInput());
    putProbability(metadata, LOCKED_STATE, r.lockedState());
    putProbability(metadata, WEIGHT_DROP, r.weightDrop());
    putProbability(metadata, ZONEOUT_HIDDEN, r.zoneoutHidden());
    putProbability(metadata, ZONEOUT_CELL, r.zoneoutCell());
    metadata.put(OUTPUT_SIZE, Integer.toString(spec.outputSize()));
    return metadata;
  }

  private static void putFlag(Map<String, String> metadata, String key, boolean value) {
    if (value) {
      metadata.put(key, "true");
    }
  }

  private static void putProbability(Map<String, String> metadata, String key, float value) {
    if (value > 0) {
      metadata.put(key, Float.toString(value));
    }
  }

  private static boolean takeFlag(Map<String, String> from, String key) {
    String value = from.remove(key);
    return value != null && parseBoolean(value);
  }

  private static float takeProbability(Map<String, String> from, String key) {
    String value = from.remove(key);
    return value == null ? 0f : Float.parseFloat(value);
  }

  /* For example peepholes+clip=3.0+SIGMOID/0.0/0.0+TANH/0.0/0.0+TANH/0.0/0.0 */
  private static String describe(CellOptions options) {
    List<String> parts = new ArrayList<>();
    if (options.resetBefore()) {
      parts.add(RESET_BEFORE);
    }
    if (options.peepholes()) {
      parts.add(PEEPHOLES);
    }
    if (options.coupledGate()) {
      parts.add(COUPLED_GATE);
    }
    if (options.layerNorm()) {
      parts.add(LAYER_NORM);
    }
    if (options.clip() > 0) {
      parts.add(CLIP + options.clip());
    }
    for (Activation a : options.activations()) {
      parts.add(a.kind() + "/" + a.alpha() + "/" + a.beta());
    }
    return String.join("+", parts);
  }

  private static CellOptions parseOptions(String text) {
    List<String> parts = new ArrayList<>(List.of(text.split("\\+", -1)));
    boolean resetBefore = parts.remove(RESET_BEFORE);
    boolean peepholes = parts.remove(PEEPHOLES);
    boolean coupledGate = parts.remove(COUPLED_GATE);
    boolean layerNorm = parts.remove(LAYER_NORM);
    float clip = 0;
    List<Activation> activations = new ArrayList<>();
    for (String part : parts) {
      String[] f = part.split("/", -1);
      if (part.startsWith(CLIP) && clip == 0) {
        clip = Float.parseFloat(part.substring(CLIP.length()));
      } else if (f.length == 3) {
        Activation.Kind kind = Activation.Kind.valueOf(f[0]);
        activations.add(new Activation(kind, Float.parseFloat(f[1]), Float.parseFloat(f[2])));
      } else {
        throw new IllegalArgumentException("unknown option '" + part + "' of a layer");
      }
    }
    return new CellOptions(resetBefore, peepholes, coupledGate, layerNorm, clip, activations);
  }

  /**
   * Reads a file.
   *
   * @param path the file
   * @param options what to accept
   * @return network and attributes
   * @throws InvalidFileException if the file is damaged or not a network
   * @throws IOException if it cannot be read
   */
  public static ModelFile load(Path path, Options options) throws IOException {
    try (Safetensors file = Safetensors.open(path)) {
      if (!isOurs(file)) {
        NetworkSpec spec = StateDict.infer(file, options.relu());
        Network network = new Network(spec);
        checkNames(file, network, true);
        readParameters(file, network, options);
        return new ModelFile(network, Map.of());
      }
      Map<String, String> attributes = new TreeMap<>();
      NetworkSpec spec = parse(file, attributes);
      Network network = newNetwork(path, spec);
      checkNames(file, network, false);
      checkSum(file);
      readParameters(file, network, options);
      return new ModelFile(network, attributes);
    }
  }

  private static boolean isOurs(Safetensors file) {
    for (String key : file.metadata().keySet()) {
      if (key.startsWith(PREFIX)) {
        return true;
      }
    }
    return false;
  }

  private static Network newNetwork(Path path, NetworkSpec spec) throws InvalidFileException {
    try {
      return new Network(spec);
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(path + ": " + e.getMessage());
    }
  }

  private static NetworkSpec parse(Safetensors file, Map<String, String> attributes)
      throws InvalidFileException {
    Map<String, String> rest = new TreeMap<>(file.metadata());
    rest.remove("format"); // PyTorch's own mark
    rest.remove(CHECKSUM);
    String version = take(file, rest, FORMAT);
    if (!version.equals(VERSION)) {
      throw new InvalidFileException(
          file.path() + ": format version " + version + "; this version reads " + VERSION);
    }
    NetworkSpec spec;
    try {
      spec =
          new NetworkSpec(
              NetworkSpec.Input.valueOf(take(file, rest, INPUT)),
              Integer.parseInt(take(file, rest, INPUT_SIZE)),
              Integer.parseInt(take(file, rest, EMBEDDING_SIZE)),
              parseLayers(take(file, rest, LAYERS)),
              new Topology(
                  parseBoolean(take(file, rest, BIDIRECTIONAL)),
                  takeFlag(rest, SUM_DIRECTIONS),
                  takeFlag(rest, RESIDUAL),
                  takeFlag(rest, INPUT_SKIP),
                  takeFlag(rest, LEARNED_STATE)),
              new Regularization(
                  takeProbability(rest, DROPOUT),
                  takeProbability(rest, LOCKED_INPUT),
                  takeProbability(rest, LOCKED_STATE),
                  takeProbability(rest, WEIGHT_DROP),
                  takeProbability(rest, ZONEOUT_HIDDEN),
                  takeProbability(rest, ZONEOUT_CELL)),
              Integer.parseInt(take(file, rest, OUTPUT_SIZE)));
    } catch (IllegalArgumentException e) {
      throw new InvalidFileException(
          file.path() + ": the metadata describe no network: " + e.getMessage());
    }
    for (Map.Entry<String, String> e : rest.entrySet()) {
      if (!e.getKey().startsWith(ATTRIBUTE)) {
        throw new InvalidFileException(file.path() + ": unknown metadata key '" + e.getKey() + "'");
      }
      attributes.put(e.getKey().substring(ATTRIBUTE.length()), e.getValue());
    }
    return spec;
  }

  private static String take(Safetensors file, Map<String, String> from, String key)
      throws InvalidFileException {
    String value = from.remove(key);
    if (value == null) {
      throw new InvalidFileException(file.path() + ": metadata key '" + key + "' is missing");
    }
    return value;
  }

  private static boolean parseBoolean(String text) {
    if (!text.equals("true") && !text.equals("false")) {
      throw new IllegalArgumentException("'" + text + "' is neither true nor false");
    }
    return Boolean.parseBoolean(text);
  }

  private static List<LayerSpec> parseLayers(String text) {
    List<LayerSpec> layers = new ArrayList<>();
    for (String layer : text.split(",", -1)) {
      String[] f = layer.split(":", -1);
      if (f.length < 4 || f.length > 5 || !(f[3].equals("bias") || f[3].equals("nobias"))) {
        throw new IllegalArgumentException("layer '" + layer + "'");
      }
      layers.add(
          new LayerSpec(
              CellKind.valueOf(f[0].toUpperCase(Locale.ROOT)),
              Integer.parseInt(f[1]),
              Integer.parseInt(f[2]),
              f[3].equals("bias"),
              f.length == 5 ? parseOptions(f[4]) : CellOptions.STANDARD));
    }
    return layers;
  }

  private static void checkNames(Safetensors file, Network network, boolean ignoreCase)
      throws InvalidFileException {
    for (Parameter p : network.parameters()) {
      Safetensors.Entry entry = file.entries().get(p.name());
      if (entry == null) {
        throw new InvalidFileException(file.path() + ": tensor '" + p.name() + "' is missing");
      }
      List<Long> shape = new ArrayList<>();
      for (int size : p.shape()) {
        shape.add((long) size);
      }
      if (!entry.shape().equals(shape)) {
        throw new InvalidFileException(
            file.path()
                + ": tensor '"
                + p.name()
                + "' has shape "
                + entry.shape()
                + ", not "
                + shape);
      }
    }
    for (String name : file.entries().keySet()) {
      boolean known = network.layout().find(name).isPresent();
      if (!known && !(ignoreCase && StateDict.isCaseTensor(name))) {
        throw new InvalidFileException(file.path() + ": unknown tensor '" + name + "'");
      }
    }
  }

  private static void checkSum(Safetensors file) throws IOException {
    Map<String, String> metadata = new TreeMap<>(file.metadata());
    String expected = take(file, metadata, CHECKSUM);
    metadata.remove("format");
    CRC32C crc = new CRC32C();
    update(crc, metadata);
    for (Safetensors.Entry entry : new TreeMap<>(file.entries()).values()) {
      update(crc, entry.name() + entry.shape());
      file.update(crc, entry);
    }
    String actual = Long.toHexString(crc.getValue());
    if (!actual.equals(expected)) {
      throw new InvalidFileException(
          file.path()
              + ": the checksum is "
              + actual
              + ", not "
              + expected
              + " as saved: the file is damaged or was changed; to accept changed tensors, save"
              + " them without the metadata, as a bare state dict");
    }
  }

  private static void readParameters(Safetensors file, Network network, Options options)
      throws IOException {
    for (Parameter p : network.parameters()) {
      float[] values = file.floats(p.name());
      for (int i = 0; i < values.length && !options.allowNonFinite(); i++) {
        if (!Float.isFinite(values[i])) {
          throw new InvalidFileException(
              file.path()
                  + ": '"
                  + p.name()
                  + "' holds "
                  + values[i]
                  + " at element "
                  + i
                  + "; allow non-finite weights to read it all the same");
        }
      }
      network.set(p.name(), values);
    }
  }
}
