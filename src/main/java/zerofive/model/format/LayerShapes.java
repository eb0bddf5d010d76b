package zerofive.model.format;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import zerofive.data.image.ImageShape;
import zerofive.files.InputException;
import zerofive.model.Architecture;
import zerofive.model.ModelSpec;
import zerofive.model.ModelSpec.Convolution;
import zerofive.model.Window;

/**
 * The model that the shapes of a file's tensors make: convolutions, then fully connected layers.
 *
 * @param found the file's tensors under its own names, and its metadata
 * @param tensors under the names that this program gives them
 */
record LayerShapes(Safetensors found, Map<String, Safetensors.Tensor> tensors) {
  /** Names in the metadata. */
  static final String LAYERS = "layers";

  static final String HEIGHT = "height";
  static final String WIDTH = "width";

  private static final Pattern SIZE = Pattern.compile("\\d{1,9}");
  private static final Pattern WEIGHT = Pattern.compile("(?:(\\d{1,4})\\.)?weight");
  private static final int CONVOLUTION = 4;
  private static final int MATRIX = 2;

  /** Of the images and convolutions of a file that says neither. */
  private static final ImageShape USUAL_IMAGES = new ImageShape(28, 28);

  private static final int USUAL_STRIDE = 2;

  /**
   * Renames the tensors: {@code 0.}, {@code 2.} and so on for the layers in order, one more for
   * those behind convolutions and nn.Flatten, nothing for a single layer. Where a tensor is of
   * another kind all keep their names, to be refused as what they are.
   *
   * @param layers what stands before {@code weight} in the tensors' names, layer after layer
   */
  static LayerShapes of(Safetensors file, List<String> layers) {
    Map<String, String> ours = new HashMap<>();
    boolean convolved = false;
    for (String layer : layers) {
      boolean convolution = dimensions(file.tensors().get(layer + "weight")) == CONVOLUTION;
      convolved |= convolution;
      int module = 2 * ours.size() + (convolved && !convolution ? 1 : 0);
      ours.put(layer, layers.size() == 1 ? "" : module + ".");
    }
    Map<String, Safetensors.Tensor> renamed = new LinkedHashMap<>();
    for (Map.Entry<String, Safetensors.Tensor> entry : file.tensors().entrySet()) {
      Matcher name = LayerOrder.NAME.matcher(entry.getKey());
      if (!name.matches() || !ours.containsKey(name.group(1))) {
        return new LayerShapes(file, file.tensors());
      }
      renamed.put(ours.get(name.group(1)) + name.group(2), entry.getValue());
    }
    return new LayerShapes(file, renamed);
  }

  private static int dimensions(Safetensors.Tensor tensor) {
    return tensor == null ? 0 : tensor.shape().size();
  }

  /** The model that they make; throws InputException where they make none. */
  Architecture architecture(Path file) {
    List<Integer> channels = new ArrayList<>();
    List<Integer> widths = new ArrayList<>();
    for (Map.Entry<String, Safetensors.Tensor> entry : inLayerOrder()) {
      List<Integer> shape = entry.getValue().shape();
      int layer = channels.size() + Math.max(0, widths.size() - 1);
      boolean isMatrix = shape.size() == MATRIX;
      int module = 2 * layer + (isMatrix && !channels.isEmpty() ? 1 : 0);
      boolean inOrder =
          number(entry.getKey()) == module
              && (entry.getKey().indexOf('.') >= 0 || tensors.size() == 2);
      if (inOrder && isMatrix && follows(widths, shape.get(1))) {
        if (widths.isEmpty()) {
          widths.add(shape.get(1));
        }
        widths.add(shape.get(0));
      } else if (inOrder && widths.isEmpty() && isConvolution(shape, channels)) {
        channels.add(shape.get(0));
      } else {
        break;
      }
    }
    if (widths.size() < 2 || tensors.size() != 2 * (channels.size() + widths.size() - 1)) {
      throw unknown(file);
    }
    try {
      return channels.isEmpty() ? dense(widths) : convolutional(file, channels, widths);
    } catch (IllegalArgumentException e) {
      throw broken(file, "holds no model: " + e.getMessage(), e);
    }
  }

