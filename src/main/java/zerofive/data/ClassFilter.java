package zerofive.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/**
 * Which classes of a data set take part, in which order; the first of two is the positive one.
 *
 * @param names the classes as asked for; empty for {@code all} of the data set, ascending
 */
public record ClassFilter(List<String> names) {
  /** Every class of the data set. */
  public static final ClassFilter ALL = new ClassFilter(List.of());

  private static final int LABELS = 256;

  public ClassFilter {
    names = List.copyOf(names);
  }

  /** Parses {@code 0,5} or {@code all}; throws IllegalArgumentException with the reason. */
  public static ClassFilter parse(String text) {
    if (text.equals("all")) {
      return ALL;
    }
    List<String> names = new ArrayList<>();
    for (String name : text.split(",", -1)) {
      String trimmed = name.strip();
      if (trimmed.isEmpty()) {
        throw new IllegalArgumentException("an empty class name in '" + text + "'");
      }
      if (names.contains(trimmed)) {
        throw new IllegalArgumentException(
            "class " + trimmed + " is named twice in '" + text + "'");
      }
      names.add(trimmed);
    }
    if (names.size() < 2) {
      throw new IllegalArgumentException(
          "a single class ('" + text + "') leaves nothing to tell apart; name two or more, or all");
    }
    return new ClassFilter(names);
  }

  /**
   * Index of each label byte's class in the resolved list, -1 where it takes no part.
   *
   * @param present [256], how many training images have each label
   */
  Resolved resolve(long[] present, String source) {
    List<String> classes = names;
    if (classes.isEmpty()) {
      TreeSet<Integer> labels = new TreeSet<>();
      for (int label = 0; label < LABELS; label++) {
        if (present[label] > 0) {
          labels.add(label);
        }
      }
      classes = labels.stream().map(String::valueOf).toList();
      if (classes.size() < 2) {
        throw new InputException(
            source + " holds a single class (" + classes.get(0) + "); two are needed to train");
      }
    }
    int[] index = new int[LABELS];
    Arrays.fill(index, -1);
    for (int i = 0; i < classes.size(); i++) {
      int label = label(classes.get(i));
      if (label < 0 || present[label] == 0) {
        throw new InputException(
            "class "
                + classes.get(i)
                + " does not occur in "
                + source
                + "; it holds "
                + occurring(present));
      }
      if (index[label] >= 0) {
        throw new InputException("class " + label + " is named twice; name each class once");
      }
      index[label] = i;
    }
    return new Resolved(classes, index);
  }

  /** The classes by name, and for each label byte its class's index or -1. */
  @SuppressWarnings("ArrayRecordComponent")
  record Resolved(List<String> classes, int[] index) {}

  private static int label(String name) {
    try {
      int label = Integer.parseInt(name);
      return label < LABELS ? label : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  static String occurring(long[] present) {
    List<String> labels = new ArrayList<>();
    for (int label = 0; label < LABELS; label++) {
      if (present[label] > 0) {
        labels.add(String.valueOf(label));
      }
    }
    return String.join(", ", labels);
  }

  @Override
  public String toString() {
    return names.isEmpty() ? "all" : String.join(",", names);
  }
}
