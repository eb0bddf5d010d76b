package zerofive.cli.option;

import static zerofive.train.Settings.MEAN;
import static zerofive.train.Settings.STD;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.commons.cli.Options;
import zerofive.data.image.ImageShape;
import zerofive.files.InputException;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Normalisation;
import zerofive.report.console.Terminal;
import zerofive.study.predict.Fit;
import zerofive.train.Recipe;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;

/** The options that name a saved model, and say of another program's what its file does not. */
public final class ModelOptions {
  /** Which images are fitted to the model. */
  public static final Setting<Fit> FIT =
      Setting.oneOf("fit", Group.DATA, "value of --fit", Fit.values())
          .defaultValue(Fit.AUTO)
          .help("auto: images that do not have the model's size; always: all; never: none")
          .build();

  private static final String MODEL = "model";

  private ModelOptions() {}

  /** For a command that takes a saved model. */
  public static void addTo(Options options) {
    options.addOption(
        Arguments.option(MODEL, "FILE", "a .safetensors file, of ours or of PyTorch (required)"));
    options.addOption(Arguments.option(MEAN));
    options.addOption(Arguments.option(STD));
  }

  /** The file that --model names, for {@code command}. */
  public static Path file(Arguments arguments, String command) {
    return arguments
        .path(MODEL)
        .orElseThrow(() -> new UsageException(command + " needs --model FILE.safetensors"));
  }

  /**
   * Reads a model; one whose pixels are normalised in a way that nobody says has a note on it.
   *
   * @throws UsageException where options contradict each other or the file
   */
  public static ModelFile read(Path file, Arguments arguments) {
    return read(file, arguments.recipe(Recipe.DEFAULTS, List.of(MEAN, STD)));
  }

  /** The same as a run's settings say it. */
  public static ModelFile read(Path file, Recipe recipe) {
    return normalised(file, recipe, ModelFile::read);
  }

  /** The same of a file that is in memory; {@code file} is what messages call it. */
  public static ModelFile read(Path file, byte[] bytes, Recipe recipe) {
    return normalised(file, recipe, name -> ModelFile.read(name, bytes));
  }

  private static ModelFile normalised(Path file, Recipe recipe, Function<Path, ModelFile> reading) {
    Optional<Normalisation> asked = normalisation(recipe);
    ModelFile model = reading.apply(file);
    if (model.normalisation().isEmpty()) {
      return asked
          .map(how -> with(model, how))
          .orElseGet(
              () ->
                  model.withNote(
                      file
                          + " does not say how the pixels it was trained on were normalised;"
                          + " they are divided by 255, and what torch's Normalize did besides must"
                          + " be named with --mean and --std"));
    }
    Normalisation said = model.normalisation().get();
    if (asked.isPresent() && !asked.get().equals(said)) {
      throw new UsageException(
          file + " says itself that it takes " + said + "; leave out --mean and --std");
    }
    return model;
  }

  private static ModelFile with(ModelFile model, Normalisation how) {
    try {
      return model.with(how);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--mean and --std: " + e.getMessage(), e);
    }
  }

  private static Optional<Normalisation> normalisation(Recipe recipe) {
    Optional<Float> mean = recipe.get(MEAN);
    Optional<Float> std = recipe.get(STD);
    if (mean.isPresent() != std.isPresent()) {
      throw new UsageException(
          "--mean and --std belong together; name --" + (mean.isPresent() ? STD : MEAN) + " too");
    }
    return mean.map(value -> new Normalisation(value, std.get()));
  }

  /**
   * The shape of a model's images; where its file does not say it, a square, with a note.
   *
   * @param remedy what to do where its pixels make no square
   * @throws InputException where they make none
   */
  public static ImageShape shape(Path file, ModelFile model, String remedy, Terminal terminal) {
    if (model.shape().isPresent()) {
      return model.shape().get();
    }
    int inputs = model.parameters().architecture().inputs();
    int side = (int) Math.sqrt(inputs);
    if (side * side != inputs) {
      throw new InputException(
          file
              + " does not say the height and width of its images, and their "
              + inputs
              + " pixels make no square; "
              + remedy);
    }
    ImageShape shape = new ImageShape(side, side);
    terminal.info(
        "note     ",
        "the model file does not say the height and width of its images; " + shape + " is assumed");
    return shape;
  }

  /**
   * Throws InputException where a model does not take images of this shape.
   *
   * @param data the set they are of, as it was named
   */
  public static void checkTakes(Path file, ModelFile model, String data, ImageShape images) {
    if (!model.takes(images)) {
      throw new InputException(
          file
              + " takes images of "
              + model.images()
              + ", but those of "
              + data
              + " have "
              + images
              + "; name the data it was trained on with --data");
    }
  }
}
