package zerofive.model;

import java.util.ArrayList;
import java.util.List;

/**
 * All weights and biases of a model in one flat array: for each layer its weight [outputs, inputs]
 * row-major, then its bias [outputs].
 *
 * @param architecture the model
 * @param values [architecture.parameterCount()], shared, not copied
 */
@SuppressWarnings("ArrayRecordComponent") // One array is the point.
public record Parameters(Architecture architecture, float[] values) {
  public Parameters {
    if (values.length != architecture.parameterCount()) {
      throw new IllegalArgumentException(
          values.length
              + " values are not the "
              + architecture.parameterCount()
              + " of "
              + architecture);
    }
  }

  /** A named part of the flat array: where it begins, and its shape. */
  public record View(String name, int offset, List<Integer> shape) {
    /** Number of values. */
    public int length() {
      return shape.stream().reduce(1, (a, b) -> a * b);
    }
  }

  /** The tensors, named and laid out as PyTorch's nn.Sequential has them. */
  public static List<View> views(Architecture architecture) {
    List<View> views = new ArrayList<>();
    for (Layer layer : architecture.layers()) {
      views.add(
          new View(
              layer.weightName(), layer.weightOffset(), List.of(layer.outputs(), layer.inputs())));
      views.add(new View(layer.biasName(), layer.biasOffset(), List.of(layer.outputs())));
    }
    return views;
  }

  /** Whether no value is NaN or infinite. */
  public boolean isFinite() {
    for (float value : values) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }
}
