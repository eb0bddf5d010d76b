package zerofive.cli.option;

import static zerofive.train.Settings.DATA;

import java.io.File;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import zerofive.data.DataSets;
import zerofive.data.remote.DataSetRegistry;
import zerofive.files.InputException;
import zerofive.train.Recipe;
import zerofive.train.Setting;

/** Reads the values of options; whatever cannot be read is a UsageException that names it. */
public final class Arguments {
  private final CommandLine line;

  public Arguments(CommandLine line) {
    this.line = line;
  }

  /** An option with a value. */
  public static Option option(String name, String value, String description) {
    return Option.builder().longOpt(name).hasArg().argName(value).desc(description).get();
  }

  /** An option without a value. */
  public static Option flag(String name, String description) {
    return Option.builder().longOpt(name).desc(description).get();
  }

  /** A setting's option. */
  public static Option option(Setting<?> setting) {
    if (setting.valueName().isEmpty()) {
      return flag(setting.name(), setting.help());
    }
    Option option = option(setting.name(), setting.valueName(), setting.help());
    if (!setting.choices().isEmpty()) {
      option.setConverter(new Choices(setting.choices()));
    }
    return option;
  }

  /** Adds the options of settings. */
  static void add(Options options, Collection<Setting<?>> settings) {
    settings.stream()
        .filter(Setting::isOption)
        .forEach(setting -> options.addOption(option(setting)));
  }

  public boolean has(String name) {
    return line.hasOption(name);
  }

  public boolean has(Setting<?> setting) {
    return has(setting.name());
  }

  /** The value of an option, which must not be blank. */
  public Optional<String> text(String name) {
    Optional<String> value = Optional.ofNullable(line.getOptionValue(name));
    if (value.filter(String::isBlank).isPresent()) {
      throw new UsageException("--" + name + " has an empty value; leave it out or name one");
    }
    return value;
  }

  /** A setting's value, where its option is named. */
  public <T> Optional<T> get(Setting<T> setting) {
    Optional<String> text =
        setting.valueName().isEmpty()
            ? Optional.of("true").filter(on -> has(setting))
            : text(setting.name());
    return text.map(
        value -> {
          try {
            return setting.parse(value);
          } catch (IllegalArgumentException e) {
            throw new UsageException(e.getMessage(), e);
          }
        });
  }

  /** A setting's value, or its default. */
  public <T> T getOrDefault(Setting<T> setting) {
    return get(setting).orElseGet(() -> setting.defaultValue(Recipe.DEFAULTS));
  }

  /** A recipe with those of the settings whose options are named. */
  public Recipe recipe(Recipe base, Collection<Setting<?>> settings) {
    Recipe recipe = base;
    for (Setting<?> setting : settings) {
      recipe = with(recipe, setting);
    }
    return recipe;
  }

  private <T> Recipe with(Recipe recipe, Setting<T> setting) {
    return get(setting).map(value -> recipe.with(setting, value)).orElse(recipe);
  }

  /** The data set asked for: a name this version knows, or a folder that exists. */
  public String data() {
    String data = getOrDefault(DATA);
    checkData(data);
    return data;
  }

  /**
   * Throws UsageException where {@code data} can only be a name and is not one, InputException
   * where it is a path at which there is no folder.
   */
  public static void checkData(String data) {
    if (DataSets.isKnown(data)) {
      return;
    }
    boolean exists = new File(data).exists();
    if (exists || data.contains("/")) {
      throw new InputException(
          data
              + (exists ? " is a file" : " does not exist")
              + "; name a folder that holds the data, or one of "
              + String.join(", ", DataSetRegistry.names()));
    }
    throw unknownData(data);
  }

  private static UsageException unknownData(String name) {
    return new UsageException(
        "unknown data set '"
            + name
            + "': it is neither a folder that exists nor one of "
            + String.join(", ", DataSetRegistry.names()));
  }

  public Optional<Path> path(String name) {
    return text(name)
        .map(
            value -> {
              try {
                return Path.of(value);
              } catch (InvalidPathException e) {
                throw new UsageException("--" + name + " '" + value + "' is not a file name", e);
              }
            });
  }
}
