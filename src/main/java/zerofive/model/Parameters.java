package zerofive.model;

import java.util.ArrayList;
import java.util.List;

/**
 * All weights and biases of a model in one flat array: for each layer its weight [outputs, inputs]
 * row-major, the inputs of a window as [kernel, kernel, channels], then its bias [outputs].
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

  /**
   * A named tensor, and its place in the flat array. A file has it as PyTorch does, channels before
   * places: a convolution's weight is [outputs, channels, kernel, kernel], and the layer behind the
   * last convolution takes its image as nn.Flatten makes it, [channels, height, width]. In the flat
   * array places come before channels.
   *
   * @param offset where it begins in the flat array
   * @param shape as a file has it
   * @param places pixels of a window or an image in each row; 1 where there is one order only
   * @param channels values of each of these pixels
   */
  public record View(String name, int offset, List<Integer> shape, int places, int channels) {
    /** Number of values. */
    public int length() {
      return shape.stream().reduce(1, (a, b) -> a * b);
    }

    /** The tensor's values in the order of a file. */
    public float[] fileOrder(float[] flat) {
      float[] tensor = new float[length()];
      for (int i = 0; i < tensor.length; i++) {
        tensor[i] = flat[offset + flatIndex(i)];
      }
      return tensor;
    }

    /** Writes a tensor, in the order of a file, to its place in the flat array. */
    public void put(float[] tensor, float[] flat) {
      for (int i = 0; i < tensor.length; i++) {
        flat[offset + flatIndex(i)] = tensor[i];
      }
    }

    /** Place in the flat array, from {@code offset} on, of element {@code index} of a file. */
    private int flatIndex(int index) {
      if (places == 1) {
        return index;
      }
      int row = index / (places * channels);
      int channel = index / places % channels;
      int place = index % places;
      return (row * places + place) * channels + channel;
    }
  }

  /** The tensors, named as PyTorch's nn.Sequential has them. */
  public static List<View> views(Architecture architecture) {
    List<View> views = new ArrayList<>();
    int imagePlaces = 1;
    for (Layer layer : architecture.layers()) {
      Window window = layer.window();
      int kernel = window.kernel();
      int places = window.isDense() ? imagePlaces : kernel * kernel;
      List<Integer> shape =
          window.isDense()
              ? List.of(layer.outputs(), layer.inputs())
              : List.of(layer.outputs(), window.channels(), kernel, kernel);
      views.add(
          new View(
              layer.weightName(), layer.weightOffset(), shape, places, layer.inputs() / places));
      views.add(
          new View(
              layer.biasName(), layer.biasOffset(), List.of(layer.outputs()), 1, layer.outputs()));
      imagePlaces = window.positions();
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
