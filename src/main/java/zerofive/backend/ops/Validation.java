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
  private final int batchRows;
  private final int imageSize;
  private final int outputs;
  private final Buffer pixels;
  private final Buffer labels;
  private final Buffer order;
  private final Buffer x;
  private final Buffer targets;
  private final Buffer metrics;
  private final ForwardPass forward;
  private final Runnable everyBatch;

  /** Uploads the images; {@code parameters} are read anew at each measuring. */
  Validation(Ops ops, Architecture architecture, Loss loss, Buffer parameters, ImageSet images) {
    this.ops = ops;
    this.loss = loss;
    count = images.count();
    imageSize = images.imageSize();
    outputs = architecture.outputs();
    batchRows = Math.min(ForwardPass.evaluationRows(imageSize), count);
    labels = ops.allocate(ElementType.I32, count);
    ops.upload(images.targets(), labels);
    order = ops.allocate(ElementType.I32, count);
    ops.upload(ascending(count), order);
    x = ops.allocate(ElementType.F32, ForwardPass.elements(batchRows, imageSize));
    targets = ops.allocate(ElementType.I32, batchRows);
    metrics = ops.allocate(ElementType.F64, Ops.METRICS);
    forward = new ForwardPass(ops, architecture, parameters, batchRows);
    pixels = ops.allocate(ElementType.U8, images.pixels().length);
    ops.upload(images.pixels(), 0, pixels);
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
    for (int first = 0; first < count; first += batchRows) {
      int rows = Math.min(batchRows, count - first);
      ops.gather(pixels, labels, order, first, rows, imageSize, x, targets);
      ops.evaluate(loss, rows, outputs, forward.run(x, rows), targets, metrics);
    }
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
