package zerofive.cli.option;

import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.DATA;
import static zerofive.train.Settings.INITIALIZER;
import static zerofive.train.Settings.INIT_FROM;
import static zerofive.train.Settings.MEAN;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.STD;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.commons.cli.Options;
import zerofive.data.ClassFilter;
import zerofive.data.DataRequest;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.files.InputException;
import zerofive.model.format.ModelFile;
import zerofive.train.Recipe;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.Settings;

/**
 * What a command line asks of a training, as far as that is known without its data.
 *
 * @param data a known name or a folder, as it was named
 * @param recipe its classes are those asked for; {@link #resolve} replaces them
 * @param start to begin from, where a file is named
 */
public record TrainOptions(String data, Recipe recipe, Optional<ModelFile> start) {
  private static final Setting<Preset> PRESET =
      Setting.oneOf("preset", Group.OPTIMIZATION, "preset", Preset.values())
          .help(
              "options that are given too take precedence; "
                  + Arrays.stream(Preset.values())
                      .map(preset -> preset + ": " + preset.recipe().describeSet())
                      .collect(Collectors.joining("; ")))
          .build();

  /** The options of these settings, and presets of them. */
  public static Options options(Collection<Setting<?>> settings) {
    Options options = new Options();
    Arguments.add(options, settings);
    return options.addOption(Arguments.option(PRESET));
  }

  public static TrainOptions of(Arguments arguments) {
    return of(arguments, CLASSES.defaultValue(Recipe.DEFAULTS));
  }

  /** The same, with other classes where none are asked for. */
  public static TrainOptions of(Arguments arguments, ClassFilter otherwise) {
    Recipe base = arguments.get(PRESET).map(Preset::recipe).orElse(Recipe.DEFAULTS);
    String data = arguments.data();
    Recipe recipe =
        arguments
            .recipe(base.with(CLASSES, otherwise), Settings.without(EnumSet.of(Group.DEVICE)))
            .with(DATA, DataSets.isName(data) ? data : realPath(data));
    if (arguments.has(INITIALIZER) && arguments.has(INIT_FROM)) {
      throw new UsageException("--init and --init-from exclude each other; name one of them");
    }
    Optional<Path> file = arguments.path(INIT_FROM.name());
    if (file.isEmpty() && (arguments.has(MEAN) || arguments.has(STD))) {
      throw new UsageException("--mean and --std belong to --init-from, which is not there");
    }
    Optional<ModelFile> start = file.map(path -> ModelOptions.read(path, arguments));
    if (start.isPresent()) {
      recipe = recipe.with(INIT_FROM, Optional.of(realPath(file.get().toString())));
      if (!arguments.has(MODEL)) {
        recipe = recipe.with(MODEL, start.get().parameters().architecture().name());
      }
    }
    usage(recipe::optimizer);
    return new TrainOptions(data, DeviceOptions.recipe(recipe, arguments), start);
  }

  /** The same; throws UsageException where the loss is not made for the classes asked for. */
  public TrainOptions checked() {
    if (!recipe.get(CLASSES).equals(ClassFilter.ALL)) {
      usage(recipe::checked);
    }
    return this;
  }

  /** The data to be read. */
  public DataRequest request() {
    return recipe.dataRequest(data);
  }

  /** The settings with the classes that the data turned out to have. */
  public Recipe resolve(List<String> found) {
    return usage(recipe.with(CLASSES, new ClassFilter(found))::checked);
  }

  /** Throws UsageException where {@code --augment} does not fit the images. */
  public static void checkAugmentation(Recipe recipe, DataSet data) {
    usage(
        () -> {
          recipe.get(AUGMENTATION).check(data.train().height(), data.train().width());
          return recipe;
        });
  }

  private static <T> T usage(Supplier<T> check) {
    try {
      return check.get();
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  /** Where a file or folder really is, so that a resumed run finds it from anywhere. */
  private static String realPath(String path) {
    try {
      return Path.of(path).toRealPath().toString();
    } catch (IOException e) {
      throw new InputException(Path.of(path), e);
    }
  }
}
