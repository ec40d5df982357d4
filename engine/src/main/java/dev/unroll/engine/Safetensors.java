package dev.unroll.engine;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import com.google.gson.stream.MalformedJsonException;
import java.io.EOFException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Reads and writes the safetensors format: eight bytes of header length (little-endian), a JSON
 * header, raw little-endian data.
 *
 * <p>Reading is strict: the header must be one JSON object without duplicate names, every tensor
 * must have a known type, a shape and offsets that agree, and the tensors must cover the data
 * without holes, overlaps or trailing bytes.
 */
public final class Safetensors implements AutoCloseable {
  private static final int MAX_HEADER = 100_000_000;
  private static final int ALIGNMENT = 8;
  private static final int CHUNK = 1 << 16;
  private static final String METADATA = "__metadata__";

  /** Element types. */
  public enum Type {
    /** IEEE double. */
    F64(8),
    /** IEEE float. */
    F32(4),
    /** IEEE half. */
    F16(2),
    /** Upper half of a float. */
    BF16(2),
    /** 64-bit integer. */
    I64(8),
    /** 32-bit integer. */
    I32(4),
    /** 16-bit integer. */
    I16(2),
    /** 8-bit integer. */
    I8(1),
    /** 8-bit unsigned integer. */
    U8(1),
    /** Boolean. */
    BOOL(1);

