package zerofive.report.console;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;

/** Numbers as people read them. */
public final class Format {
  private static final List<String> BYTE_UNITS = List.of("B", "kB", "MB", "GB", "TB");

  private Format() {}

  /** A count with its thousands apart: {@code 11,344}. */
  public static String count(long count) {
    StringBuilder digits = new StringBuilder().append(count);
    int first = count < 0 ? 1 : 0;
    for (int at = digits.length() - 3; at > first; at -= 3) {
      digits.insert(at, ',');
    }
    return digits.toString();
  }

  /**
   * A number with so many decimals: {@code 0.0141}. String.format would do the same, and take a
   * hundred times as long in a process that has just started.
   */
  public static String fixed(double value, int decimals) {
    double scale = 1;
    for (int i = 0; i < decimals; i++) {
      scale *= 10;
    }
    double scaled = Math.abs(value) * scale;
    // Where all digits of a double are before the point, or there are none, Java's own text serves.
    if (!(scaled < 1L << 52)) {
      return String.valueOf(value);
    }
    long digits = Math.round(scaled);
    StringBuilder text = new StringBuilder().append(digits);
    while (text.length() <= decimals) {
      text.insert(0, '0');
    }
    if (decimals > 0) {
      text.insert(text.length() - decimals, '.');
    }
    return value < 0 && digits > 0 ? text.insert(0, '-').toString() : text.toString();
  }

  /**
   * A size in the unit that fits: {@code 512 B}, {@code 5.1 kB}, {@code 26.4 MB}, {@code 562 MB}.
   */
  public static String bytes(long bytes) {
    double size = bytes;
    int unit = 0;
    while (size >= 999.5 && unit < BYTE_UNITS.size() - 1) {
      size /= 1000;
      unit++;
    }
    return fixed(size, unit > 0 && size < 99.95 ? 1 : 0) + " " + BYTE_UNITS.get(unit);
  }

  /** A number and its noun: {@code 1 error}, {@code 7 errors}. */
  public static String plural(long count, String noun) {
    return count(count) + " " + noun + (count == 1 ? "" : "s");
  }

  /** Two significant digits, without an exponent: {@code 0.18}, {@code 0.0000032}. */
  public static String significant(double value) {
    return new BigDecimal(value).round(new MathContext(2)).stripTrailingZeros().toPlainString();
  }

  /** A share in per cent with two decimals: {@code 99.63 %}. */
  public static String percent(double fraction) {
    return fixed(100 * fraction, 2) + " %";
  }

  /**
   * A time in the unit that fits: {@code 850 us}, {@code 45.2 ms}, {@code 2.31 s}, {@code 3 min 07
   * s}.
   */
  public static String seconds(double seconds) {
    if (seconds < 1e-3) {
      return fixed(seconds * 1e6, 0) + " us";
    }
    if (seconds < 1) {
      return fixed(seconds * 1e3, seconds < 0.1 ? 1 : 0) + " ms";
    }
    if (seconds < 60) {
      return fixed(seconds, 2) + " s";
    }
    long whole = Math.round(seconds);
    return whole / 60 + " min " + (whole % 60 < 10 ? "0" : "") + whole % 60 + " s";
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
    boolean started = false;
    for (String phrase : phrases.split("(?<=[,;:]) ", -1)) {
      if (started && line.length() + 1 + phrase.length() > width) {
        lines.add(line.toString());
        line.setLength(0);
        line.append(" ".repeat(label.length()));
        started = false;
      }
      line.append(started ? " " : "").append(phrase);
      started = true;
    }
    lines.add(line.toString());
    return lines;
  }

  /** One printable line: what files hold and are called may have line breaks and escape codes. */
  public static String printable(String line) {
    return line.replaceAll("(?U)\\p{Cntrl}", "?");
  }
}
