package dev.unroll.tests;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.unroll.engine.CellKind;
import dev.unroll.engine.Initialization;
import dev.unroll.engine.InvalidFileException;
import dev.unroll.engine.LayerSpec;
import dev.unroll.engine.ModelFile;
import dev.unroll.engine.Network;
import dev.unroll.engine.NetworkSpec;
import dev.unroll.engine.Parameter;
import dev.unroll.engine.Rng;
import dev.unroll.engine.Safetensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.domains.Domain;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Save and load is the identity; damaged files give an error that names the file, and nothing else.
 */
@Domain(Networks.class)
@Domain(net.jqwik.api.domains.DomainContext.Global.class)
class ModelFileProperties {
  private static Path directory = Path.of("");

  @BeforeContainer
  static void makeDirectory() throws IOException {
    directory = Files.createTempDirectory("unroll-model");
  }

  @AfterContainer
  static void removeDirectory() throws IOException {
    try (var files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }

  private static Path file() {
    return directory.resolve("model.safetensors");
  }

  @Property(tries = 50)
  void saveAndLoadIsTheIdentity(@ForAll Network network) throws IOException {
    Map<String, String> attributes = Map.of("vocabulary", "äöü\n\t\"\\\u0001", "note", "");
    new ModelFile(network, attributes).save(file());
    ModelFile loaded = ModelFile.load(file(), ModelFile.Options.DEFAULT);
    assertEquals(network.spec(), loaded.network().spec());
    assertEquals(attributes, loaded.attributes());
    for (Parameter p : network.parameters()) {
      assertArrayEquals(network.get(p.name()), loaded.network().get(p.name()));
    }
  }

  private static byte[] small() throws IOException {
    NetworkSpec spec = NetworkSpec.recurrent(2, 1, LayerSpec.of(CellKind.LSTM, 3)).withHead(2);
    Network network = Network.create(spec, Initialization.PYTORCH, 5);
    new ModelFile(network, Map.of("vocabulary", "ab")).save(file());
    return Files.readAllBytes(file());
  }

  @Example
  void anyOneByteChangedIsFound() throws IOException {
    byte[] good = small();
    Rng rng = new Rng(3);
    for (int i = 0; i < good.length; i++) {
      byte[] bad = good.clone();
      bad[i] ^= (byte) (1 << rng.nextInt(8));
      Files.write(file(), bad);
      try {
        ModelFile.load(file(), ModelFile.Options.DEFAULT);
        // Only white space after the header may change into other white space.
        assertTrue(bad[i] <= ' ' && good[i] == ' ', "byte " + i + " changed without notice");
      } catch (InvalidFileException e) {
        assertTrue(e.getMessage().contains(file().toString()), e.getMessage());
      }
    }
  }

  @Example
  void aTruncatedOrLongerFileIsFound() throws IOException {
    byte[] good = small();
    for (int length = 0; length <= good.length + 9; length++) {
      if (length != good.length) {
        Files.write(file(), java.util.Arrays.copyOf(good, length));
        assertThrows(
            InvalidFileException.class, () -> ModelFile.load(file(), ModelFile.Options.DEFAULT));
      }
    }
  }

  @Property(tries = 500)
  void anyBytesGiveAClearError(@ForAll byte[] bytes) throws IOException {
    Files.write(file(), bytes);
    assertThrows(
        InvalidFileException.class, () -> ModelFile.load(file(), ModelFile.Options.DEFAULT));
  }

  private static void expectFault(String header, int dataBytes, String fault) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer buffer = ByteBuffer.allocate(8 + json.length + dataBytes);
    buffer.order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).put(json);
    Files.write(file(), buffer.array());
    InvalidFileException e =
        assertThrows(
            InvalidFileException.class, () -> ModelFile.load(file(), ModelFile.Options.DEFAULT));
    assertTrue(e.getMessage().contains(fault), e.getMessage());
  }

  private static String tensor(String name, String shape, int begin, int end) {
    return "\""
        + name
        + "\":{\"dtype\":\"F32\",\"shape\":"
        + shape
        + ",\"data_offsets\":["
        + begin
        + ","
        + end
        + "]}";
  }

  @Example
  void faultsOfTheHeaderAreNamed() throws IOException {
    String ih = tensor("weight_ih_l0", "[2,1]", 0, 8);
    String hh = tensor("weight_hh_l0", "[2,2]", 8, 24);
    expectFault("[]", 0, "not a JSON object");
    expectFault("{" + ih + "," + ih + "}", 8, "'weight_ih_l0' stands there twice");
    expectFault("{" + ih.replace("}", ",\"shape\":[2,1]}") + "}", 8, "shape twice");
    expectFault("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ stands there twice");
    expectFault("{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", 0, "'a' stands there twice");
    expectFault("{" + ih + "," + hh + "}", 25, "holds 25");
    expectFault("{" + ih + "," + tensor("weight_hh_l0", "[2,2]", 12, 28) + "}", 28, "hole");
    expectFault("{" + ih + "," + tensor("weight_hh_l0", "[2,2]", 4, 20) + "}", 20, "overlaps");
    expectFault("{" + tensor("weight_ih_l0", "[2,2]", 0, 8) + "}", 8, "needs 16 bytes");
    expectFault("{" + tensor("weight_ih_l0", "[2,-1]", 0, 8) + "}", 8, "whole numbers");
    for (String size : new String[] {"2.0", "2e0", "\"2\"", "9223372036854775808", "null"}) {
      expectFault("{" + tensor("weight_ih_l0", "[" + size + "]", 0, 8) + "}", 8, "whole numbers");
    }
    expectFault("{" + ih.replace("F32", "F33") + "}", 8, "unknown dtype");
    expectFault("{" + ih.replace("\"F32\"", "32") + "}", 8, "not a string");
    expectFault("{" + ih.replace("[2,1]", "2") + "}", 8, "not an array");
    expectFault("{" + ih.replace("shape", "form") + "}", 8, "unknown field 'form'");
    expectFault("{\"x\":[]}", 0, "'x' is not an object");
    expectFault("{" + ih.replace("F32", "I32") + "," + hh + "}", 24, "floating type");
    expectFault(
        "{" + tensor("weight_ih_l0", "[4611686018427387904,4]", 0, 8) + "}", 8, "too large");
    expectFault("{" + ih + "}", 8, "'weight_hh_l0' is missing");
    expectFault("{" + ih + "," + hh + "," + tensor("x", "[0]", 24, 24) + "}", 24, "unknown tensor");
    expectFault("{" + tensor("x", "[1]", 0, 4) + "}", 4, "holds no network");
    expectFault("{\"__metadata__\":{\"unroll.format\":\"9\"}}", 0, "format version 9");
    expectFault("{\"__metadata__\":{\"a\":1}}", 0, "not a string");
    expectFault(
        "{"
            + tensor("weight_ih_l0", "[5,1]", 0, 20)
            + ","
            + tensor("weight_hh_l0", "[5,2]", 20, 60)
            + "}",
        60,
        "rows in weight_ih");
  }

  @Example
  void aHeaderThatIsNotStrictJsonIsRefused() throws IOException {
    expectFault("\ufeff{}", 0, "not a JSON object");
    expectFault(" {}", 0, "not a JSON object");
    String[] headers = {
      "{} x",
      "{}{}",
      "{ ",
      "{\"x\"",
      "{'x':{}}",
      "{x:{}}",
      "{\"__metadata__\":{},}",
      "{/* */}",
      "{\"__metadata__\":{\"a\":\"\t\"}}",
      "{\"__metadata__\":{\"a\":\"\\x\"}}",
      "{" + tensor("x", "[02]", 0, 8) + "}",
    };
    for (String header : headers) {
      expectFault(header, 0, "valid JSON");
    }
  }

  @Example
  void textThatIsNoUnicodeIsNotSaved() throws IOException {
    byte[] good = small();
    Network network = new Network(NetworkSpec.recurrent(1, 1, LayerSpec.of(CellKind.GRU, 1)));
    ModelFile bad = new ModelFile(network, Map.of("a", "\ud800"));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> bad.save(file()));
    assertTrue(e.getMessage().contains("surrogate"), e.getMessage());
    assertArrayEquals(good, Files.readAllBytes(file()));
  }

  @Example
  void nonFiniteWeightsAreRefusedUnlessAllowed() throws IOException {
    Network network = new Network(NetworkSpec.recurrent(1, 1, LayerSpec.of(CellKind.RNN_TANH, 1)));
    network.set("weight_hh_l0", new float[] {Float.NaN});
    new ModelFile(network, Map.of()).save(file());
    InvalidFileException e =
        assertThrows(
            InvalidFileException.class, () -> ModelFile.load(file(), ModelFile.Options.DEFAULT));
    assertTrue(e.getMessage().contains("weight_hh_l0"), e.getMessage());
    ModelFile allowed = ModelFile.load(file(), new ModelFile.Options(true, false));
    assertTrue(Float.isNaN(allowed.network().get("weight_hh_l0")[0]));
  }

  @Example
  void aFailedWriteLeavesTheOldFileAndNothingElse() throws IOException {
    byte[] good = small();
    Map<String, Safetensors.Tensor> broken =
        Map.of("x", Safetensors.Tensor.of(new float[3], 4)); // too few values: fails while writing
    assertThrows(RuntimeException.class, () -> Safetensors.write(file(), Map.of(), broken));
    assertArrayEquals(good, Files.readAllBytes(file()));
    try (var files = Files.list(directory)) {
      assertFalse(files.anyMatch(f -> f.toString().endsWith(".tmp")));
    }
  }
}
