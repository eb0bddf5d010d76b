package zerofive.study.benchmark;

import java.util.List;
import zerofive.backend.Optimizer;
import zerofive.backend.Peaks;
import zerofive.backend.TrainingPlan;
import zerofive.data.ImageSet;
import zerofive.model.Layer;

/**
 * What the training part of an epoch asks of any machine, by formula. For n images and a layer of i
 * inputs and o outputs (a convolution has o at each of its places): 2 n i o + n o operations
 * forward with the bias, as many for the gradient of weights and bias, and 2 n i o for the gradient
 * of the layer's inputs, which the first layer does not need. A step takes {@link
 * #updateOperations} for each parameter. Activations and losses are left out: they are a few
 * operations a unit.
 *
 * @param images of the training set
 * @param operations floating-point operations where every pixel is worked on
 * @param nonzeroOperations the same where the first layer leaves out the pixels that are 0
 * @param nonzeroFraction of the pixels, those that are not 0
 * @param bytes that have to be moved once: a byte a pixel, the targets and the order as int, and
 *     parameters and moments read and written as float32
 */
public record EpochWork(
    int images, double operations, double nonzeroOperations, double nonzeroFraction, double bytes) {
  private static final double ADAM_OPERATIONS = 13;

  /** The work of one epoch over {@code train}. */
  public static EpochWork of(TrainingPlan plan, ImageSet train) {
    double images = train.count();
    double nonzero = nonzeroFraction(train.pixels());
    List<Layer> layers = plan.architecture().layers();
    double perImage = 0;
    for (int l = 0; l < layers.size(); l++) {
      double outputs = layers.get(l).window().outputSize();
      perImage += (l == 0 ? 4 : 6) * outputs * layers.get(l).inputs() + 2 * outputs;
    }
    Layer first = layers.get(0);
    double zeroOperations =
        first.window().isDense() ? 4 * (1 - nonzero) * first.inputs() * first.outputs() : 0;
    double parameters = plan.architecture().parameterCount();
    double updates =
        plan.stepsPerEpoch(train.count()) * parameters * updateOperations(plan.optimizer());
    double values = parameters * (1 + plan.optimizer().momentCount());
    return new EpochWork(
        train.count(),
        images * perImage + updates,
        images * (perImage - zeroOperations) + updates,
        nonzero,
        train.pixels().length + 2.0 * Integer.BYTES * images + 2.0 * Float.BYTES * values);
  }

  /**
   * Operations of a step for each parameter, as kernels/element_math.h writes the formulas: 2 of
   * plain descent, 2 more for momentum and for weight decay; 13 of Adam, 2 more for its decay, 1
   * for AdamW's.
   */
  private static double updateOperations(Optimizer optimizer) {
    boolean decays = optimizer.weightDecay() != 0;
    return switch (optimizer.kind()) {
      case SGD -> 2 + (optimizer.momentum() != 0 ? 2 : 0) + (decays ? 2 : 0);
      case ADAM -> ADAM_OPERATIONS + (decays ? 2 : 0);
      case ADAMW -> ADAM_OPERATIONS + 1;
    };
  }

  private static double nonzeroFraction(byte[] pixels) {
    long nonzero = 0;
    for (byte pixel : pixels) {
      nonzero += pixel == 0 ? 0 : 1;
    }
    return (double) nonzero / pixels.length;
  }

  /**
   * How near an epoch comes to what a machine can do at most.
   *
   * @param compute share of the time that the operations on nonzero pixels take at the peak
   * @param memory share of the time that the bytes take at the peak; above 1 where images stay in a
   *     cache, which is faster than the memory
   */
  public record Share(double compute, double memory) {
    /** The larger of the two: what would bind first. */
    public double larger() {
      return Math.max(compute, memory);
    }

    /** Which that is: {@code compute} or {@code memory}. */
    public String bound() {
      return compute >= memory ? "compute" : "memory";
    }
  }

  /** The share of {@code peaks} that an epoch of so many seconds reaches. */
  public Share share(double seconds, Peaks peaks) {
    return new Share(
        nonzeroOperations / (2 * peaks.multiplyAddsPerSecond()) / seconds,
        bytes / peaks.copyBytesPerSecond() / seconds);
  }
}
