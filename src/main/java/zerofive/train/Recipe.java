package zerofive.train;

import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.INITIALIZER;
import static zerofive.train.Settings.INIT_FROM;
import static zerofive.train.Settings.LOSS;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.MOMENTUM;
import static zerofive.train.Settings.OPTIMIZER;
import static zerofive.train.Settings.SEED;
import static zerofive.train.Settings.SKIP_UNREADABLE;
import static zerofive.train.Settings.WEIGHT_DECAY;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingPlan;
import zerofive.data.Augmentation;
import zerofive.data.DataRequest;
import zerofive.data.DataRequest.Split;
import zerofive.data.image.ImageShape;
import zerofive.files.Json;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.ModelSpec;
import zerofive.model.Parameters;

/**
 * What a training is made by: a value for each of the {@link Settings}. What is not set has its
 * default, which may follow from other settings, so a preset is a recipe that sets a few.
 */
public final class Recipe implements Setting.Values {
  /** The simple net on MNIST, 0 against 5. */
  public static final Recipe DEFAULTS = new Recipe(Map.of());

  /** Where a file has what only a backend understands. */
  private static final String DEVICE_SETTINGS = "device_settings";

  /** What earlier versions let choose there; it changes no bit of a result. */
  private static final List<String> REMOVED_DEVICE_SETTINGS =
      List.of("cuda-session", "resident-mb");

  private final Map<Setting<?>, Object> values;

  private Recipe(Map<Setting<?>, Object> values) {
    this.values = values;
  }

  /** A setting's value: as it was set, or its default. */
  @Override
  @SuppressWarnings("unchecked") // No other method than with puts values here.
  public <T> T get(Setting<T> setting) {
    Object value = values.get(setting);
    return value == null ? setting.defaultValue(this) : (T) value;
  }

  /** The same but for one setting. */
  public <T> Recipe with(Setting<T> setting, T value) {
    Map<Setting<?>, Object> changed = new LinkedHashMap<>(values);
    changed.put(setting, value);
    return new Recipe(changed);
  }

  /**
   * The same with the defaults that depend on the training images, where nothing else is set.
   *
   * @param count of them
   * @param shape of each
   */
  public Recipe forImages(int count, ImageShape shape) {
    Recipe recipe = this;
    if (!values.containsKey(EPOCHS)) {
      recipe = recipe.with(EPOCHS, Settings.epochs(this, (count - 1) / get(BATCH_SIZE) + 1));
    }
    if (!values.containsKey(AUGMENTATION) && !Settings.isShifted(shape)) {
      recipe = recipe.with(AUGMENTATION, Augmentation.NONE);
    }
    return recipe;
  }

  /** The same with a value as an option names it. */
  private <T> Recipe withText(Setting<T> setting, String text) {
    return with(setting, setting.parse(text));
  }

  /** What of the optimizer is set. */
  public Optimizer optimizer() {
    return new Optimizer(get(OPTIMIZER), get(MOMENTUM), get(WEIGHT_DECAY));
  }

  /** The model as it is named, for images of any shape. */
  public ModelSpec model() {
    return ModelSpec.parse(get(MODEL));
  }

  /** The model for images of this shape; throws IllegalArgumentException. */
  public Architecture architecture(ImageShape images) {
    return Architecture.of(model(), images, Loss.outputs(get(CLASSES).names().size()));
  }

  /** The initial weights, where they come from no file. */
  public Parameters initial(Architecture architecture) {
    return get(INITIALIZER).create(architecture, get(SEED));
  }

  /** What stays the same for all epochs. */
  public TrainingPlan plan(Architecture architecture) {
    return new TrainingPlan(architecture, get(LOSS), optimizer(), get(BATCH_SIZE));
  }

  /** This recipe; throws IllegalArgumentException where settings contradict each other. */
  public Recipe checked() {
    optimizer();
    get(LOSS).checkClasses(get(CLASSES).names().size());
    return this;
  }

  /** As the text of {@code config.json}. */
  public String toJson() {
    return Json.file(json(Settings.ALL));
  }

  /** The values of some settings as an object. */
  public JsonObject json(Collection<Setting<?>> settings) {
    JsonObject json = new JsonObject();
    JsonObject deviceSettings = new JsonObject();
    settings.forEach(setting -> add(setting, setting.isDeviceSetting() ? deviceSettings : json));
    if (settings.stream().anyMatch(Setting::isDeviceSetting)) {
      json.add(DEVICE_SETTINGS, deviceSettings);
    }
    return json;
  }

  private <T> void add(Setting<T> setting, JsonObject json) {
    T value = get(setting);
    if (setting.isPresent(value)) {
      json.add(setting.key(), setting.json(value));
    }
  }

  /** Parses {@code config.json}; throws IllegalArgumentException with what is wrong in it. */
  public static Recipe fromJson(String text) {
    return of(Json.parse(text), Settings.ALL).checked();
  }

