package zerofive.model;

import com.google.gson.JsonArray;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import zerofive.data.InputException;

/**
 * A trained model as a safetensors file: the tensors as PyTorch's nn.Sequential names them, and in
 * the metadata what is needed to use them. A file without that metadata (from PyTorch) is read by
 * its tensors' names and shapes.
 *
 * @param parameters the weights
 * @param classes the class names, in the order of the targets
 * @param loss the model was trained with
 * @param named whether the file itself names its classes
 */
public record ModelFile(Parameters parameters, List<String> classes, Loss loss, boolean named) {
  private static final String CLASSES = "classes";
  private static final String LOSS = "loss";
  private static final String LAYERS = "layers";
  private static final Pattern NUMBERED = Pattern.compile("(0|[1-9]\\d{0,3})\\.(weight|bias)");
  private static final Pattern WEIGHT = Pattern.compile("(?:(\\d{1,4})\\.)?weight");

  /** Writes the model atomically. Throws OutputException. */
  public void write(Path file) {
    JsonArray names = new JsonArray();
    classes.forEach(names::add);
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "zerofive");
    metadata.put(CLASSES, names.toString());
    metadata.put(LOSS, loss.toString());
    metadata.put(LAYERS, parameters.architecture().toString());
    metadata.put("normalisation", "float32(byte) / 255");
    new Safetensors(metadata, tensors(parameters, "")).write(file);
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
    Safetensors content = Safetensors.read(file);
    Map<String, Safetensors.Tensor> tensors = renumbered(content.tensors());
    Parameters parameters = assemble(file, tensors, infer(file, tensors));
    int outputs = parameters.architecture().outputs();
    Map<String, String> metadata = content.metadata();
    if (!metadata.containsKey(CLASSES)) {
      if (outputs == 2) {
        throw broken(file, "has 2 logits, but two classes are told apart by one logit here");
      }
      List<String> numbered = new ArrayList<>();
      for (int i = 0; i < outputs; i++) {
        numbered.add(String.valueOf(i));
      }
      List<String> classes = outputs == 1 ? List.of("1", "0") : numbered;
      return new ModelFile(parameters, classes, Loss.defaultFor(classes.size()), false);
    }
    List<String> classes = parseClasses(file, metadata.get(CLASSES));
    if (Loss.outputs(classes.size()) != outputs) {
      throw broken(
          file,
          "names "
              + classes.size()
              + " classes, which take "
              + Loss.outputs(classes.size())
              + (classes.size() == 2 ? " logit, but has " : " logits, but has ")
              + outputs);
    }
    String layers = metadata.get(LAYERS);
    if (layers != null && !layers.equals(parameters.architecture().toString())) {
      throw broken(
          file, "says it is " + layers + ", but its tensors make " + parameters.architecture());
    }
    try {
      Loss loss =
          metadata.containsKey(LOSS)
              ? Loss.parse(metadata.get(LOSS))
              : Loss.defaultFor(classes.size());
      loss.checkClasses(classes.size());
      return new ModelFile(parameters, classes, loss, true);
    } catch (IllegalArgumentException e) {
      throw broken(file, "has metadata that is not ours: " + e.getMessage(), e);
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
      System.arraycopy(tensor.values(), 0, values, view.offset(), tensor.values().length);
    }
    return new Parameters(architecture, values);
  }

  /**
   * The tensors under the names this program gives them. PyTorch counts a Sequential's modules, and
   * those without tensors, such as Flatten, take numbers too: {@code 1.weight, 3.weight} are the
   * layers that here are {@code 0.weight, 2.weight}, and a single {@code 0.weight} is {@code
   * weight}. Names of any other kind stay, to be refused as what they are.
   */
  private static Map<String, Safetensors.Tensor> renumbered(
      Map<String, Safetensors.Tensor> tensors) {
    List<Integer> numbers = new ArrayList<>();
    for (String name : tensors.keySet()) {
      Matcher numbered = NUMBERED.matcher(name);
      if (!numbered.matches()) {
        return tensors;
      }
      if (numbered.group(2).equals("weight")) {
        numbers.add(Integer.parseInt(numbered.group(1)));
      }
    }
    Collections.sort(numbers);
    for (int i = 1; i < numbers.size(); i++) {
      if (numbers.get(i) != numbers.get(i - 1) + 2) {
        return tensors;
      }
    }
    Map<String, Safetensors.Tensor> renamed = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          int dot = name.indexOf('.');
          int layer = numbers.indexOf(Integer.parseInt(name.substring(0, dot)));
          String prefix = numbers.size() == 1 ? "" : 2 * layer + ".";
          renamed.put(layer < 0 ? name : prefix + name.substring(dot + 1), tensor);
        });
    return renamed.size() == tensors.size() ? renamed : tensors;
  }

  private static Architecture infer(Path file, Map<String, Safetensors.Tensor> tensors) {
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
          (tensors.isEmpty()
                  ? "holds no tensors"
                  : "holds the tensors "
                      + String.join(", ", tensors.keySet().stream().limit(8).toList()))
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
