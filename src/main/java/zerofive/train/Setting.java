package zerofive.train;

import com.google.gson.JsonElement;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import zerofive.data.ClassFilter;

/**
 * Something that a user may choose, declared once. From the declaration come the option with its
 * help and completion, the entry in {@code config.json} both ways, the words that ask for the same
 * again, and the row in the report. Those of a training stand in {@link Settings}.
 */
public final class Setting<T> {
  /** What a setting is about. */
  public enum Group {
    /** What is learned. */
    DATA,
    /** What learns it, and where it starts. */
    MODEL,
    /** How: what changes the bits of the result. */
    OPTIMIZATION,
    /** What is kept of a training; it changes no bit of the result. */
    RUN,
    /** What computes. */
    DEVICE,
    /** What is recorded of the device that was taken; it is no option. */
    RECORDED
  }

  /** Every setting's value, as a recipe has them: a default may depend on other settings. */
  public interface Values {
    /** Each setting at its default. */
    Values DEFAULTS =
        new Values() {
          @Override
          public <T> T get(Setting<T> setting) {
            return setting.defaultValue(this);
          }
        };

    /** The value of a setting. */
    <T> T get(Setting<T> setting);
  }

  private final String name;
  private final Group group;
  private final ValueType<T> type;
  private final String valueName;
  private final String help;
  private final Function<Values, T> defaultValue;
  private final String defaultText;
  private final boolean isDefaultInWords;
  private final List<String> choices;
  private final Optional<T> formerly;
  private final boolean deviceSetting;

  private Setting(Builder<T> builder) {
    name = builder.name;
    group = builder.group;
    type = builder.type;
    valueName = builder.valueName;
    help = builder.help;
    defaultValue = builder.defaultValue;
    defaultText = builder.defaultText;
    isDefaultInWords = builder.isDefaultInWords;
    choices = builder.choices;
    formerly = builder.formerly;
    deviceSetting = builder.deviceSetting;
  }

  /** An int of at least {@code min}. */
  public static Builder<Integer> integer(String name, Group group, int min) {
    return new Builder<>(name, group, new ValueType.Int(min)).valueName("N");
  }

  /** Any long. */
  public static Builder<Long> longInteger(String name, Group group) {
    return new Builder<>(name, group, new ValueType.Long64()).valueName("N");
  }

  /** A float32 number above 0. */
  public static Builder<Float> positive(String name, Group group) {
    return decimal(name, group, ValueType.Range.POSITIVE);
  }

  static Builder<Float> decimal(String name, Group group, ValueType.Range range) {
    return new Builder<>(name, group, new ValueType.Decimal(range)).valueName("X");
  }

  /** A float32 number; none is the default. */
  static Builder<Optional<Float>> optionalDecimal(String name, Group group, ValueType.Range range) {
    return optional(name, group, new ValueType.Decimal(range)).valueName("X");
  }

  /** Off, or on where its option is named. */
  static Builder<Boolean> flag(String name, Group group) {
    return new Builder<>(name, group, new ValueType.Flag()).defaultValue(false).valueName("");
  }

  /** One of a few; {@code kind} is what a message calls one. */
  public static <T> Builder<T> oneOf(String name, Group group, String kind, T[] known) {
    return new Builder<>(name, group, new ValueType.OneOf<>(kind, known))
        .valueName("NAME")
        .choices((Object[]) known);
  }

  /** What {@code parser} makes of a text; it throws IllegalArgumentException. */
  public static <T> Builder<T> parsed(String name, Group group, Function<String, T> parser) {
    return new Builder<>(name, group, new ValueType.Parsed<>(parser)).valueName("NAME");
  }

  /** Any text, which whoever uses it checks. */
  static Builder<String> text(String name, Group group) {
    return new Builder<>(name, group, new ValueType.Text());
  }

  /** Any text; none is the default. */
  static Builder<Optional<String>> optional(String name, Group group) {
    return optional(name, group, new ValueType.Text());
  }

  /** An int of at least {@code min}; none is the default. */
  static Builder<Optional<Integer>> optionalInteger(String name, Group group, int min) {
    return optional(name, group, new ValueType.Int(min)).valueName("N");
  }

  private static <T> Builder<Optional<T>> optional(String name, Group group, ValueType<T> type) {
    return new Builder<>(name, group, new ValueType.OptionalOf<>(type)).unset(Optional.empty(), "");
  }

  /** On where its option is named, and else in no file. */
  static Builder<Optional<Boolean>> optionalFlag(String name, Group group) {
    return optional(name, group, new ValueType.Flag()).valueName("");
  }

  /** Classes of the data set. */
  static Builder<ClassFilter> classes(String name, Group group) {
    return new Builder<>(name, group, new ValueType.Classes()).valueName("LIST");
  }

  /** Its option's name: {@code batch-size}. */
  public String name() {
    return name;
  }

