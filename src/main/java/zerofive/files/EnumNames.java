package zerofive.files;

import java.util.Arrays;
import java.util.stream.Collectors;

/** One of a few things that have names on the command line and in files. */
public final class EnumNames {
  private EnumNames() {}

  /**
   * The one that {@code toString} calls {@code name}; throws IllegalArgumentException with the
   * known names.
   */
  public static <T> T parse(String name, String kind, T[] known) {
    for (T one : known) {
      if (one.toString().equals(name)) {
        return one;
      }
    }
    String names = Arrays.stream(known).map(T::toString).collect(Collectors.joining(", "));
    throw new IllegalArgumentException("unknown " + kind + " '" + name + "'; known are " + names);
  }
}
