package zerofive.data;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What a data set's labels are called.
 *
 * @param names of the labels, in their order
 * @param numbered whether a label's number names it too
 */
record LabelNames(List<String> names, boolean numbered) {
  /** Label bytes that have no names: 0 to 255. */
  static final LabelNames NUMBERS = numbersAfter(List.of());

  private static final int BYTES = 256;

  /** Enough of them for a sentence. */
  private static final int FEW = 30;

  /** Label bytes whose first have names. */
  static LabelNames numbersAfter(List<String> first) {
    List<String> names = new ArrayList<>(first);
    IntStream.range(first.size(), BYTES).mapToObj(String::valueOf).forEach(names::add);
    return new LabelNames(List.copyOf(names), true);
  }

  /** The label that {@code name} names; -1 where none is called so. */
  int label(String name) {
    int named = names.indexOf(name);
    if (named >= 0 || !numbered) {
      return named;
    }
    try {
      int label = Integer.parseInt(name);
      return label < names.size() ? label : -1;
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /** The names of the labels of which there are any, for a sentence. */
  String occurring(long[] present) {
    List<String> there = there(present);
    return there.size() <= FEW
        ? String.join(", ", there)
        : String.join(", ", there.subList(0, FEW)) + " and " + (there.size() - FEW) + " more";
  }

  /** The names of the labels of which there are any. */
  List<String> there(long[] present) {
    return IntStream.range(0, names.size())
        .filter(label -> present[label] > 0)
        .mapToObj(names::get)
        .toList();
  }
}
