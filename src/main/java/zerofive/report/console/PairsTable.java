package zerofive.report.console;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import zerofive.study.PairsSummary;

/** The errors of many pairs as lines for the terminal. */
public final class PairsTable {
  private static final int WORST = 10;
  private static final int NARROWEST = 5;

  private PairsTable() {}

  /**
   * A triangle with a row for each first class and a column for each second one; where that is
   * wider than {@code width}, the pairs with the most errors.
   */
  public static List<String> lines(PairsSummary summary, int width) {
    List<String> classes = summary.classes();
    int label = classes.stream().mapToInt(String::length).max().orElse(0);
    int cell = Math.max(NARROWEST, label) + 2;
    return label + cell * (classes.size() - 1) <= width
        ? triangle(summary, label, cell)
        : worst(summary);
  }

  private static List<String> triangle(PairsSummary summary, int label, int cell) {
    List<String> classes = summary.classes();
    List<String> lines = new ArrayList<>();
    StringBuilder head = new StringBuilder(" ".repeat(label));
    classes.stream().skip(1).forEach(name -> head.append(right(name, cell)));
    lines.add(head.toString());
    for (int i = 0; i < classes.size() - 1; i++) {
      StringBuilder line = new StringBuilder(right(classes.get(i), label));
      line.append(" ".repeat(cell * i));
      for (int j = i + 1; j < classes.size(); j++) {
        line.append(
            right(
                summary
                    .cell(classes.get(i), classes.get(j))
                    .map(pair -> errors(pair.errors()))
                    .orElse("-"),
                cell));
      }
      lines.add(line.toString());
    }
    return lines;
  }

  private static List<String> worst(PairsSummary summary) {
    List<String> lines = new ArrayList<>();
    lines.add("the pairs with the most errors; " + "pairs.csv has them all");
    summary.hardest().stream().limit(WORST).forEach(cell -> lines.add(describe(cell)));
    return lines;
  }

  /** {@code 4,9: 31 errors of 1,991, accuracy 98.44 %}. */
  public static String describe(PairsSummary.Cell cell) {
    return cell.first()
        + ","
        + cell.second()
        + ": "
        + errors(cell.errors())
        + (cell.errors().count() > 1
            ? String.format(Locale.ROOT, " +- %.1f", cell.errors().deviation())
            : "")
        + " errors of "
        + Format.count(cell.images())
        + ", accuracy "
        + Format.percent(cell.accuracy());
  }

  /** A count, or over several seeds a mean with one decimal. */
  public static String errors(PairsSummary.Spread errors) {
    return String.format(Locale.ROOT, errors.count() > 1 ? "%.1f" : "%.0f", errors.mean());
  }

  private static String right(String text, int width) {
    return " ".repeat(Math.max(0, width - text.length())) + text;
  }
}
