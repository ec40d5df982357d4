package dev.unroll.cli;

import java.util.Arrays;
import java.util.Locale;

/** The characters (Unicode code points) of a text, numbered in ascending order. */
final class Vocabulary {
  /** Key of the model file's attribute that holds the characters. */
  static final String ATTRIBUTE = "vocabulary";

  private final int[] characters;

  private Vocabulary(int[] characters) {
    this.characters = characters;
  }

  static Vocabulary of(String text) {
    return new Vocabulary(text.codePoints().sorted().distinct().toArray());
  }

  int size() {
    return characters.length;
  }

  int[] encode(String text) {
    return text.codePoints().map(this::id).toArray();
  }

  private int id(int character) {
    int id = Arrays.binarySearch(characters, character);
    if (id < 0) {
      throw new UsageException(
          "the model does not know the character '"
              + Character.toString(character)
              + "' (U+"
              + String.format(Locale.ROOT, "%04X", character)
              + ")");
    }
    return id;
  }

  boolean knows(int character) {
    return Arrays.binarySearch(characters, character) >= 0;
  }

  String decode(int id) {
    return Character.toString(characters[id]);
  }

  @Override
  public String toString() {
    return new String(characters, 0, characters.length);
  }
}
