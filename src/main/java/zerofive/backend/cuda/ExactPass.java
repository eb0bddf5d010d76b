package zerofive.backend.cuda;

import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.ForwardPass;
import zerofive.backend.ops.Images;
import zerofive.data.ImageSet;
import zerofive.model.Loss;

/** A set of images in the GPU's memory, and the exact engine's forward pass over it. */
final class ExactPass {
  /** Threads of a block that computes images, as kernels/exact_forward.cu has it. */
  private static final int IMAGE_THREADS = 128;

  /** Images of such a block for a linear model with one logit. */
  private static final int LINEAR_ROWS = 8;

  /** Threads of a block that adds losses: a warp. */
  private static final int WARP = 32;

  /** Blocks that measure at most; each keeps the outputs of one image. */
  private static final int MEASURING_BLOCKS = 1024;

  private final CudaOps ops;
  private final ExactModel model;
  private final ImageSet set;
  private final int count;

  /** So many images of the set are on the GPU at a time: all of them but for a prediction. */
  private final int held;

  private final Images images;
  private final Buffer losses;
  private final Buffer outputs;

  /** The gradients at each image's outputs; null where they are not computed. */
  private final Buffer gradients;

  private final Buffer logits;
  private final Buffer correct;

  private ExactPass(
      CudaOps ops, ExactModel model, ImageSet set, int held, int rows, boolean isTraining) {
    this.ops = ops;
    this.model = model;
    this.set = set;
    this.held = held;
    count = set.count();
    int rowFloats = ForwardPass.elements(rows, model.rowFloats());
    Buffer labels = ops.allocate(ElementType.I32, count);
    ops.upload(set.targets(), labels);
    losses = ops.allocate(ElementType.F32, count);
    outputs = ops.allocate(ElementType.F32, rowFloats);
    gradients = isTraining ? ops.allocate(ElementType.F32, rowFloats) : null;
    logits =
        isTraining
            ? null
            : ops.allocate(ElementType.F32, ForwardPass.elements(count, model.outputs()));
    correct = isTraining ? null : ops.allocate(ElementType.I32, count);
    Buffer pixels = ops.allocate(ElementType.U8, held * set.imageSize());
    images = new Images(pixels, labels, set.height(), set.width());
    if (held == count) {
      ops.upload(set.pixels(), 0, pixels);
    }
  }

  /** For training, {@code rows} images at a time. */
  static ExactPass training(CudaOps ops, ExactModel model, ImageSet set, int rows) {
    return new ExactPass(ops, model, set, set.count(), rows, true);
  }

  /**
   * For measuring, with {@code held} images on the GPU at a time; where these are not all of them,
   * a measuring cannot be recorded.
   */
  static ExactPass measuring(CudaOps ops, ExactModel model, ImageSet set, int held) {
    int rows = model.isLinear() ? 1 : Math.min(MEASURING_BLOCKS, held);
    return new ExactPass(ops, model, set, held, rows, false);
  }

  Images images() {
    return images;
  }

  /** F32 [rows, model.rowFloats()], what each layer put out. */
  Buffer outputs() {
    return outputs;
  }

  /** F32 [rows, model.rowFloats()], the gradients at these. */
  Buffer gradients() {
    return gradients;
  }

  /** F32 [images, outputs]. */
  Buffer logits() {
    return logits;
  }

  /** Runs some places of an epoch forward and backward; the gradients are of a batch's mean. */
  void train(Loss loss, Buffer order, Buffer shifts, int first, int rows, int batchRows) {
    long blocks = model.isLinear() ? linearBlocks(rows) : rows;
    launch(true, loss, order, shifts, 0, first, rows, batchRows, blocks);
  }

  /** Runs all images: their logits, and metrics F64 [2], the sum of losses and the right ones. */
  void measure(Loss loss, Buffer metrics) {
    for (int from = 0; from < count; from += held) {
      int rows = Math.min(held, count - from);
      if (held < count) {
        int size = set.imageSize();
        ops.upload(set.pixels(), from * size, images.pixels().slice(0, rows * size));
      }
      long blocks = model.isLinear() ? linearBlocks(rows) : Math.min(MEASURING_BLOCKS, rows);
      launch(false, loss, null, null, from, 0, rows, rows, blocks);
    }
    addLosses(1, count, metrics);
  }

  private static long linearBlocks(int rows) {
    return (rows + LINEAR_ROWS - 1L) / LINEAR_ROWS;
  }

  /** {@code from} is the number of the first image that is on the GPU. */
  private void launch(
      boolean isTraining,
      Loss loss,
      Buffer order,
      Buffer shifts,
      int from,
      int first,
      int rows,
      int batchRows,
      long blocks) {
    int some = count - from;
    int width = model.outputs();
    KernelLauncher call = ops.beginLaunch().add(isTraining ? 1 : 0).add(Kernels.code(loss));
    if (!model.isLinear()) {
      call.add(model.layers());
    }
    call.add(CudaBuffer.address(model.layout())).add(CudaBuffer.address(model.values()));
    if (!model.isLinear()) {
      call.add(CudaBuffer.address(model.transposed()));
    }
    call.add(CudaBuffer.address(images.pixels()))
        .add(CudaBuffer.address(images.labels().slice(from, some)))
        .add(CudaBuffer.addressOrNull(order))
        .add(CudaBuffer.addressOrNull(shifts))
        .add(images.height())
        .add(images.width())
        .add(first)
        .add(rows)
        .add(batchRows)
        .add(model.rowFloats());
    if (!model.isLinear()) {
      call.add(CudaBuffer.address(outputs));
    }
    call.add(CudaBuffer.addressOrNull(gradients))
        .add(CudaBuffer.address(losses.slice(from, some)))
        .add(isTraining ? 0L : CudaBuffer.address(logits.slice(from * width, some * width)))
        .add(isTraining ? 0L : CudaBuffer.address(correct.slice(from, some)))
        .launch(
            model.isLinear()
                ? Kernels.EXACT_LINEAR_FORWARD_BACKWARD
                : Kernels.EXACT_FORWARD_BACKWARD,
            blocks,
            1,
            IMAGE_THREADS);
  }

  /** The losses of steps over {@code batch} images each, in the order of their places. */
  void addLosses(int steps, int batch, Buffer sums) {
    ops.beginLaunch()
        .add(CudaBuffer.address(losses))
        .add(CudaBuffer.addressOrNull(correct))
        .add(batch)
        .add(count)
        .add(CudaBuffer.address(sums))
        .launch(Kernels.EXACT_LOSS_SUMS, steps, 1, WARP);
  }
}
