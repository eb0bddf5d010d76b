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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
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
  private static final String LAYERS = "layers";
  private static final String HEIGHT = "height";
  private static final String WIDTH = "width";
  private static final String MEAN = "mean";
  private static final String STD = "std";

  /** Where {@link Normalisation#formula} stands. */
  static final String NORMALISATION = "normalisation";

  private static final Pattern SIZE = Pattern.compile("\\d{1,9}");
  private static final Pattern WEIGHT = Pattern.compile("(?:(\\d{1,4})\\.)?weight");

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
    metadata.put(LAYERS, parameters.architecture().toString());
    shape.ifPresent(
        images -> {
          metadata.put(HEIGHT, String.valueOf(images.height()));
          metadata.put(WIDTH, String.valueOf(images.width()));
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
      float[] values = new float[view.length()];
      System.arraycopy(parameters.values(), view.offset(), values, 0, values.length);
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
    Map<String, Safetensors.Tensor> tensors = renamed(content.tensors(), order.prefixes());
    Parameters found = assemble(file, tensors, infer(file, content.tensors(), tensors));
    List<String> notes = notes(file, content, order, found.architecture());
    int outputs = found.architecture().outputs();
    Parameters parameters = outputs == 2 ? difference(found) : found;
    if (!parameters.isFinite()) {
      throw broken(file, "has two logits whose difference is more than float32 holds");
    }
    Map<String, String> metadata = content.metadata();
    Optional<ImageShape> shape = shape(file, metadata, parameters.architecture().inputs());
    Optional<Normalisation> normalisation = normalisation(file, metadata);
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
      throw broken(
          file,
          "names "
              + classes.size()
              + " classes, which take "
              + Loss.outputs(classes.size())
              + (classes.size() == 2 ? " logit, but has " : " logits, but has ")
              + outputs);
    }
    String said = metadata.get(LAYERS);
    if (said != null && !said.equals(found.architecture().toString())) {
      throw broken(file, "says it is " + said + ", but its tensors make " + found.architecture());
    }
    try {
      Loss loss =
          metadata.containsKey(LOSS)
              ? Loss.parse(metadata.get(LOSS))
              : Loss.defaultFor(classes.size());
      loss.checkClasses(classes.size());
      return new ModelFile(parameters, classes, loss, shape, normalisation, true, notes);
    } catch (IllegalArgumentException e) {
      throw broken(file, "has metadata that is not ours: " + e.getMessage(), e);
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
  private static Optional<ImageShape> shape(Path file, Map<String, String> metadata, int inputs) {
    String height = metadata.get(HEIGHT);
    String width = metadata.get(WIDTH);
    if (height == null && width == null) {
      return Optional.empty();
    }
    if (!isSize(height)
        || !isSize(width)
        || Long.parseLong(height) * Long.parseLong(width) != inputs) {
      throw broken(
          file,
          "says its images have height "
              + metadata.getOrDefault(HEIGHT, "(none)")
              + " and width "
              + metadata.getOrDefault(WIDTH, "(none)")
              + ", but its tensors take "
              + inputs
              + " pixels");
    }
    return Optional.of(new ImageShape(Integer.parseInt(height), Integer.parseInt(width)));
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
      throw broken(
          file,
          "has metadata with mean "
              + mean
              + " and std "
              + std
              + ", expected a number and one above 0",
          e);
    }
  }

  private static boolean isSize(String text) {
    return text != null && SIZE.matcher(text).matches();
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
      System.arraycopy(tensor.values(), 0, values, view.offset(), tensor.values().length);
    }
    return new Parameters(architecture, values);
  }

  /**
   * The tensors under the names this program gives them: {@code 0.}, {@code 2.} and so on for the
   * layers in order, nothing for a single one. Where one is of another kind all stay, to be refused
   * as what they are.
   */
  private static Map<String, Safetensors.Tensor> renamed(
      Map<String, Safetensors.Tensor> tensors, List<String> layers) {
    Map<String, String> ours = new HashMap<>();
    for (String layer : layers) {
      ours.put(layer, layers.size() == 1 ? "" : 2 * ours.size() + ".");
    }
    Map<String, Safetensors.Tensor> renamed = new LinkedHashMap<>();
    for (Map.Entry<String, Safetensors.Tensor> entry : tensors.entrySet()) {
      Matcher name = LayerOrder.NAME.matcher(entry.getKey());
      if (!name.matches() || !ours.containsKey(name.group(1))) {
        return tensors;
      }
      renamed.put(ours.get(name.group(1)) + name.group(2), entry.getValue());
    }
    return renamed;
  }

  /**
   * A model with one logit in place of two: the first minus the second, whose sigmoid is the first
   * class's softmax.
   */
  private static Parameters difference(Parameters two) {
    Architecture architecture = two.architecture();
    float[] values = Arrays.copyOf(two.values(), two.values().length);
    Layer last = architecture.layers().get(architecture.hidden().size());
    int first = last.weightOffset();
    for (int i = 0; i < last.inputs(); i++) {
      values[first + i] -= values[first + last.inputs() + i];
    }
    values[first + last.inputs()] = values[last.biasOffset()] - values[last.biasOffset() + 1];
    Architecture one = new Architecture(architecture.inputs(), architecture.hidden(), 1);
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
    if (!content.metadata().containsKey(LAYERS) && !architecture.hidden().isEmpty()) {
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

  /**
   * The widths that the tensors' shapes make.
   *
   * @param found under the names that the file gives them
   * @param tensors under ours
   */
  private static Architecture infer(
      Path file, Map<String, Safetensors.Tensor> found, Map<String, Safetensors.Tensor> tensors) {
    List<Integer> widths = new ArrayList<>();
    int expected = 0;
    for (Map.Entry<String, Safetensors.Tensor> entry : inLayerOrder(tensors)) {
      Matcher weight = WEIGHT.matcher(entry.getKey());
      List<Integer> shape = entry.getValue().shape();
      boolean inOrder =
          weight.matches()
              && shape.size() == 2
              && (weight.group(1) == null
                  ? tensors.size() == 2
                  : Integer.parseInt(weight.group(1)) == expected)
              && (widths.isEmpty() || widths.get(widths.size() - 1).equals(shape.get(1)));
      if (!inOrder) {
        break;
      }
      if (widths.isEmpty()) {
        widths.add(shape.get(1));
      }
      widths.add(shape.get(0));
      expected += 2;
    }
    if (widths.size() < 2 || tensors.size() != 2 * (widths.size() - 1)) {
      throw broken(
          file,
          (found.isEmpty()
                  ? "holds no tensors"
                  : "holds the tensors "
                      + found.entrySet().stream()
                          .limit(8)
                          .map(tensor -> tensor.getKey() + " " + tensor.getValue().shape())
                          .collect(Collectors.joining(", ")))
              + ", expected weight and bias of a linear model, or 0.weight, 0.bias, 2.weight,"
              + " 2.bias and so on of Linear and ReLU layers in turn");
    }
    try {
      return new Architecture(
          widths.get(0), widths.subList(1, widths.size() - 1), widths.get(widths.size() - 1));
    } catch (IllegalArgumentException e) {
      throw broken(file, "holds no model: " + e.getMessage(), e);
    }
  }

  /** The weight tensors by layer number; a file may hold them in any order. */
  private static List<Map.Entry<String, Safetensors.Tensor>> inLayerOrder(
      Map<String, Safetensors.Tensor> tensors) {
    return tensors.entrySet().stream()
        .filter(entry -> WEIGHT.matcher(entry.getKey()).matches())
        .sorted((a, b) -> Integer.compare(number(a.getKey()), number(b.getKey())))
        .toList();
  }

  private static int number(String name) {
    int dot = name.indexOf('.');
    return dot < 0 ? 0 : Integer.parseInt(name.substring(0, dot));
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
      throw broken(file, "has metadata whose classes are not a JSON list of names", e);
    }
    if (classes.size() < 2 || classes.stream().distinct().count() < classes.size()) {
      throw broken(file, "has metadata whose classes are not two or more different names");
    }
    return classes;
  }

  private static InputException broken(Path file, String what) {
    return broken(file, what, null);
  }

  private static InputException broken(Path file, String what, Exception cause) {
    return new InputException(
        file + " " + what + "; name a model that zerofive or PyTorch's nn.Sequential wrote", cause);
  }
}
