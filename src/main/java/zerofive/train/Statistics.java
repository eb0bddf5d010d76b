package zerofive.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import zerofive.backend.Gradients;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Layer;
import zerofive.model.Parameters;

/**
 * What {@code --statistics} adds to an epoch's row, in double from float32 weights: the L2 norm of
 * the training loss's gradient at the epoch's last weights, and of each layer's weight [outputs,
 * inputs] the L2 norm, the mean, the standard deviation (of the population), the largest absolute
 * value, and the update ratio: the L2 norm of what the epoch changed by that of what was before.
 */
final class Statistics implements AutoCloseable {
  private static final List<String> OF_A_WEIGHT =
      List.of("norm", "mean", "std", "max_abs", "update_ratio");

  private final Gradients gradients;
  private final ImageSet images;
  private Parameters before;

  /**
   * Takes over {@code gradients}.
   *
   * @param before the weights that the next epoch begins with
   */
  Statistics(Gradients gradients, ImageSet images, Parameters before) {
    this.gradients = gradients;
    this.images = images;
    this.before = before;
  }

  /** The names of the columns: {@code gradient_norm, 0.weight_norm, 0.weight_mean, ...}. */
  static List<String> names(Architecture architecture) {
    List<String> names = new ArrayList<>(List.of("gradient_norm"));
    for (Layer layer : architecture.layers()) {
      OF_A_WEIGHT.forEach(name -> names.add(layer.weightName() + "_" + name));
    }
    return names;
  }

  /** The columns of the epoch that ended with the weights {@code after}. */
  Map<String, Double> next(Parameters after) {
    List<Double> values = new ArrayList<>(List.of(norm(gradients.of(after, images))));
    for (Layer layer : after.architecture().layers()) {
      int begin = layer.weightOffset();
      addWeight(before.values(), after.values(), begin, begin + layer.weightCount(), values);
    }
    before = after;
    Map<String, Double> columns = new LinkedHashMap<>();
    List<String> names = names(after.architecture());
    for (int i = 0; i < names.size(); i++) {
      columns.put(names.get(i), values.get(i));
    }
    return columns;
  }

  private static double norm(double[] values) {
    double squares = 0;
    for (double value : values) {
      squares += value * value;
    }
    return Math.sqrt(squares);
  }

  /** Adds the five values of the weights {@code begin} to {@code end}. */
  private static void addWeight(
      float[] before, float[] after, int begin, int end, List<Double> values) {
    double sum = 0;
    double squares = 0;
    double largest = 0;
    double squaresBefore = 0;
    double squaresMoved = 0;
    for (int i = begin; i < end; i++) {
      double moved = (double) after[i] - before[i];
      sum += after[i];
      squares += (double) after[i] * after[i];
      largest = Math.max(largest, Math.abs(after[i]));
      squaresBefore += (double) before[i] * before[i];
      squaresMoved += moved * moved;
    }
    double mean = sum / (end - begin);
    double deviations = 0;
    for (int i = begin; i < end; i++) {
      deviations += (after[i] - mean) * (after[i] - mean);
    }
    values.add(Math.sqrt(squares));
    values.add(mean);
    values.add(Math.sqrt(deviations / (end - begin)));
    values.add(largest);
    values.add(Math.sqrt(squaresMoved / squaresBefore));
  }

  @Override
  public void close() {
    gradients.close();
  }
}
