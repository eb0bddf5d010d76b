package zerofive.train;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import zerofive.data.ClassFilter;
import zerofive.files.EnumNames;

/**
 * How the values of a setting are written, on the command line and in JSON. Classes of their own
 * rather than lambdas: every command makes all of them when it starts.
 */
abstract class ValueType<T> {
  /**
   * The value that a command line names.
   *
   * @param subject what a message calls it: {@code --epochs}
   * @throws IllegalArgumentException with a whole sentence
   */
  abstract T parse(String subject, String text);

  /** As {@link #parse} reads it. */
  String text(T value) {
    return value.toString();
  }

  /** As {@link #read} reads it. */
  JsonElement json(T value) {
    return new JsonPrimitive(text(value));
  }

  /** The value in a file. Throws RuntimeException where it is of another kind or out of range. */
  T read(String subject, JsonElement json) {
    return parse(subject, json.getAsString());
  }

  /** Whether there is anything to write. */
  boolean isPresent(T value) {
    return true;
  }

  /** An int of at least {@code min}. */
  static final class Int extends ValueType<Integer> {
    private final int min;

    Int(int min) {
      this.min = min;
    }

    @Override
    Integer parse(String subject, String text) {
      int number;
      try {
        number = Integer.parseInt(text.strip());
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            subject + " '" + text + "' is not an integer up to 2147483647", e);
      }
      if (number < min) {
        throw new IllegalArgumentException(subject + " " + text + " is less than " + min);
      }
      return number;
    }

    @Override
    JsonElement json(Integer value) {
      return new JsonPrimitive(value);
    }
  }

  /** Any long. */
  static final class Long64 extends ValueType<Long> {
    @Override
    Long parse(String subject, String text) {
      try {
        return Long.parseLong(text.strip());
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(subject + " '" + text + "' is not an integer", e);
      }
    }

    @Override
    JsonElement json(Long value) {
      return new JsonPrimitive(value);
    }
  }

  /** A decimal number as float32; nan, infinity and hexadecimal are none. */
  static final class Decimal extends ValueType<Float> {
    /** More than any float64 needs; the time to parse grows with the square of the length. */
    private static final int MAX_CHARACTERS = 1000;

    private final Range range;

    Decimal(Range range) {
      this.range = range;
    }

    @Override
    Float parse(String subject, String text) {
      if (text.length() > MAX_CHARACTERS) {
        throw new IllegalArgumentException(
            subject + " has " + text.length() + " characters, expected a number of at most 1000");
      }
      float number;
      try {
        number = new BigDecimal(text.strip()).floatValue();
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            subject + " '" + text + "' is not a number; 0.5 is an example", e);
      }
      if (!range.contains(number)) {
        throw new IllegalArgumentException(subject + " " + text + " is not " + range.words);
      }
      return number;
    }

    @Override
    JsonElement json(Float value) {
      return new JsonPrimitive(value);
    }
  }

  /** A value of another type, or none. */
  static final class OptionalOf<T> extends ValueType<Optional<T>> {
    private final ValueType<T> type;

    OptionalOf(ValueType<T> type) {
      this.type = type;
    }

    @Override
    Optional<T> parse(String subject, String text) {
      return Optional.of(type.parse(subject, text));
    }

    @Override
    String text(Optional<T> value) {
      return value.map(type::text).orElse("absent");
    }

    @Override
    JsonElement json(Optional<T> value) {
      return value.map(type::json).orElseThrow();
    }

    @Override
    boolean isPresent(Optional<T> value) {
      return value.isPresent();
    }
  }

  /** Where a decimal number may lie. */
  enum Range {
    POSITIVE("a float32 number above 0"),
    NOT_NEGATIVE("a float32 number that is 0 or more"),
    FRACTION("in [0, 1)"),
    PIXEL("in [0, 1], as it is of pixels that are divided by 255"),
    PIXEL_SCALE("in (0, 1], as it is of pixels that are divided by 255");

    private final String words;

    Range(String words) {
      this.words = words;
    }

    boolean contains(float number) {
      return switch (this) {
        case POSITIVE -> number > 0 && number < Float.POSITIVE_INFINITY;
        case NOT_NEGATIVE -> number >= 0 && number < Float.POSITIVE_INFINITY;
        case FRACTION -> number >= 0 && number < 1;
        case PIXEL -> number >= 0 && number <= 1;
        case PIXEL_SCALE -> number > 0 && number <= 1;
      };
    }
  }

  /** On or off. */
  static final class Flag extends ValueType<Boolean> {
    @Override
    Boolean parse(String subject, String text) {
      return switch (text) {
        case "true" -> true;
        case "false" -> false;
        default -> throw new IllegalArgumentException(subject + " is neither true nor false");
      };
    }

    @Override
    JsonElement json(Boolean value) {
      return new JsonPrimitive(value);
    }
  }

  /** One of a few, by the name that its toString gives. */
  static final class OneOf<T> extends ValueType<T> {
    private final String kind;
    private final T[] known;

    /** {@code kind} is what a message calls one: {@code schedule}. */
    OneOf(String kind, T[] known) {
      this.kind = kind;
      this.known = known;
    }

    @Override
    T parse(String subject, String text) {
      try {
        return EnumNames.parse(text, kind, known);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(subject + ": " + e.getMessage(), e);
      }
    }
  }

  /** What a function makes of a text; it throws IllegalArgumentException. */
  static final class Parsed<T> extends ValueType<T> {
    private final Function<String, T> parser;

    Parsed(Function<String, T> parser) {
      this.parser = parser;
    }

    @Override
    T parse(String subject, String text) {
      try {
        return parser.apply(text);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(subject + ": " + e.getMessage(), e);
      }
    }
  }

  /** Any text: whoever uses it checks it. */
  static final class Text extends ValueType<String> {
    @Override
    String parse(String subject, String text) {
      return text;
    }
  }

  /** Classes by their names; a file lists those that the data turned out to have. */
  static final class Classes extends ValueType<ClassFilter> {
    @Override
    ClassFilter parse(String subject, String text) {
      try {
        return ClassFilter.parse(text);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(subject + ": " + e.getMessage(), e);
      }
    }

    /** A name with a comma cannot have been listed. */
    @Override
    String text(ClassFilter value) {
      boolean listed = value.names().stream().noneMatch(name -> name.contains(","));
      return (listed ? value : ClassFilter.ALL).toString();
    }

    @Override
    JsonElement json(ClassFilter value) {
      JsonArray names = new JsonArray();
      value.names().forEach(names::add);
      return names;
    }

    @Override
    ClassFilter read(String subject, JsonElement json) {
      List<String> names = new ArrayList<>();
      json.getAsJsonArray().forEach(name -> names.add(name.getAsString()));
      return new ClassFilter(names);
    }
  }
}
