package zerofive.backend.ops;

import java.util.Arrays;
import zerofive.backend.Gradients;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** Gradients, batch after batch, over {@link Ops}. */
public final class StepwiseGradients implements Gradients {
  private final Ops ops;
  private final Architecture architecture;
  private final Loss loss;
  private final int batchRows;
  private final Buffer parameters;
  private final Buffer gradient;
  private final Buffer pixels;
  private final Buffer labels;
  private final Buffer order;
  private final Buffer x;
  private final Buffer targets;

  /** Where the losses gather, which nobody asks for here. */
  private final Buffer metrics;

  private final ForwardPass forward;
  private final BackwardPass backward;

  private StepwiseGradients(Ops ops, Architecture architecture, Loss loss) {
    this.ops = ops;
    this.architecture = architecture;
    this.loss = loss;
    batchRows = ForwardPass.evaluationRows(architecture.inputs());
    int batchPixels = ForwardPass.elements(batchRows, architecture.inputs());
    parameters = ops.allocate(ElementType.F32, architecture.parameterCount());
    gradient = ops.allocate(ElementType.F32, architecture.parameterCount());
    pixels = ops.allocate(ElementType.U8, batchPixels);
    labels = ops.allocate(ElementType.I32, batchRows);
    order = ops.allocate(ElementType.I32, batchRows);
    ops.upload(Validation.ascending(batchRows), order);
    x = ops.allocate(ElementType.F32, batchPixels);
    targets = ops.allocate(ElementType.I32, batchRows);
    metrics = ops.allocate(ElementType.F64, Ops.METRICS);
    forward = new ForwardPass(ops, architecture, parameters, batchRows);
    backward = new BackwardPass(ops, architecture, forward, gradient, batchRows);
  }

  /** Takes over {@code ops} and closes it, also where this fails. */
  public static StepwiseGradients open(Ops ops, Architecture architecture, Loss loss) {
    try {
      return new StepwiseGradients(new CheckedOps(ops), architecture, loss);
    } catch (RuntimeException | Error e) {
      ops.close();
      throw e;
    }
  }

  @Override
  public double[] of(Parameters model, ImageSet images) {
    ForwardPass.check(architecture, images);
    ops.upload(model.values(), parameters);
    double[] sum = new double[architecture.parameterCount()];
    float[] batch = new float[sum.length];
    for (int first = 0; first < images.count(); first += batchRows) {
      int rows = Math.min(batchRows, images.count() - first);
      compute(images, first, rows);
      ops.download(gradient, batch);
      // The batch's mean counts as much as it has images.
      double share = (double) rows / images.count();
      for (int i = 0; i < sum.length; i++) {
        sum[i] += share * batch[i];
      }
    }
    return sum;
  }

  private void compute(ImageSet images, int first, int rows) {
    int imageSize = architecture.inputs();
    ops.upload(images.pixels(), first * imageSize, pixels.slice(0, rows * imageSize));
    ops.upload(Arrays.copyOfRange(images.targets(), first, first + rows), labels.slice(0, rows));
    ops.gather(pixels, labels, order, 0, rows, imageSize, x, targets);
    Buffer logits = forward.run(x, rows);
    ops.loss(loss, rows, architecture.outputs(), logits, targets, backward.slopes(), metrics);
    backward.run(x, rows);
  }

  @Override
  public void close() {
    ops.close();
  }
}
