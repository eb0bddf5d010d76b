package zerofive.backend.ops;

import zerofive.backend.Evaluation;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Loss;

/** A validation set on the device, with buffers of its own: training never sees it measured. */
final class Validation {
  private final Ops ops;
  private final Loss loss;
  private final int count;
  private final int outputs;
  private final Images images;
  private final Buffer order;
  private final Matrix x;
  private final Buffer targets;
  private final Buffer metrics;
  private final ForwardPass forward;
  private final Runnable everyBatch;

  /** Uploads the images; {@code parameters} are read anew at each measuring. */
  Validation(Ops ops, Architecture architecture, Loss loss, Buffer parameters, ImageSet valid) {
    this.ops = ops;
    this.loss = loss;
    count = valid.count();
    outputs = architecture.outputs();
    int batchRows = Math.min(ForwardPass.evaluationRows(architecture), count);
    Buffer labels = ops.allocate(ElementType.I32, count);
    ops.upload(valid.targets(), labels);
    order = ops.allocate(ElementType.I32, count);
    ops.upload(ascending(count), order);
    x = ForwardPass.allocate(ops, batchRows, valid.imageSize());
    targets = ops.allocate(ElementType.I32, batchRows);
    metrics = ops.allocate(ElementType.F64, Ops.METRICS);
    forward = new ForwardPass(ops, architecture, parameters, batchRows);
    Buffer pixels = ops.allocate(ElementType.U8, valid.pixels().length);
    ops.upload(valid.pixels(), 0, pixels);
    images = new Images(pixels, labels, valid.height(), valid.width());
    everyBatch = ops.recorded(this::measureEveryBatch);
  }

  /** Loss and count of right predictions over all images. */
  Evaluation measure() {
    long start = System.nanoTime();
    everyBatch.run();
    return read(ops, metrics, count, start);
  }

  private void measureEveryBatch() {
    ops.clear(metrics);
    for (int first = 0; first < count; first += x.rows()) {
      ops.evaluate(loss, forward(first), targets, metrics);
    }
  }

  /** The logits of all images, [count, outputs]. */
  float[] logits() {
    float[] all = new float[ForwardPass.elements(count, outputs)];
    float[] some = new float[x.rows() * outputs];
    for (int first = 0; first < count; first += x.rows()) {
      Matrix logits = forward(first);
      ops.download(logits.values(), some);
      System.arraycopy(some, 0, all, first * outputs, logits.rows() * outputs);
    }
    return all;
  }

  /** The logits of the batch that begins at image {@code first}; its classes are in targets. */
  private Matrix forward(int first) {
    Matrix input = x.firstRows(Math.min(x.rows(), count - first));
    ops.gather(images, new Batch(order, first, input.rows()), input, targets);
    return forward.run(input);
  }

  /** What a metrics buffer gathered over {@code count} images since {@code start}. */
  static Evaluation read(Ops ops, Buffer metrics, int count, long start) {
    double[] sums = new double[Ops.METRICS];
    ops.download(metrics, sums);
    return new Evaluation(
        sums[Ops.LOSS_SUM] / count, (int) sums[Ops.CORRECT], count, System.nanoTime() - start);
  }

  /** 0, 1, 2, ...: the order of the file. */
  static int[] ascending(int count) {
    int[] indices = new int[count];
    for (int i = 0; i < count; i++) {
      indices[i] = i;
    }
    return indices;
  }
}
