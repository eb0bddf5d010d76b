package zerofive.study;

import java.util.ArrayList;
import java.util.List;

/**
 * One training of many: two classes told apart, from one seed.
 *
 * @param first the positive class
 * @param second the other
 * @param seed of initial weights and shuffles
 */
public record Pair(String first, String second, long seed) {
  /** Every two of the classes with every seed, seed after seed. */
  static List<Pair> all(List<String> classes, long seed, int seeds) {
    List<Pair> pairs = new ArrayList<>();
    for (long s = seed; s < seed + seeds; s++) {
      for (int i = 0; i < classes.size(); i++) {
        for (int j = i + 1; j < classes.size(); j++) {
          pairs.add(new Pair(classes.get(i), classes.get(j), s));
        }
      }
    }
    return pairs;
  }

  /** Both classes, the positive one first. */
  public List<String> classes() {
    return List.of(first, second);
  }

  /** As a user names it: {@code pair 0,5 with seed 42}. */
  @Override
  public String toString() {
    return "pair " + first + "," + second + " with seed " + seed;
  }
}
