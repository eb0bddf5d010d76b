package zerofive.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Numbers as people read them. */
public final class Text {
  private Text() {}

  /** A count with its thousands apart: {@code 11,344}. */
  public static String count(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  /** A number and its noun: {@code 1 error}, {@code 7 errors}. */
  public static String plural(long count, String noun) {
    return count(count) + " " + noun + (count == 1 ? "" : "s");
  }

  /** A share in per cent with two decimals: {@code 99.63 %}. */
  public static String percent(double share) {
    return String.format(Locale.ROOT, "%.2f %%", 100 * share);
  }

  /**
   * A time in the unit that fits: {@code 850 us}, {@code 45.2 ms}, {@code 2.31 s}, {@code 3 min 07
   * s}.
   */
  public static String seconds(double seconds) {
    if (seconds < 1e-3) {
      return String.format(Locale.ROOT, "%.0f us", seconds * 1e6);
    }
    if (seconds < 1) {
      return String.format(Locale.ROOT, seconds < 0.1 ? "%.1f ms" : "%.0f ms", seconds * 1e3);
    }
    if (seconds < 60) {
      return String.format(Locale.ROOT, "%.2f s", seconds);
    }
    long whole = Math.round(seconds);
    return String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
  }

  /** A word as a shell takes it: quoted where it must be. */
  public static String shell(String text) {
    return text.matches("[\\w@%+=:,./-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }

  /**
   * Phrases in lines of at most {@code width} columns, broken after punctuation, behind a label
   * that the further lines leave blank. A phrase that is longer than a line stays whole.
   */
  public static List<String> wrap(String label, String phrases, int width) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder(label);
    boolean begun = false;
    for (String phrase : phrases.split("(?<=[,;:]) ", -1)) {
      if (begun && line.length() + 1 + phrase.length() > width) {
        lines.add(line.toString());
        line.setLength(0);
        line.append(" ".repeat(label.length()));
        begun = false;
      }
      line.append(begun ? " " : "").append(phrase);
      begun = true;
    }
    lines.add(line.toString());
    return lines;
  }

  /** One printable line: what files hold and are called may have line breaks and escape codes. */
  static String printable(String line) {
    return line.replaceAll("(?U)\\p{Cntrl}", "?");
  }
}
