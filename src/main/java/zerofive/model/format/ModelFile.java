package zerofive.model.format;

import com.google.gson.JsonArray;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import zerofive.data.image.ImageShape;
import zerofive.files.InputException;
import zerofive.files.Sha256;
import zerofive.model.Architecture;
import zerofive.model.Layer;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/**
 * A trained model as a safetensors file: the tensors as PyTorch's nn.Sequential names them, and in
 * the metadata what is needed to use them. A file without that metadata (from PyTorch) is read by
 * its tensors' names and shapes.
 *
 * @param parameters the weights, for pixels that are normalised as {@code normalisation} says
 * @param classes the class names, in the order of the targets
 * @param loss the model was trained with
 * @param shape of its images; empty where the file does not say it
 * @param normalisation of its pixels; empty where the file does not say it, and none is done
 * @param named whether the file itself names its classes
 * @param notes what was taken for granted or changed in reading it, one sentence each
 */
public record ModelFile(
    Parameters parameters,
    List<String> classes,
    Loss loss,
    Optional<ImageShape> shape,
    Optional<Normalisation> normalisation,
    boolean named,
    List<String> notes) {
  private static final String CLASSES = "classes";
  private static final String LOSS = "loss";
  private static final String MEAN = "mean";
  private static final String STD = "std";

  /** Where {@link Normalisation#formula} stands. */
  static final String NORMALISATION = "normalisation";

  /**
   * Throws IllegalArgumentException where pixels are normalised for a convolution: to it the zeros
   * around an image mean the mean pixel, which no weights for pixel / 255 can say.
   */
  public ModelFile {
    checkNormalisation(parameters.architecture(), normalisation);
  }

  /** A model that was trained here. */
  public ModelFile(Parameters parameters, List<String> classes, Loss loss, ImageShape shape) {
    this(
        parameters,
        classes,
        loss,
        Optional.of(shape),
        Optional.of(Normalisation.NONE),
        true,
        List.of());
  }

  /** The same model, for pixels that are normalised so. */
  public ModelFile with(Normalisation other) {
    return new ModelFile(parameters, classes, loss, shape, Optional.of(other), named, notes);
  }

  /** The same model with one more note. */
  public ModelFile withNote(String note) {
    List<String> more = new ArrayList<>(notes);
    more.add(note);
    return new ModelFile(parameters, classes, loss, shape, normalisation, named, more);
  }

  /**
   * The weights for pixels that are divided by 255, as all devices compute: any other normalisation
   * is folded into the first layer.
   */
  public Parameters foldedParameters() {
    return normalisation.map(how -> how.fold(parameters)).orElse(parameters);
  }

  /** Its layers and what they take: {@code 784-30-1 of pixel / 255}. */
  public String describe() {
    return parameters.architecture()
        + normalisation.filter(how -> !how.isNone()).map(how -> " of " + how).orElse("");
  }

  /** The images it takes: {@code 28 x 28 pixels}, or how many pixels where it does not say more. */
  public String images() {
    return shape
        .map(ImageShape::describe)
        .orElse(parameters.architecture().inputs() + " pixels in all");
  }

  /** Whether it takes images of this shape, as far as the file says. */
  public boolean takes(ImageShape images) {
    return shape.map(images::equals).orElse(parameters.architecture().inputs() == images.pixels());
  }

  /** Writes the model atomically. Throws OutputException. */
  public void write(Path file) {
    content().write(file);
  }

  /** SHA-256, in hexadecimal, of the file that {@link #write} makes. */
  public String sha256() {
    return Sha256.of(content().bytes());
  }

  private Safetensors content() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("format", "zerofive");
    all.putAll(metadata());
    return new Safetensors(all, tensors(parameters, ""));
  }

  /** What is needed to use the weights: class names as JSON, loss, layers, what they take. */
  Map<String, String> metadata() {
    JsonArray names = new JsonArray();
    classes.forEach(names::add);
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(CLASSES, names.toString());
    metadata.put(LOSS, loss.toString());
    metadata.put(LayerShapes.LAYERS, parameters.architecture().toString());
    shape.ifPresent(
        images -> {
          metadata.put(LayerShapes.HEIGHT, String.valueOf(images.height()));
          metadata.put(LayerShapes.WIDTH, String.valueOf(images.width()));
        });
    normalisation.ifPresent(
        how -> {
          metadata.put(NORMALISATION, how.formula());
          if (!how.isNone()) {
            metadata.put(MEAN, String.valueOf(how.mean()));
            metadata.put(STD, String.valueOf(how.std()));
          }
        });
    return metadata;
  }

  /** The parameters as named tensors, each name behind {@code prefix}. */
  public static Map<String, Safetensors.Tensor> tensors(Parameters parameters, String prefix) {
    Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
    for (Parameters.View view : Parameters.views(parameters.architecture())) {
      float[] values = view.fileOrder(parameters.values());
      tensors.put(prefix + view.name(), new Safetensors.Tensor(view.shape(), values));
    }
    return tensors;
  }

  /** Reads a model of ours or of PyTorch. Throws InputException. */
  public static ModelFile read(Path file) {
    return read(file, content(file));
  }

  /** The same of a file that is in memory; {@code file} is what messages call it. */
  public static ModelFile read(Path file, byte[] bytes) {
    return read(file, Safetensors.read(file, bytes));
  }

  private static ModelFile read(Path file, Safetensors content) {
    LayerOrder order = LayerOrder.of(file, content.tensors());
    LayerShapes layers = LayerShapes.of(content, order.prefixes());
    Parameters found = assemble(file, layers.tensors(), layers.architecture(file));
    List<String> notes = notes(file, content, order, found.architecture());
    int outputs = found.architecture().outputs();
    Parameters parameters = outputs == 2 ? difference(found) : found;
    if (!parameters.isFinite()) {
      throw LayerShapes.broken(file, "has two logits whose difference is more than float32 holds");
    }
    Map<String, String> metadata = content.metadata();
    Optional<ImageShape> shape = shape(file, metadata, parameters.architecture());
    Optional<Normalisation> normalisation = normalisation(file, metadata);
    checkNormalisation(file, parameters.architecture(), normalisation);
    if (!metadata.containsKey(CLASSES)) {
      List<String> numbered = new ArrayList<>();
      for (int i = 0; i < outputs; i++) {
        numbered.add(String.valueOf(i));
      }
      List<String> classes = outputs == 1 ? List.of("1", "0") : numbered;
      Loss loss = Loss.defaultFor(classes.size());
      return new ModelFile(parameters, classes, loss, shape, normalisation, false, notes);
    }
    List<String> classes = parseClasses(file, metadata.get(CLASSES));
    if (outputs != classes.size() && outputs != Loss.outputs(classes.size())) {
      throw LayerShapes.broken(
          file,
          "names "
              + classes.size()
              + " classes, which take "
              + Loss.outputs(classes.size())
              + (classes.size() == 2 ? " logit, but has " : " logits, but has ")
              + outputs);
    }
    String said = metadata.get(LayerShapes.LAYERS);
    if (said != null && !said.equals(found.architecture().toString())) {
      throw LayerShapes.broken(
          file, "says it is " + said + ", but its tensors make " + found.architecture());
    }
    try {
      Loss loss =
          metadata.containsKey(LOSS)
              ? Loss.parse(metadata.get(LOSS))
              : Loss.defaultFor(classes.size());
      loss.checkClasses(classes.size());
      return new ModelFile(parameters, classes, loss, shape, normalisation, true, notes);
    } catch (IllegalArgumentException e) {
      throw LayerShapes.broken(file, "has metadata that is not ours: " + e.getMessage(), e);
    }
  }

  private static void checkNormalisation(
      Path file, Architecture architecture, Optional<Normalisation> normalisation) {
    try {
      checkNormalisation(architecture, normalisation);
    } catch (IllegalArgumentException e) {
      throw new InputException(file + ": " + e.getMessage(), e);
    }
  }

  private static void checkNormalisation(
      Architecture architecture, Optional<Normalisation> normalisation) {
    if (architecture.convolutions() > 0 && normalisation.filter(how -> !how.isNone()).isPresent()) {
      throw new IllegalArgumentException(
          "a convolutional net for pixels that are normalised by mean and std cannot be used here,"
              + " since the zeros around its images have another meaning; train it on pixel / 255");
    }
  }

  private static Safetensors content(Path file) {
    try {
      return Safetensors.read(file);
    } catch (InputException e) {
      throw ForeignFile.refusal(file, e);
    }
  }

  /** Height and width in the metadata, which earlier versions and PyTorch do not write. */
  private static Optional<ImageShape> shape(
      Path file, Map<String, String> metadata, Architecture architecture) {
    int inputs = architecture.inputs();
    String height = metadata.get(LayerShapes.HEIGHT);
    String width = metadata.get(LayerShapes.WIDTH);
    Optional<ImageShape> convolved =
        architecture.convolutions() > 0 ? Optional.of(architecture.imageShape()) : Optional.empty();
    if (height == null && width == null) {
      return convolved;
    }
    if (!LayerShapes.isSize(height)
        || !LayerShapes.isSize(width)
        || Long.parseLong(height) * Long.parseLong(width) != inputs) {
      throw LayerShapes.broken(
          file,
          "says its images have height "
              + metadata.getOrDefault(LayerShapes.HEIGHT, "(none)")
              + " and width "
              + metadata.getOrDefault(LayerShapes.WIDTH, "(none)")
              + ", but its tensors take "
              + inputs
              + " pixels");
    }
    ImageShape shape = new ImageShape(Integer.parseInt(height), Integer.parseInt(width));
    if (convolved.isPresent() && !convolved.get().equals(shape)) {
      throw LayerShapes.broken(
          file,
          "says its images are " + shape.describe() + ", but that its layers are " + architecture);
    }
    return Optional.of(shape);
  }

  /** How pixels are normalised, where the file says it as we do. */
  private static Optional<Normalisation> normalisation(Path file, Map<String, String> metadata) {
    if (!metadata.containsKey(MEAN) && !metadata.containsKey(STD)) {
      return Optional.of(Normalisation.NONE)
          .filter(none -> none.formula().equals(metadata.get(NORMALISATION)));
    }
    String mean = metadata.getOrDefault(MEAN, "(none)");
    String std = metadata.getOrDefault(STD, "(none)");
    try {
      return Optional.of(new Normalisation(Float.parseFloat(mean), Float.parseFloat(std)));
    } catch (IllegalArgumentException e) {
      throw LayerShapes.broken(
          file,
          "has metadata with mean "
              + mean
              + " and std "
              + std
              + ", expected a number and one above 0",
          e);
    }
  }

  /** Puts named tensors into the flat array of {@code architecture}. Throws InputException. */
  public static Parameters assemble(
      Path file, Map<String, Safetensors.Tensor> tensors, Architecture architecture) {
    float[] values = new float[architecture.parameterCount()];
    for (Parameters.View view : Parameters.views(architecture)) {
      Safetensors.Tensor tensor = tensors.get(view.name());
      if (tensor == null || !tensor.shape().equals(view.shape())) {
        throw new InputException(
            file
                + (tensor == null ? " has no tensor " : " has shape " + tensor.shape() + " for ")
                + view.name()
                + ", expected shape "
                + view.shape()
                + " for a model "
                + architecture
                + "; name a file of such a model");
      }
      view.put(tensor.values(), values);
    }
    return new Parameters(architecture, values);
  }

  /**
   * A model with one logit in place of two: the first minus the second, whose sigmoid is the first
   * class's softmax.
   */
  private static Parameters difference(Parameters two) {
    Architecture architecture = two.architecture();
    float[] values = Arrays.copyOf(two.values(), two.values().length);
    Layer last = architecture.layers().get(architecture.windows().size() - 1);
    int first = last.weightOffset();
    for (int i = 0; i < last.inputs(); i++) {
      values[first + i] -= values[first + last.inputs() + i];
    }
    values[first + last.inputs()] = values[last.biasOffset()] - values[last.biasOffset() + 1];
    Architecture one = architecture.withOutputs(1);
    return new Parameters(one, Arrays.copyOf(values, one.parameterCount()));
  }

  /** What was taken for granted that the file does not say, or made of what it says. */
  private static List<String> notes(
      Path file, Safetensors content, LayerOrder order, Architecture architecture) {
    List<String> notes = new ArrayList<>();
    if (!content.converted().isEmpty()) {
      notes.add(
          "the values of "
              + file
              + " in "
              + String.join(", ", content.converted())
              + " were converted to float32");
    }
    boolean saysLayers = content.metadata().containsKey(LayerShapes.LAYERS);
    if (!saysLayers && architecture.convolutions() > 0) {
      notes.add(
          file
              + " does not say the stride and padding of its convolutions, nor what lies between its"
              + " layers; stride 2, padding 2 of the first and none of the others, images of "
              + architecture.imageShape().describe()
              + ", ReLU between the layers and "
              + order.weights()
              + " in this order are taken");
    } else if (!saysLayers && architecture.windows().size() > 1) {
      notes.add(
          file
              + " does not say what lies between its layers; "
              + order.weights()
              + " are taken in this order, "
              + (order.byShape() ? "the only one in which their shapes chain, " : "")
              + "with ReLU between them");
    }
    if (architecture.outputs() == 2) {
      notes.add(
          file
              + " has two logits; their difference is taken for the one logit that two classes have"
              + " here, which gives the same probabilities");
    }
    return notes;
  }

  private static List<String> parseClasses(Path file, String json) {
    List<String> classes = new ArrayList<>();
    try (JsonReader reader = new JsonReader(new StringReader(json))) {
      reader.setStrictness(Strictness.STRICT);
      reader.beginArray();
      while (reader.peek() == JsonToken.STRING) {
        classes.add(reader.nextString());
      }
      reader.endArray();
      if (reader.peek() != JsonToken.END_DOCUMENT) {
        throw new IllegalStateException("something follows the closing bracket");
      }
    } catch (IOException | IllegalStateException e) {
      throw LayerShapes.broken(file, "has metadata whose classes are not a JSON list of names", e);
    }
    if (classes.size() < 2 || classes.stream().distinct().count() < classes.size()) {
      throw LayerShapes.broken(
          file, "has metadata whose classes are not two or more different names");
    }
    return classes;
  }
}