  /** What it is about. */
  public Group group() {
    return group;
  }

  /** Whether a user can choose it. */
  public boolean isOption() {
    return group != Group.RECORDED;
  }

  /** What help calls its value: {@code N}; empty where the option takes none. */
  public String valueName() {
    return valueName;
  }

  /** What it means, and its default. */
  public String help() {
    boolean hasDefault = !defaultText.isEmpty() && !valueName.isEmpty();
    return help + (hasDefault ? " (default: " + defaultText + ")" : "");
  }

  /** Names that its value may have, for completion. */
  public List<String> choices() {
    return choices;
  }

  /** The value where none is set; it may depend on other settings. */
  public T defaultValue(Values values) {
    return defaultValue.apply(values);
  }

  /**
   * The value that a command line names.
   *
   * @throws IllegalArgumentException with a sentence that names the option
   */
  public T parse(String text) {
    return type.parse("--" + name, text);
  }

  /** The value as {@link #parse} reads it. */
  public String text(T value) {
    return type.text(value);
  }

  /** The same setting with another help, for a command that uses it otherwise. */
  public Setting<T> withHelp(String otherHelp) {
    return new Builder<>(this).help(otherHelp).build();
  }

  /** The same with another default, for a command that uses it otherwise. */
  public Setting<T> withDefault(T value, String words) {
    return new Builder<>(this).unset(value, words).build();
  }

  /** The same with other names for completion. */
  public Setting<T> withChoices(Object... otherChoices) {
    return new Builder<>(this).choices(otherChoices).build();
  }

  /** Its name in files: {@code batch_size}. */
  String key() {
    return deviceSetting ? name : name.replace('-', '_');
  }

  /** Whether a backend alone knows what it means; a file has these in an object of their own. */
  boolean isDeviceSetting() {
    return deviceSetting;
  }

  /**
   * The value in a file without it, which an earlier version wrote; none where such a file is
   * damaged.
   */
  Optional<T> formerly() {
    return formerly;
  }

  /** Whether a file has it. */
  boolean isPresent(T value) {
    return type.isPresent(value);
  }

  JsonElement json(T value) {
    return type.json(value);
  }

  /** The value in a file; the default need not be in the range that an option has. */
  T read(JsonElement json) {
    T standard = defaultValue(Values.DEFAULTS);
    return isPresent(standard) && json.equals(type.json(standard))
        ? standard
        : type.read("--" + name, json);
  }

  /** The value for people. */
  String displayText(T value) {
    return isDefaultInWords && value.equals(defaultValue(Values.DEFAULTS))
        ? defaultText
        : text(value).replace(",", ", ");
  }

  @Override
  public String toString() {
    return name;
  }

  /** A setting on its way. */
  public static final class Builder<T> {
    private final String name;
    private final Group group;
    private final ValueType<T> type;
    private String valueName = "NAME";
    private String help = "";
    private Function<Values, T> defaultValue;
    private String defaultText = "";
    private boolean isDefaultInWords;
    private List<String> choices = List.of();
    private Optional<T> formerly = Optional.empty();
    private boolean deviceSetting;

    private Builder(String name, Group group, ValueType<T> type) {
      this.name = name;
      this.group = group;
      this.type = type;
    }

    private Builder(Setting<T> setting) {
      this(setting.name, setting.group, setting.type);
      valueName = setting.valueName;
      help = setting.help;
      defaultValue = setting.defaultValue;
      defaultText = setting.defaultText;
      choices = setting.choices;
    }

    /** What help calls its value. */
    public Builder<T> valueName(String value) {
      valueName = value;
      return this;
    }

    /** What it means, in a few words. */
    public Builder<T> help(String value) {
      help = value;
      return this;
    }

    /** The value where none is set. */
    public Builder<T> defaultValue(T value) {
      return derived(values -> value, type.text(value));
    }

    /** The same, of a value that stands for none and is described in words: {@code all cores}. */
    public Builder<T> unset(T value, String words) {
      isDefaultInWords = true;
      return derived(values -> value, words);
    }

    /** A default that depends on other settings. */
    Builder<T> derived(Function<Values, T> value, String words) {
      defaultValue = value;
      defaultText = words;
      return this;
    }

    /** Names that its value may have; others may be allowed too. */
    public Builder<T> choices(Object... values) {
      choices = Arrays.stream(values).map(Object::toString).toList();
      return this;
    }

    /**
     * Files of earlier versions do not have it, and what wrote them did as with this value,
     * whatever the default may be today. Every setting that is added from now on is so.
     */
    Builder<T> addedLater(T formerValue) {
      formerly = Optional.of(formerValue);
      return this;
    }

    /** A backend's own, which alone knows what it means. */
    Builder<T> deviceSetting() {
      deviceSetting = true;
      return this;
    }

    /** The setting. */
    public Setting<T> build() {
      return new Setting<>(this);
    }
  }
}
