package zerofive.backend;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import zerofive.data.ImageSet;
import zerofive.model.Activation;
import zerofive.model.Layer;
import zerofive.model.Parameters;

/**
 * A whole trainer in double over {@link DoubleFormulas}: what a session's losses and weights are
 * measured against. Activations and gradients are [rows, width of the layer], row-major.
 */
public final class DoubleReplay {
  /** The mean loss of a batch and its gradient at every parameter. */
  @SuppressWarnings("ArrayRecordComponent")
  public record Gradient(double loss, double[] values, double largestTerm) {}

  private final TrainingPlan plan;
  private final List<Layer> layers;
  private final double[] parameters;
  private final double[] moments;
  private int steps;

  /** A replay from {@code start}, with fresh moments. */
  public DoubleReplay(TrainingPlan plan, Parameters start) {
    this.plan = plan;
    layers = plan.architecture().layers();
    parameters = Closeness.widened(start.values());
    moments = new double[plan.optimizer().momentCount() * parameters.length];
  }

  /** The weights, to be read or moved a little. */
  public double[] parameters() {
    return parameters;
  }

  /** Steps taken so far. */
  public int steps() {
    return steps;
  }

  /** Trains one epoch. */
  public EpochResult trainEpoch(ImageSet train, EpochInput input) {
    double[] sums = new double[input.learningRates().length];
    ImageSet seen = input.shifts() == null ? train : SmallImages.shifted(train, input.shifts());
    int[] order = input.order();
    for (int first = 0; first < order.length; first += plan.batchSize()) {
      int end = Math.min(first + plan.batchSize(), order.length);
      int[] batch = Arrays.copyOfRange(order, first, end);
      Gradient gradient = gradient(seen, batch);
      sums[first / plan.batchSize()] = gradient.loss() * batch.length;
      float rate = input.learningRates()[first / plan.batchSize()];
      steps++;
      DoubleFormulas.update(plan.optimizer(), rate, steps, parameters, gradient.values(), moments);
    }
    return EpochResult.of(sums, plan, order.length, 0);
  }

  /** The present weights on all of {@code images}. */
  public Evaluation evaluate(ImageSet images) {
    int[] all = new int[images.count()];
    Arrays.setAll(all, i -> i);
    double[][] z = rowsOf(last(forward(images, all)), plan.architecture().outputs());
    double sum = 0;
    int correct = 0;
    for (int i = 0; i < z.length; i++) {
      int target = images.targets()[i];
      sum += DoubleFormulas.loss(plan.loss(), z[i], target);
      correct += DoubleFormulas.isRight(z[i], target) ? 1 : 0;
    }
    return new Evaluation(sum / z.length, correct, z.length, 0);
  }

  /** Loss and gradients of the images {@code batch}. */
  public Gradient gradient(ImageSet images, int[] batch) {
    int rows = batch.length;
    List<double[]> activations = forward(images, batch);
    int outputs = plan.architecture().outputs();
    double[][] z = rowsOf(last(activations), outputs);
    double loss = 0;
    double[] delta = new double[rows * outputs];
    for (int r = 0; r < rows; r++) {
      int target = images.targets()[batch[r]];
      loss += DoubleFormulas.loss(plan.loss(), z[r], target) / rows;
      for (int j = 0; j < outputs; j++) {
        delta[r * outputs + j] = DoubleFormulas.dLogit(plan.loss(), z[r], target, j) / rows;
      }
    }
    double[] values = new double[parameters.length];
    double largest = 0;
    for (int l = layers.size() - 1; l >= 0; l--) {
      Layer layer = layers.get(l);
      double[] input = activations.get(l);
      double[] covered = DoubleFormulas.unfold(layer.window(), rows, input);
      int places = rows * layer.window().positions();
      largest = Math.max(largest, largest(delta) * Math.max(1, largest(input)));
      copy(
          DoubleFormulas.gemm(true, false, layer.outputs(), layer.inputs(), places, delta, covered),
          values,
          layer.weightOffset());
      copy(DoubleFormulas.columnSums(places, layer.outputs(), delta), values, layer.biasOffset());
      if (l > 0) {
        double[] patches =
            DoubleFormulas.gemm(
                false, false, places, layer.inputs(), layer.outputs(), delta, weight(layer));
        delta = DoubleFormulas.fold(layer.window(), rows, patches);
        for (int i = 0; i < delta.length; i++) {
          delta[i] *= DoubleFormulas.reluDerivative(input[i]);
        }
      }
    }
    return new Gradient(loss, values, largest);
  }

  /** The mean loss of the images {@code batch}. */
  public double loss(ImageSet images, int[] batch) {
    return gradient(images, batch).loss();
  }

  /** How near to ReLU's kink at 0 any hidden unit comes on the images {@code batch}. */
  public double distanceFromKink(ImageSet images, int[] batch) {
    double nearest = Double.POSITIVE_INFINITY;
    List<double[]> activations = forward(images, batch);
    for (int l = 0; l + 1 < layers.size(); l++) {
      double[] z = beforeActivation(layers.get(l), activations.get(l), batch.length);
      nearest = Math.min(nearest, Arrays.stream(z).map(Math::abs).min().getAsDouble());
    }
    return nearest;
  }

  /** The images, then every layer's activations; the last are the logits. */
  private List<double[]> forward(ImageSet images, int[] batch) {
    int size = images.imageSize();
    double[] x = new double[batch.length * size];
    Arrays.setAll(
        x, i -> DoubleFormulas.normalised(images.pixels()[batch[i / size] * size + i % size]));
    List<double[]> activations = new ArrayList<>(List.of(x));
    for (Layer layer : layers) {
      double[] z = beforeActivation(layer, last(activations), batch.length);
      if (layer.activation() == Activation.RELU) {
        Arrays.setAll(z, i -> DoubleFormulas.relu(z[i]));
      }
      activations.add(z);
    }
    return activations;
  }

  private double[] beforeActivation(Layer layer, double[] input, int rows) {
    int outputs = layer.outputs();
    int places = rows * layer.window().positions();
    double[] covered = DoubleFormulas.unfold(layer.window(), rows, input);
    double[] z =
        DoubleFormulas.gemm(false, true, places, outputs, layer.inputs(), covered, weight(layer));
    Arrays.setAll(z, i -> z[i] + parameters[layer.biasOffset() + i % outputs]);
    return z;
  }

  private double[] weight(Layer layer) {
    return Arrays.copyOfRange(parameters, layer.weightOffset(), layer.biasOffset());
  }

  private static double[] last(List<double[]> activations) {
    return activations.get(activations.size() - 1);
  }

  private static double[][] rowsOf(double[] matrix, int width) {
    double[][] rows = new double[matrix.length / width][];
    Arrays.setAll(rows, r -> Arrays.copyOfRange(matrix, r * width, (r + 1) * width));
    return rows;
  }

  private static double largest(double[] values) {
    return Arrays.stream(values).map(Math::abs).max().getAsDouble();
  }

  private static void copy(double[] from, double[] to, int offset) {
    System.arraycopy(from, 0, to, offset, from.length);
  }
}