    final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }
  }

  /**
   * Where a tensor stands.
   *
   * @param name its name
   * @param type its element type
   * @param shape its sizes; empty for a scalar
   * @param begin first byte in the data
   * @param end byte after the last
   */
  public record Entry(String name, Type type, List<Long> shape, long begin, long end) {
    /**
     * Number of elements.
     *
     * @return the product of the shape
     */
    public long size() {
      return (end - begin) / type.bytes;
    }
  }

  /* Like the loops here no lambda: the first ones cost more than all else in loading a small model. */
  private static final class ByPlace implements Comparator<Entry> {
    @Override
    public int compare(Entry a, Entry b) {
      int begins = Long.compare(a.begin(), b.begin());
      return begins != 0 ? begins : Long.compare(a.end(), b.end());
    }
  }

  private final Path path;
  private final FileChannel channel;
  private final long dataStart;
  private final Map<String, String> metadata;
  private final Map<String, Entry> entries;

  private Safetensors(
      Path path,
      FileChannel channel,
      long dataStart,
      Map<String, String> metadata,
      Map<String, Entry> entries) {
    this.path = path;
    this.channel = channel;
    this.dataStart = dataStart;
    this.metadata = Collections.unmodifiableMap(metadata);
    this.entries = Collections.unmodifiableMap(entries);
  }

  /**
   * Opens a file and checks its header.
   *
   * @param path the file
   * @return the open file
   * @throws InvalidFileException if it is not a well-formed safetensors file
   * @throws IOException if it cannot be read
   */
  public static Safetensors open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new InvalidFileException(path + " is a directory, not a safetensors file");
    }
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      return parse(path, channel);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static Safetensors parse(Path path, FileChannel channel) throws IOException {
    long fileSize = channel.size();
    if (fileSize < 8) {
      throw new InvalidFileException(
          path + " is not a safetensors file: it has only " + fileSize + " bytes");
    }
    long length = read(path, channel, 0, 8).getLong();
    if (length < 2 || length > Math.min(MAX_HEADER, fileSize - 8)) {
      throw new InvalidFileException(
          path
              + " is not a safetensors file: header length "
              + length
              + " in a file of "
              + fileSize
              + " bytes");
    }
    byte[] header = read(path, channel, 8, (int) length).array();
    Map<String, String> metadata = new LinkedHashMap<>();
    Map<String, Entry> entries = new LinkedHashMap<>();
    JsonReader json = new JsonReader(new StringReader(decodeUtf8(path, header)));
    json.setStrictness(Strictness.STRICT);
    try {
      // The reader would skip a byte order mark and white space before.
      expect(path, header[0] == '{', "the header is not a JSON object");
      parseHeader(path, json, metadata, entries);
    } catch (MalformedJsonException | EOFException e) {
      throw new InvalidFileException(path + ": the header is not valid JSON, at " + json.getPath());
    }
    checkCoverage(path, entries, fileSize - 8 - length);
    return new Safetensors(path, channel, 8 + length, metadata, entries);
  }

  private static String decodeUtf8(Path path, byte[] header) throws InvalidFileException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(header)).toString();
    } catch (CharacterCodingException e) {
      throw new InvalidFileException(path + ": the header is not valid UTF-8");
    }
  }

  private static ByteBuffer read(Path path, FileChannel channel, long position, int size)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new InvalidFileException(path + " ends too early");
      }
    }
    return buffer.flip();
  }

  private static void parseHeader(
      Path path, JsonReader json, Map<String, String> metadata, Map<String, Entry> entries)
      throws IOException {
    boolean described = false;
    json.beginObject();
    while (json.hasNext()) {
      String name = json.nextName();
      expect(path, json.peek() == JsonToken.BEGIN_OBJECT, "'" + name + "' is not an object");
      json.beginObject();
      if (name.equals(METADATA)) {
        expect(path, !described, METADATA + " stands there twice");
        described = true;
        parseMetadata(path, json, metadata);
      } else {
        Entry before = entries.put(name, parseEntry(path, json, name));
        expect(path, before == null, "tensor '" + name + "' stands there twice");
      }
      json.endObject();
    }
    json.endObject();
    expect(path, json.peek() == JsonToken.END_DOCUMENT, "the header goes on after its JSON object");
  }

  private static void parseMetadata(Path path, JsonReader json, Map<String, String> metadata)
      throws IOException {
    while (json.hasNext()) {
      String key = json.nextName();
      String what = METADATA + " '" + key + "'";
      expect(path, json.peek() == JsonToken.STRING, what + " is not a string");
      String before = metadata.put(key, json.nextString());
      expect(path, before == null, what + " stands there twice");
    }
  }

  private static Entry parseEntry(Path path, JsonReader json, String name) throws IOException {
    Set<String> fields = new HashSet<>();
    Type type = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (json.hasNext()) {
      String field = json.nextName();
      expect(path, fields.add(field), "tensor '" + name + "' has " + field + " twice");
      switch (field) {
        case "dtype" -> type = parseType(path, json, name);
        case "shape" -> shape = parseLongs(path, json, "shape of '" + name + "'");
        case "data_offsets" -> offsets = parseLongs(path, json, "offsets of '" + name + "'");
        default ->
            throw new InvalidFileException(
                path + ": tensor '" + name + "' has an unknown field '" + field + "'");
      }
    }
    if (type == null || shape == null || offsets == null || offsets.size() != 2) {
      throw new InvalidFileException(
          path + ": tensor '" + name + "' needs dtype, shape and two data_offsets");
    }
    long bytes = type.bytes;
    try {
      for (long size : shape) {
        bytes = Math.multiplyExact(bytes, size);
      }
    } catch (ArithmeticException e) {
      throw new InvalidFileException(path + ": the shape of '" + name + "' is too large: " + shape);
    }
    Entry entry = new Entry(name, type, List.copyOf(shape), offsets.get(0), offsets.get(1));
    if (entry.end() - entry.begin() != bytes) {
      throw new InvalidFileException(
          path
              + ": tensor '"
              + name
              + "' of type "
              + type
              + " and shape "
              + shape
              + " needs "
              + bytes
              + " bytes, its offsets are "
              + offsets);
    }
    return entry;
  }

  private static Type parseType(Path path, JsonReader json, String name) throws IOException {
    expect(path, json.peek() == JsonToken.STRING, "dtype of '" + name + "' is not a string");
    String text = json.nextString();
    for (Type type : Type.values()) {
      if (type.name().equals(text)) {
        return type;
      }
    }
    throw new InvalidFileException(
        path
            + ": tensor '"
            + name
            + "' has unknown dtype "
            + text
            + "; known are "
            + Arrays.toString(Type.values()));
  }

  private static List<Long> parseLongs(Path path, JsonReader json, String what) throws IOException {
    expect(path, json.peek() == JsonToken.BEGIN_ARRAY, what + ": not an array");
    List<Long> values = new ArrayList<>();
    json.beginArray();
    while (json.hasNext()) {
      // As text: the reader would take a string or 1.0 for a whole number.
      long value = json.peek() == JsonToken.NUMBER ? parseLong(json.nextString()) : -1;
      expect(path, value >= 0, what + ": not an array of whole numbers from 0 to 2^63");
      values.add(value);
    }
    json.endArray();
    return values;
  }

  /* A whole number, or -1 if the text is none or too large. */
  private static long parseLong(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  private static void expect(Path path, boolean condition, String otherwise)
      throws InvalidFileException {
    if (!condition) {
      throw new InvalidFileException(path + ": " + otherwise);
    }
  }

  private static void checkCoverage(Path path, Map<String, Entry> entries, long dataSize)
      throws InvalidFileException {
    List<Entry> sorted = new ArrayList<>(entries.values());
    sorted.sort(new ByPlace());
    long at = 0;
    for (Entry entry : sorted) {
      if (entry.begin() != at) {
        String fault = entry.begin() > at ? "leaves a hole before" : "overlaps the tensor before";
        throw new InvalidFileException(
            path + ": tensor '" + entry.name() + "' " + fault + " byte " + entry.begin());
      }
      at = entry.end();
    }
    if (at != dataSize) {
      throw new InvalidFileException(
          path + ": the header describes " + at + " bytes of data, the file holds " + dataSize);
    }
  }

  /**
   * The file.
   *
   * @return its path
   */
  public Path path() {
    return path;
  }

  /**
   * The strings under {@code __metadata__}.
   *
   * @return an unmodifiable map
   */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * The tensors.
   *
   * @return an unmodifiable map by name, in the header's order
   */
  public Map<String, Entry> entries() {
    return entries;
  }

  /**
   * Reads a tensor of any floating type whose values are exactly floats.
   *
   * @param name its name
   * @return its values, row-major
   * @throws InvalidFileException if it is missing, not floating, too large, or would lose precision
   * @throws IOException if it cannot be read
   */
  public float[] floats(String name) throws IOException {
    Entry entry = entry(name);
    float[] values = new float[arrayLength(entry)];
    int i = 0;
    for (long at = entry.begin(); at < entry.end(); at += CHUNK) {
      ByteBuffer chunk = chunk(entry, at);
      while (chunk.hasRemaining()) {
        values[i++] = nextFloat(entry, chunk);
      }
    }
    return values;
  }

  private float nextFloat(Entry entry, ByteBuffer chunk) throws InvalidFileException {
    return switch (entry.type()) {
      case F32 -> chunk.getFloat();
      case BF16 -> Float.intBitsToFloat(chunk.getShort() << 16);
      case F16 -> halfToFloat(chunk.getShort());
      case F64 -> {
        double exact = chunk.getDouble();
        if ((float) exact != exact && !Double.isNaN(exact)) {
          throw new InvalidFileException(
              path
                  + ": tensor '"
                  + entry.name()
                  + "' is F64 and "
                  + exact
                  + " is no float; convert it to F32 first");
        }
        yield (float) exact;
      }
      default ->
          throw new InvalidFileException(
              path
                  + ": tensor '"
                  + entry.name()
                  + "' is "
                  + entry.type()
                  + "; a floating type is needed, F32 for choice");
    };
  }

  private static float halfToFloat(short half) {
    int exponent = half >> 10 & 0x1f;
    int fraction = half & 0x3ff;
    float magnitude =
        exponent == 0
            ? fraction * 0x1p-24f
            : exponent == 31
                ? (fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN)
                : Float.intBitsToFloat((exponent + 112) << 23 | fraction << 13);
    return half < 0 ? -magnitude : magnitude;
  }

  /**
   * Reads a tensor of type I64 or I32 whose values fit an int.
   *
   * @param name its name
   * @return its values
   * @throws InvalidFileException if it is missing, of another type, or a value does not fit
   * @throws IOException if it cannot be read
   */
  public int[] ints(String name) throws IOException {
    Entry entry = entry(name);
    if (entry.type() != Type.I64 && entry.type() != Type.I32) {
      throw new InvalidFileException(
          path + ": tensor '" + name + "' is " + entry.type() + "; I64 is needed");
    }
    int[] values = new int[arrayLength(entry)];
    int i = 0;
    for (long at = entry.begin(); at < entry.end(); at += CHUNK) {
      ByteBuffer chunk = chunk(entry, at);
      while (chunk.hasRemaining()) {
        long value = entry.type() == Type.I64 ? chunk.getLong() : chunk.getInt();
        if (value != (int) value) {
          throw new InvalidFileException(
              path + ": tensor '" + name + "' holds " + value + ", which is out of range");
        }
        values[i++] = (int) value;
      }
    }
    return values;
  }

  private Entry entry(String name) throws InvalidFileException {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new InvalidFileException(
          path + " has no tensor '" + name + "'; it has " + entries.keySet());
    }
    return entry;
  }

  private int arrayLength(Entry entry) throws InvalidFileException {
    if (entry.size() > Integer.MAX_VALUE - 8) {
      throw new InvalidFileException(
          path + ": tensor '" + entry.name() + "' has more than 2^31 elements");
    }
    return (int) entry.size();
  }

  /* Bytes of a tensor from one on, little-endian. */
  private ByteBuffer chunk(Entry entry, long at) throws IOException {
    return read(path, channel, dataStart + at, (int) Math.min(CHUNK, entry.end() - at));
  }

  /** Takes a tensor's bytes into a checksum. */
  void update(CRC32C crc, Entry entry) throws IOException {
    for (long at = entry.begin(); at < entry.end(); at += CHUNK) {
      crc.update(chunk(entry, at));
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /**
   * A tensor to write.
   *
   * @param shape its sizes
   * @param values row-major values, written as F32
   * @param offset index of the first
   */
  public record Tensor(List<Integer> shape, float[] values, int offset) {
    /**
     * A tensor that fills its array.
     *
     * @param values row-major values
     * @param shape its sizes
     * @return the tensor
     */
    public static Tensor of(float[] values, Integer... shape) {
      return new Tensor(List.of(shape), values, 0);
    }

    int size() {
      return shape.stream().reduce(1, Math::multiplyExact);
    }
  }

  /**
   * Writes an {@link AtomicFile}.
   *
   * @param path the file
   * @param metadata strings for {@code __metadata__}; sorted by key
   * @param tensors F32 tensors, in this order
   * @throws IllegalArgumentException if a name or string holds half of a surrogate pair
   * @throws IOException if it cannot be written; nothing is left behind
   */
  public static void write(Path path, Map<String, String> metadata, Map<String, Tensor> tensors)
      throws IOException {
    byte[] header = header(metadata, tensors);
    AtomicFile.write(
        path,
        out -> {
          ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
          out.write(length.putLong(header.length).array());
          out.write(header);
          for (Tensor tensor : tensors.values()) {
            for (int at = 0; at < tensor.size(); at += CHUNK) {
              int n = Math.min(CHUNK, tensor.size() - at);
              out.write(bytes(tensor.values(), tensor.offset() + at, n).array());
            }
          }
        });
  }

  /** Floats as little-endian bytes. */
  static ByteBuffer bytes(float[] values, int offset, int n) {
    ByteBuffer buffer = ByteBuffer.allocate(n * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    buffer.asFloatBuffer().put(values, offset, n);
    return buffer;
  }

  private static byte[] header(Map<String, String> metadata, Map<String, Tensor> tensors)
      throws IOException {
    StringWriter out = new StringWriter();
    JsonWriter json = new JsonWriter(out);
    json.setStrictness(Strictness.STRICT);
    json.beginObject();
    if (!metadata.isEmpty()) {
      json.name(METADATA).beginObject();
      for (Map.Entry<String, String> e : new TreeMap<>(metadata).entrySet()) {
        json.name(e.getKey()).value(e.getValue());
      }
      json.endObject();
    }
    long at = 0;
    for (Map.Entry<String, Tensor> e : tensors.entrySet()) {
      long end = at + (long) Float.BYTES * e.getValue().size();
      json.name(e.getKey()).beginObject();
      json.name("dtype").value(Type.F32.name());
      json.name("shape").beginArray();
      for (int size : e.getValue().shape()) {
        json.value(size);
      }
      json.endArray();
      json.name("data_offsets").beginArray().value(at).value(end).endArray();
      json.endObject();
      at = end;
    }
    json.endObject();
    ByteBuffer utf8 = encodeUtf8(out.toString());
    int bytes = utf8.remaining();
    byte[] header = new byte[(bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT];
    utf8.get(header, 0, bytes);
    Arrays.fill(header, bytes, header.length, (byte) ' ');
    return header;
  }

  private static ByteBuffer encodeUtf8(String text) {
    try {
      return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          "a name or attribute holds half of a surrogate pair, which no file in UTF-8 can hold");
    }
  }
}
