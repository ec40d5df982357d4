package dev.unroll.cli;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The tokens of a text, numbered in ascending order: characters (Unicode code points), words (runs
 * of letters and digits, single other characters, and white space as it stands), or the 256 bytes
 * of UTF-8.
 */
final class Vocabulary {
  /** Keys of the model file's attributes: the tokens, and what they are. */
  static final String ATTRIBUTE = "vocabulary";

  static final String LEVEL = "level";

  private static final int BYTES = 256;
  private static final char SEPARATOR = '\u0000';
  private static final Pattern WORDS =
      Pattern.compile("[\\p{L}\\p{N}_']+|\\s+|.", Pattern.DOTALL | Pattern.UNICODE_CHARACTER_CLASS);

  /** What a token is. */
  enum Level {
    CHAR("character"),
    WORD("word"),
    BYTE("byte");

    private final String singular;

    Level(String singular) {
      this.singular = singular;
    }

    String singular() {
      return singular;
    }

    String plural() {
      return singular + "s";
    }
  }

  private final Level level;
  private final List<String> tokens;
  private final Map<String, Integer> ids = new HashMap<>();
  private final ByteArrayOutputStream pending = new ByteArrayOutputStream();

  private Vocabulary(Level level, List<String> tokens) {
    this.level = level;
    this.tokens = tokens;
    for (int i = 0; i < tokens.size(); i++) {
      ids.put(tokens.get(i), i);
    }
  }

  static Vocabulary of(String text, Level level) {
    if (level == Level.BYTE) {
      return new Vocabulary(level, Collections.nCopies(BYTES, ""));
    }
    return new Vocabulary(level, new ArrayList<>(new TreeSet<>(split(text, level))));
  }

  /** The vocabulary of a model, or null if it is no language model. */
  static Vocabulary of(Map<String, String> attributes, String model) {
    String stored = attributes.get(ATTRIBUTE);
    String name = attributes.getOrDefault(LEVEL, Level.CHAR.name());
    if (stored == null) {
      throw new UsageException(
          model + " is no language model: it has no vocabulary; make one with unroll train --text");
    }
    Level level;
    try {
      level = Level.valueOf(name);
    } catch (IllegalArgumentException e) {
      throw new UsageException(model + ": unknown kind of tokens '" + name + "'");
    }
    return switch (level) {
      case BYTE, CHAR -> of(stored, level);
      case WORD ->
          new Vocabulary(
              level, List.of(stored.split(Pattern.quote(String.valueOf(SEPARATOR)), -1)));
    };
  }

  private static List<String> split(String text, Level level) {
    if (level == Level.CHAR) {
      return text.codePoints().mapToObj(Character::toString).toList();
    }
    List<String> parts = new ArrayList<>();
    Matcher matcher = WORDS.matcher(text);
    while (matcher.find()) {
      parts.add(matcher.group());
    }
    return parts;
  }

  Level level() {
    return level;
  }

  int size() {
    return tokens.size();
  }

  int[] encode(String text) {
    if (level == Level.BYTE) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      int[] numbers = new int[bytes.length];
      for (int i = 0; i < bytes.length; i++) {
        numbers[i] = Byte.toUnsignedInt(bytes[i]);
      }
      return numbers;
    }
    return split(text, level).stream().mapToInt(this::id).toArray();
  }

  private int id(String token) {
    Integer id = ids.get(token);
    if (id == null) {
      String code =
          token
              .codePoints()
              .mapToObj(c -> String.format(Locale.ROOT, "U+%04X", c))
              .collect(Collectors.joining(" "));
      throw new UsageException(
          "the model does not know the " + level.singular() + " '" + token + "' (" + code + ")");
    }
    return id;
  }

  boolean knows(String token) {
    return level == Level.BYTE || ids.containsKey(token);
  }

  /** The text of a token; of bytes nothing until a character is complete. */
  String decode(int id) {
    if (level != Level.BYTE) {
      return tokens.get(id);
    }
    boolean continues = (id & 0xC0) == 0x80;
    String before = continues ? "" : drain();
    pending.write(id);
    return before + (complete() ? drain() : "");
  }

  private boolean complete() {
    byte[] bytes = pending.toByteArray();
    int first = Byte.toUnsignedInt(bytes[0]);
    int length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return bytes.length >= length;
  }

  private String drain() {
    String text = pending.toString(StandardCharsets.UTF_8);
    pending.reset();
    return text;
  }

  Map<String, String> attributes() {
    String joined =
        switch (level) {
          case BYTE -> "";
          case CHAR -> String.join("", tokens);
          case WORD -> String.join(String.valueOf(SEPARATOR), tokens);
        };
    return Map.of(ATTRIBUTE, joined, LEVEL, level.name());
  }
}
