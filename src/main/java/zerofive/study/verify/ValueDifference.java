package zerofive.study.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import zerofive.model.Parameters;

/**
 * Where two models of one architecture differ first.
 *
 * @param tensor its name in a model file
 * @param index of the value in the tensor, counted from 0, one number a dimension
 * @param file the value in the file
 * @param computed the value computed here
 * @param count how many values differ in the whole model
 * @param of how many
 */
public record ValueDifference(
    String tensor, List<Integer> index, float file, float computed, int count, int of) {
  /** The first difference of bits; empty where all are the same. */
  static Optional<ValueDifference> first(Parameters file, Parameters computed) {
    float[] a = file.values();
    float[] b = computed.values();
    int first = -1;
    int count = 0;
    for (int i = 0; i < a.length; i++) {
      if (Float.floatToRawIntBits(a[i]) != Float.floatToRawIntBits(b[i])) {
        first = count == 0 ? i : first;
        count++;
      }
    }
    if (count == 0) {
      return Optional.empty();
    }
    for (Parameters.View view : Parameters.views(file.architecture())) {
      if (first < view.offset() + view.length()) {
        return Optional.of(
            new ValueDifference(
                view.name(),
                index(first - view.offset(), view.shape()),
                a[first],
                b[first],
                count,
                a.length));
      }
    }
    throw new IllegalStateException("every value is part of a tensor");
  }

  private static List<Integer> index(int place, List<Integer> shape) {
    List<Integer> index = new ArrayList<>();
    int rest = place;
    for (int dimension = shape.size() - 1; dimension >= 0; dimension--) {
      index.add(0, rest % shape.get(dimension));
      rest /= shape.get(dimension);
    }
    return index;
  }

  /** {@code 0.weight[3, 401]}. */
  public String place() {
    return tensor + index.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
  }
}