  /** The values of some settings in an object; throws IllegalArgumentException. */
  public static Recipe of(JsonObject json, Collection<Setting<?>> settings) {
    try {
      JsonObject deviceSettings =
          json.has(DEVICE_SETTINGS) ? json.getAsJsonObject(DEVICE_SETTINGS) : new JsonObject();
      Recipe recipe = DEFAULTS;
      for (Setting<?> setting : settings) {
        recipe = recipe.withJson(setting, setting.isDeviceSetting() ? deviceSettings : json);
      }
      return recipe;
    } catch (ClassCastException | IllegalStateException | UnsupportedOperationException e) {
      throw new IllegalArgumentException("it is not the JSON object that train writes", e);
    }
  }

  /** Those of {@link #REMOVED_DEVICE_SETTINGS} that a {@code config.json} sets. */
  public static List<String> removedDeviceSettings(String text) {
    JsonObject json = Json.parse(text);
    return json.get(DEVICE_SETTINGS) instanceof JsonObject deviceSettings
        ? REMOVED_DEVICE_SETTINGS.stream().filter(deviceSettings::has).toList()
        : List.of();
  }

  private <T> Recipe withJson(Setting<T> setting, JsonObject json) {
    JsonElement value = json.get(setting.key());
    if (value != null) {
      return with(setting, setting.read(value));
    }
    if (setting.isDeviceSetting()) {
      return this;
    }
    if (setting.formerly().isPresent()) {
      return with(setting, setting.formerly().get());
    }
    throw new IllegalArgumentException("it has no \"" + setting.key() + "\"");
  }

  /**
   * The data to train on.
   *
   * @param source as it was named; {@link Settings#DATA} has a folder's absolute path
   */
  public DataRequest dataRequest(String source) {
    return new DataRequest(source, get(CLASSES), Split.VALID, get(SKIP_UNREADABLE));
  }

  /** The options that ask for the same: what is not its default. */
  public List<String> options() {
    List<String> words = new ArrayList<>();
    Settings.ALL.forEach(setting -> addOption(setting, words));
    return words;
  }

  private <T> void addOption(Setting<T> setting, List<String> words) {
    T value = get(setting);
    // Most values are the default object itself; a record's own equals would take 14 ms to link.
    boolean hasNoEffect = setting == INITIALIZER && get(INIT_FROM).isPresent();
    if (setting.isOption() && !hasNoEffect && !Objects.equals(value, setting.defaultValue(this))) {
      words.add("--" + setting.name());
      if (!setting.valueName().isEmpty()) {
        words.add(setting.text(value));
      }
    }
  }

  /** The values of all settings for people, by name; of a backend's only those that are set. */
  public Map<String, String> table() {
    Map<String, String> table = new LinkedHashMap<>();
    Settings.ALL.forEach(setting -> addRow(setting, table));
    return table;
  }

  private <T> void addRow(Setting<T> setting, Map<String, String> table) {
    T value = get(setting);
    if (setting.isPresent(value)) {
      table.put(
          setting.isDeviceSetting() ? setting.name() : setting.name().replace('-', ' '),
          setting.displayText(value));
    }
  }

  /** What is set, as a preset's help names it: {@code lr 0.1, order sequential}. */
  public String describeSet() {
    List<String> described = new ArrayList<>();
    for (Setting<?> setting : Settings.ALL) {
      if (values.containsKey(setting)) {
        described.add(setting.name() + " " + text(setting));
      }
    }
    return String.join(", ", described);
  }

  /** The first of some settings in which another recipe differs: {@code lr 0.5, not 0.1}. */
  public Optional<String> difference(Recipe other, Collection<Setting<?>> settings) {
    for (Setting<?> setting : settings) {
      if (!Objects.equals(get(setting), other.get(setting))) {
        return Optional.of(setting.key() + " " + text(setting) + ", not " + other.text(setting));
      }
    }
    return Optional.empty();
  }

  private <T> String text(Setting<T> setting) {
    return setting.text(get(setting));
  }

  /** What backends understand, as it is set, by the names of their options. */
  public Map<String, String> deviceSettings() {
    Map<String, String> set = new TreeMap<>();
    for (Setting<?> setting : Settings.ALL) {
      if (setting.isDeviceSetting() && values.containsKey(setting)) {
        set.put(setting.name(), text(setting));
      }
    }
    return Collections.unmodifiableMap(set);
  }

  /** The same with what a function makes of the name and the text of each of them. */
  public Recipe mapDeviceSettings(BinaryOperator<String> change) {
    Recipe recipe = this;
    for (Setting<?> setting : Settings.ALL) {
      if (setting.isDeviceSetting() && values.containsKey(setting)) {
        recipe = recipe.withText(setting, change.apply(setting.name(), text(setting)));
      }
    }
    return recipe;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Recipe that && difference(that, Settings.ALL).isEmpty();
  }

  @Override
  public int hashCode() {
    int hash = 0;
    for (Setting<?> setting : Settings.ALL) {
      hash = 31 * hash + get(setting).hashCode();
    }
    return hash;
  }

  @Override
  public String toString() {
    return toJson();
  }
}
