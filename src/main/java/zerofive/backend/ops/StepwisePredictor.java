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
  private final Images batch;
  private final Buffer order;
  private final Matrix x;
  private final Buffer targets;
  private final Buffer metrics;
  private final ForwardPass forward;

  private StepwisePredictor(Ops ops, Parameters model) {
    this.ops = ops;
    this.architecture = model.architecture();
    int batchRows = ForwardPass.evaluationRows(architecture);
    int batchPixels = ForwardPass.elements(batchRows, architecture.inputs());
    Buffer parameters = ops.allocate(ElementType.F32, model.values().length);
    ops.upload(model.values(), parameters);
    // Nothing is shifted here, so the pixels of an image may stand in one line.
    batch =
        new Images(
            ops.allocate(ElementType.U8, batchPixels),
            ops.allocate(ElementType.I32, batchRows),
            1,
            architecture.inputs());
    order = ops.allocate(ElementType.I32, batchRows);
    ops.upload(Validation.ascending(batchRows), order);
    x = ForwardPass.allocate(ops, batchRows, architecture.inputs());
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
    float[] some = new float[x.rows() * outputs];
    for (int first = 0; first < images.count(); first += x.rows()) {
      Matrix logits = forward(images, first);
      ops.download(logits.values(), some);
      System.arraycopy(some, 0, all, first * outputs, logits.rows() * outputs);
    }
    return all;
  }

  @Override
  public Evaluation evaluate(ImageSet images, Loss loss) {
    long start = System.nanoTime();
    ForwardPass.check(architecture, images);
    ops.clear(metrics);
    for (int first = 0; first < images.count(); first += x.rows()) {
      ops.evaluate(loss, forward(images, first), targets, metrics);
    }
    return Validation.read(ops, metrics, images.count(), start);
  }

  /** The logits of the batch that begins at image {@code first}; its classes are in targets. */
  private Matrix forward(ImageSet images, int first) {
    int imageSize = architecture.inputs();
    int rows = Math.min(x.rows(), images.count() - first);
    ops.upload(images.pixels(), first * imageSize, batch.pixels().slice(0, rows * imageSize));
    ops.upload(
        Arrays.copyOfRange(images.targets(), first, first + rows), batch.labels().slice(0, rows));
    ops.gather(batch, new Batch(order, 0, rows), x.firstRows(rows), targets);
    return forward.run(x.firstRows(rows));
  }

  @Override
  public void close() {
    ops.close();
  }
}
