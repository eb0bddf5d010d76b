package zerofive.report.console;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import zerofive.backend.Prediction;
import zerofive.data.ImageSet;
import zerofive.files.Csv;

/**
 * How often each class was taken for each.
 *
 * @param classes the names
 * @param counts [true class][predicted class]; the last column counts predictions of no class (NaN)
 */
@SuppressWarnings("ArrayRecordComponent")
public record ConfusionMatrix(List<String> classes, int[][] counts) {
  /** Kinds of errors that a narrow terminal shows. */
  private static final int FREQUENT = 10;

  /**
   * Counts what the logits say.
   *
   * @param logits [images, outputs] row-major
   */
  public static ConfusionMatrix of(List<String> classes, ImageSet images, float[] logits) {
    int outputs = logits.length / images.count();
    int none = classes.size();
    int[][] counts = new int[classes.size()][classes.size() + 1];
    for (int i = 0; i < images.count(); i++) {
      int predicted = Prediction.of(logits, i * outputs, outputs);
      counts[images.targets()[i]][predicted == Prediction.NONE ? none : predicted]++;
    }
    return new ConfusionMatrix(classes, counts);
  }

  /**
   * A row for each true class, a column for each predicted one, and one for none if there is any.
   */
  public String toCsv() {
    StringBuilder csv = new StringBuilder("true\\predicted");
    columns().forEach(name -> csv.append(',').append(Csv.field(name)));
    csv.append('\n');
    for (int t = 0; t < classes.size(); t++) {
      csv.append(Csv.field(classes.get(t)));
      for (int p = 0; p < columns().size(); p++) {
        csv.append(',').append(counts[t][p]);
      }
      csv.append('\n');
    }
    return csv.toString();
  }

  /**
   * The lines of a table for the terminal; where it would be too wide, of the most frequent errors.
   *
   * @param maxWidth columns that a line may take
   */
  public List<String> toLines(int maxWidth) {
    int width = Math.max(5, columns().stream().mapToInt(String::length).max().orElse(0));
    if ("true ".length() + (columns().size() + 1) * (width + 1) > maxWidth) {
      return frequentErrors(width);
    }
    List<String> lines = new ArrayList<>();
    StringBuilder head = new StringBuilder(" ".repeat(width + 6));
    columns().forEach(name -> head.append(cell(name, width)));
    lines.add(head.toString());
    for (int t = 0; t < classes.size(); t++) {
      StringBuilder line = new StringBuilder("true ").append(cell(classes.get(t), width));
      for (int p = 0; p < columns().size(); p++) {
        line.append(cell(String.valueOf(counts[t][p]), width));
      }
      lines.add(line.toString());
    }
    return lines;
  }

  private List<String> frequentErrors(int width) {
    List<int[]> errors = new ArrayList<>();
    for (int t = 0; t < classes.size(); t++) {
      for (int p = 0; p < columns().size(); p++) {
        if (t != p && counts[t][p] > 0) {
          errors.add(new int[] {t, p});
        }
      }
    }
    errors.sort(Comparator.comparingInt(pair -> -counts[pair[0]][pair[1]]));
    List<String> lines = new ArrayList<>();
    for (int[] pair : errors.subList(0, Math.min(FREQUENT, errors.size()))) {
      lines.add(
          "true "
              + cell(classes.get(pair[0]), width)
              + " as "
              + cell(columns().get(pair[1]), width)
              + cell(String.valueOf(counts[pair[0]][pair[1]]), 6));
    }
    if (errors.size() > FREQUENT) {
      lines.add("and " + (errors.size() - FREQUENT) + " other pairs; --json has them all");
    }
    return lines;
  }

  /** The counts as JSON, [true][predicted], with a last column for none if there is any. */
  public List<int[]> rows() {
    return Arrays.stream(counts).map(row -> Arrays.copyOf(row, columns().size())).toList();
  }

  /** The classes, and none where some prediction is none. */
  public List<String> columns() {
    boolean allPredicted = Arrays.stream(counts).allMatch(row -> row[classes.size()] == 0);
    if (allPredicted) {
      return classes;
    }
    List<String> columns = new ArrayList<>(classes);
    columns.add("none");
    return columns;
  }

  private static String cell(String text, int width) {
    return String.format(Locale.ROOT, "%" + (width + 1) + "s", text);
  }
}
