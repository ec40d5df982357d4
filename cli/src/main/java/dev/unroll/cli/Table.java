package dev.unroll.cli;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/** A CSV file with a header. */
final class Table {
  private final Path path;
  private final List<String> columns;
  private final List<CsvRecord> rows = new ArrayList<>();

  Table(Path path) throws IOException {
    this.path = path;
    if (Files.isDirectory(path)) {
      throw new UsageException(path + " is a directory; a CSV file is needed");
    }
    try (CsvReader<CsvRecord> reader = CsvReader.builder().ofCsvRecord(path)) {
      reader.forEach(rows::add);
    } catch (CsvParseException | UncheckedIOException e) {
      throw new UsageException(path + " is no CSV file: " + e.getMessage());
    }
    if (rows.size() < 2) {
      throw new UsageException(path + " needs a header and at least one row");
    }
    columns = rows.remove(0).getFields().stream().map(String::strip).toList();
    if (new HashSet<>(columns).size() < columns.size()) {
      throw new UsageException(path + ": two columns have the same name; header: " + columns);
    }
    for (CsvRecord row : rows) {
      if (row.getFieldCount() != columns.size()) {
        throw new UsageException(
            path
                + ", line "
                + row.getStartingLineNumber()
                + " has "
                + row.getFieldCount()
                + " fields; the header has "
                + columns.size());
      }
    }
  }

  int rows() {
    return rows.size();
  }

  List<String> columns() {
    return columns;
  }

  private int index(String column) {
    int index = columns.indexOf(column);
    if (index < 0) {
      throw new UsageException(path + " has no column '" + column + "'; it has " + columns);
    }
    return index;
  }

  List<String> text(String column) {
    int index = index(column);
    return rows.stream().map(r -> r.getField(index)).toList();
  }

  /** Whether the first row of a column holds a number. */
  boolean isNumeric(String column) {
    try {
      return Float.isFinite(Float.parseFloat(rows.get(0).getField(index(column)).strip()));
    } catch (NumberFormatException e) {
      return false;
    }
  }

  float[] numbers(String column) {
    int index = index(column);
    float[] values = new float[rows.size()];
    for (int i = 0; i < values.length; i++) {
      String field = rows.get(i).getField(index).strip();
      try {
        values[i] = Float.parseFloat(field);
      } catch (NumberFormatException e) {
        values[i] = Float.NaN;
      }
      if (!Float.isFinite(values[i])) {
        throw new UsageException(
            path
                + ", line "
                + rows.get(i).getStartingLineNumber()
                + ", column '"
                + column
                + "': '"
                + field
                + "' is no finite number; fill it in, or choose other columns with --features");
      }
    }
    return values;
  }
}
