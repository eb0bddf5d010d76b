package zerofive.backend.ops;

import zerofive.backend.Evaluation;
import zerofive.backend.Scorer;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** A model's logits, batch after batch, over {@link Ops}. */
public final class StepwiseScorer implements Scorer {
  private static final int ROWS = 256;

  private final Ops ops;
  private final Architecture architecture;
  private final Buffer parameters;
  private final Buffer pixels;
  private final Buffer labels;
  private final Buffer order;
  private final Buffer x;
  private final Buffer targets;
  private final ForwardPass forward;

  /** Puts the model on the device; takes over {@code ops} and closes it. */
  public StepwiseScorer(Ops ops, Parameters model) {
    this.ops = new CheckedOps(ops);
    this.architecture = model.architecture();
    int imageSize = architecture.inputs();
    parameters = this.ops.allocate(ElementType.F32, model.values().length);
    this.ops.upload(model.values(), parameters);
    pixels = this.ops.allocate(ElementType.U8, ForwardPass.elements(ROWS, imageSize));
    labels = this.ops.allocate(ElementType.I32, ROWS);
    order = this.ops.allocate(ElementType.I32, ROWS);
    this.ops.upload(Validation.ascending(ROWS), order);
    x = this.ops.allocate(ElementType.F32, ForwardPass.elements(ROWS, imageSize));
    targets = this.ops.allocate(ElementType.I32, ROWS);
    forward = new ForwardPass(this.ops, architecture, parameters, ROWS);
  }

  @Override
  public float[] logits(ImageSet images) {
    ForwardPass.check(architecture, images);
    int imageSize = architecture.inputs();
    int outputs = architecture.outputs();
    float[] all = new float[ForwardPass.elements(images.count(), outputs)];
    float[] some = new float[ROWS * outputs];
    for (int first = 0; first < images.count(); first += ROWS) {
      int rows = Math.min(ROWS, images.count() - first);
      ops.upload(images.pixels(), first * imageSize, pixels.slice(0, rows * imageSize));
      ops.gather(pixels, labels, order, 0, rows, imageSize, x, targets);
      ops.download(forward.run(x, rows), some);
      System.arraycopy(some, 0, all, first * outputs, rows * outputs);
    }
    return all;
  }

  @Override
  public Evaluation evaluate(ImageSet images, Loss loss) {
    ForwardPass.check(architecture, images);
    return new Validation(ops, architecture, parameters, images).measure(loss);
  }

  @Override
  public void close() {
    ops.close();
  }
}
