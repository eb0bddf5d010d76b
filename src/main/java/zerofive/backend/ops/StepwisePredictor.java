package zerofive.backend.ops;

import java.util.Arrays;
import zerofive.backend.Evaluation;
import zerofive.backend.Predictor;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** A model's logits, batch after batch, over {@link Ops}. */
public final class StepwisePredictor implements Predictor {
  private final Ops ops;
  private final Architecture architecture;
  private final int batchRows;
  private final Buffer pixels;
  private final Buffer labels;
  private final Buffer order;
  private final Buffer x;
  private final Buffer targets;
  private final Buffer metrics;
  private final ForwardPass forward;

  private StepwisePredictor(Ops ops, Parameters model) {
    this.ops = ops;
    this.architecture = model.architecture();
    batchRows = ForwardPass.evaluationRows(architecture.inputs());
    int batchPixels = ForwardPass.elements(batchRows, architecture.inputs());
    Buffer parameters = ops.allocate(ElementType.F32, model.values().length);
    ops.upload(model.values(), parameters);
    pixels = ops.allocate(ElementType.U8, batchPixels);
    labels = ops.allocate(ElementType.I32, batchRows);
    order = ops.allocate(ElementType.I32, batchRows);
    ops.upload(Validation.ascending(batchRows), order);
    x = ops.allocate(ElementType.F32, batchPixels);
    targets = ops.allocate(ElementType.I32, batchRows);
    metrics = ops.allocate(ElementType.F64, Ops.METRICS);
    forward = new ForwardPass(ops, architecture, parameters, batchRows);
  }

  /** Puts the model on the device; takes over {@code ops} and closes it, also where this fails. */
  public static StepwisePredictor open(Ops ops, Parameters model) {
    try {
      return new StepwisePredictor(new CheckedOps(ops), model);
    } catch (RuntimeException | Error e) {
      ops.close();
      throw e;
    }
  }

  @Override
  public float[] logits(ImageSet images) {
    ForwardPass.check(architecture, images);
    int outputs = architecture.outputs();
    float[] all = new float[ForwardPass.elements(images.count(), outputs)];
    float[] some = new float[batchRows * outputs];
    for (int first = 0; first < images.count(); first += batchRows) {
      int rows = Math.min(batchRows, images.count() - first);
      ops.download(run(images, first, rows), some);
      System.arraycopy(some, 0, all, first * outputs, rows * outputs);
    }
    return all;
  }

  @Override
  public Evaluation evaluate(ImageSet images, Loss loss) {
    long start = System.nanoTime();
    ForwardPass.check(architecture, images);
    ops.clear(metrics);
    for (int first = 0; first < images.count(); first += batchRows) {
      int rows = Math.min(batchRows, images.count() - first);
      Buffer logits = run(images, first, rows);
      ops.evaluate(loss, rows, architecture.outputs(), logits, targets, metrics);
    }
    return Validation.read(ops, metrics, images.count(), start);
  }

  /** The logits of images {@code first} to {@code first + rows}; their classes are in targets. */
  private Buffer run(ImageSet images, int first, int rows) {
    int imageSize = architecture.inputs();
    ops.upload(images.pixels(), first * imageSize, pixels.slice(0, rows * imageSize));
    ops.upload(Arrays.copyOfRange(images.targets(), first, first + rows), labels.slice(0, rows));
    ops.gather(pixels, labels, order, 0, rows, imageSize, x, targets);
    return forward.run(x, rows);
  }

  @Override
  public void close() {
    ops.close();
  }
}
