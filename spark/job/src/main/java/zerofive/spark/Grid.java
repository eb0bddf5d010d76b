package zerofive.spark;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import zerofive.cli.option.UsageException;
import zerofive.files.InputException;
import zerofive.train.Recipe;
import zerofive.train.Setting;
import zerofive.train.Settings;

/**
 * A table of settings: every column that is called as a setting is one, an empty cell is its
 * default, and other columns are passed through.
 *
 * @param columns their names
 * @param rows as many cells each
 */
record Grid(List<String> columns, List<List<String>> rows) {
  private static final int MAX_ROWS = 400_000;

  /**
   * Parses CSV as RFC 4180 has it, with a header.
   *
   * @param file for messages
   * @throws InputException where a row has more or fewer cells than the header, or there is none
   */
  static Grid parse(String file, String text) {
    List<List<String>> lines = lines(file, text);
    if (lines.size() < 2) {
      throw new InputException(
          file + " has no row below its header; give one for each training or more");
    }
    List<String> columns = lines.get(0).stream().map(String::strip).toList();
    if (new HashSet<>(columns).size() < columns.size() || columns.contains("")) {
      throw new InputException(
          file + ": line 1 has an empty or repeated column name; name each column once");
    }
    if (lines.size() > MAX_ROWS) {
      throw new InputException(file + " has more than " + MAX_ROWS + " rows; split it");
    }
    for (int i = 1; i < lines.size(); i++) {
      if (lines.get(i).size() != columns.size()) {
        throw new InputException(
            file
                + ": row "
                + i
                + " has "
                + lines.get(i).size()
                + " cells, expected "
                + columns.size()
                + " as in the header; fill it up with commas");
      }
    }
    return new Grid(columns, lines.subList(1, lines.size()));
  }

  private static List<List<String>> lines(String file, String text) {
    List<List<String>> lines = new ArrayList<>();
    List<String> cells = new ArrayList<>();
    StringBuilder cell = new StringBuilder();
    boolean quoted = false;
    String all = text.endsWith("\n") ? text : text + "\n";
    for (int i = 0; i < all.length(); i++) {
      char c = all.charAt(i);
      if (quoted) {
        if (c != '"') {
          cell.append(c);
        } else if (i + 1 < all.length() && all.charAt(i + 1) == '"') {
          cell.append(c);
          i++;
        } else {
          quoted = false;
        }
      } else if (c == '"' && cell.isEmpty()) {
        quoted = true;
      } else if (c == ',' || c == '\n') {
        cells.add(cell.toString().strip());
        cell.setLength(0);
        if (c == '\n') {
          boolean isBlank = cells.size() == 1 && cells.get(0).isEmpty();
          if (!isBlank) {
            lines.add(cells);
          }
          cells = new ArrayList<>();
        }
      } else if (c != '\r') {
        cell.append(c);
      }
    }
    if (quoted) {
      throw new InputException(file + " ends within quotation marks; close them");
    }
    return lines;
  }

  /** The setting that a column is called after, with {@code _} or {@code -}; empty for others. */
  static Optional<Setting<?>> setting(String column) {
    String name = column.replace('_', '-');
    return Settings.ALL.stream()
        .filter(setting -> setting.isOption() && setting.name().equals(name))
        .findFirst();
  }

  /**
   * Throws UsageException where a column is a setting that all trainings of a sweep share.
   *
   * @param allowed those that may differ
   */
  void check(List<Setting<?>> allowed) {
    for (String column : columns) {
      Optional<Setting<?>> setting = setting(column);
      if (setting.isPresent() && !allowed.contains(setting.get())) {
        throw new UsageException(
            "the grid has a column "
                + column
                + ", which is one for all trainings or of no use in a sweep; remove the column"
                + (setting.get().group() == Setting.Group.RUN
                    ? ""
                    : ", or give --"
                        + setting.get().name()
                        + " to the job where it has the option"));
      }
    }
  }

  /**
   * A recipe with the settings of a row.
   *
   * @throws UsageException where a cell is not a value of its setting
   */
  Recipe recipe(Recipe base, int row) {
    Recipe recipe = base;
    for (int i = 0; i < columns.size(); i++) {
      String cell = rows.get(row).get(i);
      Optional<Setting<?>> setting = setting(columns.get(i));
      if (setting.isPresent() && !cell.isEmpty()) {
        try {
          recipe = with(recipe, setting.get(), cell);
        } catch (IllegalArgumentException e) {
          throw new UsageException("row " + (row + 1) + " of the grid: " + e.getMessage(), e);
        }
      }
    }
    return recipe;
  }

  private static <T> Recipe with(Recipe recipe, Setting<T> setting, String text) {
    return recipe.with(setting, setting.parse(text));
  }

  /** The cell of a row in a column; empty where there is none. */
  String cell(int row, String column) {
    int index = columns.indexOf(column);
    return index < 0 ? "" : rows.get(row).get(index);
  }
}
