package zerofive.cli;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds what a mistyped word was meant to be. */
final class EditDistance {
  private EditDistance() {}

  /** The known word at the least distance, if that is small for its length. */
  static Optional<String> closest(String word, Collection<String> known) {
    return known.stream()
        .filter(candidate -> between(word, candidate) <= Math.max(1, candidate.length() / 3))
        .min(Comparator.comparingInt(candidate -> between(word, candidate)));
  }

  /** {@code ; did you mean X?}, or nothing. */
  static String question(String prefix, String word, Collection<String> known) {
    return closest(word, known).map(found -> "; did you mean " + prefix + found + "?").orElse("");
  }

  /**
   * Letters left out, put in, changed, or swapped with their neighbour: the restricted
   * Damerau-Levenshtein distance (Damerau 1964, Communications of the ACM 7:3).
   */
  static int between(String word, String other) {
    int[][] distance = new int[word.length() + 1][other.length() + 1];
    for (int i = 0; i <= word.length(); i++) {
      for (int j = 0; j <= other.length(); j++) {
        if (i == 0 || j == 0) {
          distance[i][j] = i + j;
          continue;
        }
        boolean same = word.charAt(i - 1) == other.charAt(j - 1);
        distance[i][j] =
            Math.min(
                distance[i - 1][j - 1] + (same ? 0 : 1),
                1 + Math.min(distance[i - 1][j], distance[i][j - 1]));
        if (i > 1
            && j > 1
            && word.charAt(i - 1) == other.charAt(j - 2)
            && word.charAt(i - 2) == other.charAt(j - 1)) {
          distance[i][j] = Math.min(distance[i][j], distance[i - 2][j - 2] + 1);
        }
      }
    }
    return distance[word.length()][other.length()];
  }
}