  private static boolean follows(List<Integer> sizes, int size) {
    return sizes.isEmpty() || sizes.get(sizes.size() - 1) == size;
  }

  /** [outputs, channels, kernel, kernel], of one channel at first. */
  private static boolean isConvolution(List<Integer> shape, List<Integer> channels) {
    return shape.size() == CONVOLUTION
        && (channels.isEmpty() ? shape.get(1) == 1 : follows(channels, shape.get(1)))
        && shape.get(2) == Architecture.KERNEL
        && shape.get(3) == Architecture.KERNEL;
  }

  private static Architecture dense(List<Integer> widths) {
    int last = widths.size() - 1;
    return new Architecture(widths.get(0), widths.subList(1, last), widths.get(last));
  }

  private Architecture convolutional(Path file, List<Integer> channels, List<Integer> widths) {
    int last = widths.size() - 1;
    String layers = found.metadata().getOrDefault(LAYERS, "");
    Architecture architecture =
        Architecture.isConvolutional(layers)
            ? Architecture.parse(layers)
            : Architecture.of(
                new ModelSpec(
                    channels.stream().map(count -> new Convolution(count, USUAL_STRIDE)).toList(),
                    widths.subList(1, last)),
                images(),
                widths.get(last));
    Window first = architecture.windows().get(architecture.convolutions());
    if (architecture.convolutions() == channels.size() && first.channels() != widths.get(0)) {
      throw broken(
          file,
          "has a layer of "
              + widths.get(0)
              + " inputs behind its convolutions, where "
              + architecture
              + " has "
              + first.channels()
              + ": its metadata must say \"layers\" as images' height and width, each"
              + " convolution's channels and stride, and the widths, such as"
              + " 28x28-16/2-32/2-64/2-1");
    }
    return architecture;
  }

  private ImageShape images() {
    String height = found.metadata().get(HEIGHT);
    String width = found.metadata().get(WIDTH);
    return isSize(height) && isSize(width)
        ? new ImageShape(Integer.parseInt(height), Integer.parseInt(width))
        : USUAL_IMAGES;
  }

  private InputException unknown(Path file) {
    return broken(
        file,
        (found.tensors().isEmpty()
                ? "holds no tensors"
                : "holds the tensors "
                    + found.tensors().entrySet().stream()
                        .limit(8)
                        .map(tensor -> tensor.getKey() + " " + tensor.getValue().shape())
                        .collect(Collectors.joining(", ")))
            + ", expected weight and bias of a linear model, or 0.weight, 0.bias, 2.weight,"
            + " 2.bias and so on of Linear and ReLU layers in turn, which may follow 3 x 3"
            + " convolutions, ReLU and Flatten");
  }

  /** The weight tensors by layer number; a file may hold them in any order. */
  private List<Map.Entry<String, Safetensors.Tensor>> inLayerOrder() {
    return tensors.entrySet().stream()
        .filter(entry -> WEIGHT.matcher(entry.getKey()).matches())
        .sorted((a, b) -> Integer.compare(number(a.getKey()), number(b.getKey())))
        .toList();
  }

  private static int number(String name) {
    int dot = name.indexOf('.');
    return dot < 0 ? 0 : Integer.parseInt(name.substring(0, dot));
  }

  /** Whether a text of the metadata is a number of pixels. */
  static boolean isSize(String text) {
    return text != null && SIZE.matcher(text).matches();
  }

  /** On a file that holds no model that can be used here. */
  static InputException broken(Path file, String what) {
    return broken(file, what, null);
  }

  static InputException broken(Path file, String what, Exception cause) {
    return new InputException(
        file + " " + what + "; name a model that zerofive or PyTorch's nn.Sequential wrote", cause);
  }
}
