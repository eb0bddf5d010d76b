package zerofive.model.format;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import zerofive.files.InputException;

/**
 * The order of a file's layers, which safetensors does not keep: that of their names where the
 * layers' shapes chain in it, else the only one in which they do.
 *
 * @param prefixes what stands before {@code weight} in the tensors' names, layer after layer
 * @param byShape whether the shapes decided
 */
record LayerOrder(List<String> prefixes, boolean byShape) {
  /** A tensor of a layer: its prefix and its kind. */
  static final Pattern NAME = Pattern.compile("((?:.*\\.)?)(weight|bias)", Pattern.DOTALL);

  private static final int DIGITS = 9;
  private static final Pattern NUMBER = Pattern.compile("\\d{1," + DIGITS + "}");

  /** With more layers a file holds no model of ours, and is refused for that. */
  private static final int MAX_LAYERS = 64;

  /** Throws InputException where the shapes chain, but in more than one order. */
  static LayerOrder of(Path file, Map<String, Safetensors.Tensor> tensors) {
    List<Layer> named = byName(tensors);
    boolean matrices = named.stream().allMatch(Layer::isMatrix);
    List<Layer> layers =
        !matrices || named.size() > MAX_LAYERS || chain(named) ? named : byShape(file, named);
    return new LayerOrder(layers.stream().map(Layer::prefix).toList(), !layers.equals(named));
  }

  /** The names of the weights, in order. */
  String weights() {
    return prefixes.stream().map(prefix -> prefix + "weight").collect(Collectors.joining(", "));
  }

  /** One weight; inputs and outputs are -1 where it is not a matrix. */
  private record Layer(String prefix, int inputs, int outputs) {
    boolean isMatrix() {
      return inputs >= 0;
    }
  }

  private static List<Layer> byName(Map<String, Safetensors.Tensor> tensors) {
    List<Layer> layers = new ArrayList<>();
    tensors.forEach(
        (name, tensor) -> {
          Matcher matcher = NAME.matcher(name);
          if (matcher.matches() && matcher.group(2).equals("weight")) {
            boolean isMatrix = tensor.shape().size() == 2;
            int inputs = isMatrix ? tensor.shape().get(1) : -1;
            int outputs = isMatrix ? tensor.shape().get(0) : -1;
            layers.add(new Layer(matcher.group(1), inputs, outputs));
          }
        });
    layers.sort(
        Comparator.comparing((Layer layer) -> inOrder(layer.prefix()))
            .thenComparing(Layer::prefix));
    return layers;
  }

  /**
   * A text whose alphabetical order is that of the numbers in it. PyTorch names a layer as the
   * module that holds it, {@code 0.}, {@code fc1.}, {@code net.0.}, and {@code fc10.} follows
   * {@code fc9.}.
   */
  private static String inOrder(String prefix) {
    return NUMBER
        .matcher(prefix)
        .replaceAll(number -> "0".repeat(DIGITS - number.group().length()) + number.group());
  }

  private static boolean chain(List<Layer> layers) {
    for (int i = 1; i < layers.size(); i++) {
      if (layers.get(i).inputs() != layers.get(i - 1).outputs()) {
        return false;
      }
    }
    return true;
  }

  /**
   * The only order in which the shapes chain; {@code layers} as they are where there is none.
   * Widths are the vertices of a graph and layers its edges, so that an order is an Eulerian trail:
   * after any layer from whose outputs all those that are left can be reached, the trail can be
   * finished.
   */
  private static List<Layer> byShape(Path file, List<Layer> layers) {
    List<Layer> left = new ArrayList<>(layers);
    List<Layer> order = new ArrayList<>();
    List<Layer> next = first(layers);
    while (!left.isEmpty()) {
      next.removeIf(layer -> !isReachable(left, layer));
      if (next.isEmpty()) {
        return layers;
      }
      if (next.size() > 1) {
        throw ambiguous(file, order, next);
      }
      Layer only = next.get(0);
      order.add(only);
      left.remove(only);
      next = new ArrayList<>(left);
      next.removeIf(layer -> layer.inputs() != only.outputs());
    }
    return order;
  }

  /** Those that may come first, as far as the numbers of layers at each width say; or none. */
  private static List<Layer> first(List<Layer> layers) {
    Map<Integer, Integer> balance = new HashMap<>();
    for (Layer layer : layers) {
      balance.merge(layer.inputs(), 1, Integer::sum);
      balance.merge(layer.outputs(), -1, Integer::sum);
    }
    List<Layer> first = new ArrayList<>(layers);
    int unbalanced = balance.values().stream().mapToInt(Math::abs).sum();
    if (unbalanced > 2) {
      first.clear();
    } else if (unbalanced == 2) {
      first.removeIf(layer -> balance.get(layer.inputs()) != 1);
    }
    return first;
  }

  /** Whether all others that are left can be reached from a layer's outputs. */
  private static boolean isReachable(List<Layer> left, Layer from) {
    Set<Integer> widths = new HashSet<>(Set.of(from.outputs()));
    boolean grows = true;
    while (grows) {
      grows = false;
      for (Layer layer : left) {
        grows |=
            !layer.equals(from) && widths.contains(layer.inputs()) && widths.add(layer.outputs());
      }
    }
    return left.stream().allMatch(layer -> layer.equals(from) || widths.contains(layer.inputs()));
  }

  private static InputException ambiguous(Path file, List<Layer> before, List<Layer> next) {
    return new InputException(
        file
            + " holds layers whose shapes chain in more than one order, but not by their names: "
            + (before.isEmpty()
                ? "first may come "
                : "after " + before.get(before.size() - 1).prefix() + "weight may come ")
            + next.stream()
                .map(layer -> layer.prefix() + "weight")
                .collect(Collectors.joining(" or "))
            + "; rename the tensors so that their names sort in the order of the layers");
  }
}
