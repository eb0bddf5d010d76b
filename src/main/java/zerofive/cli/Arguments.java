package zerofive.cli;

import java.math.BigDecimal;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import zerofive.data.Catalogue;
import zerofive.data.DataSets;

/** Reads the values of options; whatever cannot be read is a UsageException that names it. */
final class Arguments {
  private final CommandLine line;

  Arguments(CommandLine line) {
    this.line = line;
  }

  /** An option with a value. */
  static Option option(String name, String value, String description) {
    return Option.builder().longOpt(name).hasArg().argName(value).desc(description).get();
  }

  /** An option whose value is one of a few names, or like one of them. */
  static Option choice(String name, String value, String description, Object... choices) {
    Option option = option(name, value, description);
    option.setConverter(new Choices(Arrays.stream(choices).map(Object::toString).toList()));
    return option;
  }

  /** An option without a value. */
  static Option flag(String name, String description) {
    return Option.builder().longOpt(name).desc(description).get();
  }

  boolean has(String name) {
    return line.hasOption(name);
  }

  Optional<String> text(String name) {
    Optional<String> value = Optional.ofNullable(line.getOptionValue(name));
    if (value.filter(String::isBlank).isPresent()) {
      throw new UsageException("--" + name + " has an empty value; leave it out or name one");
    }
    return value;
  }

  /** The data set asked for: a name this version knows, or a folder that exists. */
  String data() {
    String data = text("data").orElse(TrainOptions.DEFAULTS.data());
    if (!DataSets.isKnown(data)) {
      throw unknownData(data);
    }
    return data;
  }

  static UsageException unknownData(String name) {
    return new UsageException(
        "unknown data set '"
            + name
            + "': it is neither a folder that exists nor one of "
            + String.join(", ", Catalogue.names()));
  }

  /**
   * The option's value, turned into what it names; {@code parse} throws IllegalArgumentException.
   */
  <T> Optional<T> parsed(String name, Function<String, T> parse) {
    return text(name)
        .map(
            value -> {
              try {
                return parse.apply(value);
              } catch (IllegalArgumentException e) {
                throw new UsageException("--" + name + ": " + e.getMessage(), e);
              }
            });
  }

  Optional<Integer> integer(String name, int least) {
    return text(name)
        .map(
            value -> {
              try {
                int number = Integer.parseInt(value.strip());
                if (number >= least) {
                  return number;
                }
              } catch (NumberFormatException e) {
                throw new UsageException(
                    "--" + name + " '" + value + "' is no whole number up to 2147483647", e);
              }
              throw new UsageException("--" + name + " " + value + " is less than " + least);
            });
  }

  Optional<Long> wholeNumber(String name) {
    return text(name)
        .map(
            value -> {
              try {
                return Long.parseLong(value.strip());
              } catch (NumberFormatException e) {
                throw new UsageException("--" + name + " '" + value + "' is no whole number", e);
              }
            });
  }

  /** A decimal number; nan, infinity and hexadecimal are none. */
  Optional<Float> decimal(String name) {
    return text(name)
        .map(
            value -> {
              try {
                return new BigDecimal(value.strip()).floatValue();
              } catch (NumberFormatException e) {
                throw new UsageException(
                    "--" + name + " '" + value + "' is no number; 0.5 is an example", e);
              }
            });
  }

  Optional<Path> path(String name) {
    return text(name)
        .map(
            value -> {
              try {
                return Path.of(value);
              } catch (InvalidPathException e) {
                throw new UsageException("--" + name + " '" + value + "' is no file name", e);
              }
            });
  }
}
