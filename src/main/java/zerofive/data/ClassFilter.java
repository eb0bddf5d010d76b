package zerofive.data;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import zerofive.files.InputException;

/**
 * Which classes of a data set take part, in which order; the first of two is the positive one.
 *
 * @param names the classes as asked for; empty for {@code all} of the data set, ascending
 */
public record ClassFilter(List<String> names) {
  /** Every class of the data set. */
  public static final ClassFilter ALL = new ClassFilter(List.of());

  public ClassFilter {
    names = List.copyOf(names);
  }

  /** As a record's own would be, which takes 25 ms to link in every process that asks first. */
  @Override
  public boolean equals(Object other) {
    return other instanceof ClassFilter that && names.equals(that.names);
  }

  @Override
  public int hashCode() {
    return names.hashCode();
  }

  /** Parses {@code 0,5} or {@code all}; throws IllegalArgumentException with the reason. */
  public static ClassFilter parse(String text) {
    if (text.equals("all")) {
      return ALL;
    }
    List<String> names = new ArrayList<>();
    for (String name : text.split(",", -1)) {
      String trimmed = Normalizer.normalize(name.strip(), Normalizer.Form.NFC);
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

  /** The same for labels that have no names. */
  Resolved resolve(long[] present, String source) {
    return resolve(present, LabelNames.NUMBERS, source);
  }

  /**
   * Index of each label's class in the resolved list, -1 where it takes no part. A class is called
   * as it was asked for; {@code all} are called by the labels' own names.
   *
   * @param present [labels], how many training images have each label
   * @param labels what they are called
   * @param source where they are from, for messages
   * @throws InputException where a class does not occur, is named twice, or is the only one
   */
  Resolved resolve(long[] present, LabelNames labels, String source) {
    List<String> classes = names.isEmpty() ? labels.there(present) : names;
    if (classes.size() < 2) {
      throw new InputException(
          source
              + " holds "
              + (classes.isEmpty() ? "no class" : "a single class (" + classes.get(0) + ")")
              + "; two are needed to train");
    }
    int[] index = new int[present.length];
    Arrays.fill(index, -1);
    for (int i = 0; i < classes.size(); i++) {
      int label = labels.label(classes.get(i));
      if (label < 0 || present[label] == 0) {
        throw absent(classes.get(i), present, labels, source);
      }
      if (index[label] >= 0) {
        throw new InputException(
            "class " + labels.names().get(label) + " is named twice; name each class once");
      }
      index[label] = i;
    }
    return new Resolved(classes, index);
  }

  /** The sentence for a class of which there is no image. */
  private static InputException absent(
      String name, long[] present, LabelNames labels, String source) {
    return new InputException(
        "class "
            + name
            + " does not occur in "
            + source
            + "; it holds "
            + labels.occurring(present)
            + ", for --classes to choose from");
  }

  /**
   * Checks the validation labels: every chosen class must occur, and where all are chosen, no other
   * may.
   *
   * @param chosen of the training labels
   * @param present [labels], how many validation images have each label
   * @throws InputException where one does not occur, or another does
   */
  void checkValidation(Resolved chosen, long[] present, LabelNames labels, String source) {
    for (int label = 0; label < present.length; label++) {
      int index = chosen.index()[label];
      if (index >= 0 && present[label] == 0) {
        throw absent(chosen.classes().get(index), present, labels, source);
      }
      if (index < 0 && present[label] > 0 && equals(ALL)) {
        throw new InputException(
            "class "
                + labels.names().get(label)
                + " occurs in "
                + source
                + " but not in the training labels; name the classes to use by --classes");
      }
    }
  }

  /** The classes by name, and for each label its class's index or -1. */
  @SuppressWarnings("ArrayRecordComponent")
  record Resolved(List<String> classes, int[] index) {}

  @Override
  public String toString() {
    return names.isEmpty() ? "all" : String.join(",", names);
  }
}
