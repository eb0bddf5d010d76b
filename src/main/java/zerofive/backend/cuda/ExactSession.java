package zerofive.backend.cuda;

import java.util.Arrays;
import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.ForwardPass;
import zerofive.backend.ops.Ops;
import zerofive.backend.ops.StepwiseSession.Epochs;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/**
 * A training with the bits of the CPU's: every sum in the order of docs/determinism.md. A step is
 * two kernels: one runs the batch forward and backward and reads all weights, the other sums the
 * gradients and writes the weights. A batch whose outputs would take too much memory comes in
 * several blocks, with two kernels each and the gradients in memory.
 */
final class ExactSession implements TrainingSession {
  /** Images whose gradients of the first layer's weights are summed together. */
  private static final int BLOCK_ROWS = 256;

  /** Floats of outputs that are kept at once, and as many of gradients: 256 MiB each. */
  private static final long KEPT_FLOATS = 1L << 26;

  /** As kernels/exact_update.cu has them. */
  private static final int WARPS = 8;

  private static final int PANEL = 32;

  private final CudaOps ops;
  private final TrainingPlan plan;
  private final int trainCount;
  private final Epochs epochs;
  private final int blockRows;
  private final ExactModel model;
  private final ExactPass train;
  private final ExactPass valid;
  private final int validCount;
  private final Buffer gradient;
  private final Buffer metrics;
  private final Runnable measuring;

  private ExactSession(
      CudaOps ops,
      TrainingPlan plan,
      ImageSet train,
      ImageSet valid,
      TrainingState start,
      int mostRows) {
    ForwardPass.check(plan.architecture(), train);
    ForwardPass.check(plan.architecture(), valid);
    this.ops = ops;
    this.plan = plan;
    trainCount = train.count();
    validCount = valid.count();
    model = new ExactModel(ops, plan.architecture(), plan.optimizer().momentCount());
    model.setParameters(start.parameters().values());
    model.setMoments(start.moments());
    int batchRows = plan.rows(0, trainCount);
    blockRows = Math.min(batchRows, mostRows > 0 ? mostRows : rowsAtOnce(model.rowFloats()));
    gradient = ops.allocate(ElementType.F32, batchRows > BLOCK_ROWS ? model.size() : 1);
    epochs = new Epochs(ops, plan, trainCount, start.steps(), moved -> () -> takeSteps(moved));
    metrics = ops.allocate(ElementType.F64, Ops.METRICS);
    this.valid = ExactPass.measuring(ops, model, valid, valid.count());
    this.train = ExactPass.training(ops, model, train, blockRows);
    measuring = ops.recorded(() -> this.valid.measure(plan.loss(), metrics));
  }

  /** Whole blocks. */
  private static int rowsAtOnce(int rowFloats) {
    long blocks = KEPT_FLOATS / rowFloats / BLOCK_ROWS;
    return (int) Math.min(Integer.MAX_VALUE / BLOCK_ROWS, Math.max(1, blocks)) * BLOCK_ROWS;
  }

  /**
   * Puts data and start on the GPU; takes over {@code ops} and closes it, also where this fails.
   *
   * @throws zerofive.backend.DeviceException where the GPU's memory is too small
   */
  static ExactSession open(
      CudaOps ops, TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    return open(ops, plan, train, valid, start, 0);
  }

  /**
   * The same with fewer rows of a batch at once.
   *
   * @param mostRows a multiple of 256; 0 for as many as the memory set aside for them holds
   */
  static ExactSession open(
      CudaOps ops,
      TrainingPlan plan,
      ImageSet train,
      ImageSet valid,
      TrainingState start,
      int mostRows) {
    try {
      return new ExactSession(ops, plan, train, valid, start, mostRows);
    } catch (RuntimeException | Error e) {
      ops.close();
      throw e;
    }
  }

  @Override
  public EpochResult trainEpoch(EpochInput input) {
    return epochs.train(input);
  }

  /** The same launches every epoch: what differs stands in the buffers of epochs. */
  private void takeSteps(Buffer moved) {
    for (int step = 0; step < epochs.stepCount(); step++) {
      int first = step * plan.batchSize();
      int batchRows = plan.rows(step, trainCount);
      for (int at = 0; at < batchRows; at += blockRows) {
        int rows = Math.min(blockRows, batchRows - at);
        train.train(plan.loss(), epochs.order(), moved, first + at, rows, batchRows);
        update(moved, first + at, rows, at == 0, at + rows == batchRows, step);
      }
    }
    train.addLosses(epochs.stepCount(), plan.batchSize(), epochs.lossSums());
  }

  private void update(Buffer moved, int first, int rows, boolean begins, boolean ends, int step) {
    Optimizer optimizer = plan.optimizer();
    KernelLauncher call = ops.beginLaunch();
    if (!model.isLinear()) {
      call.add(model.layers());
    }
    call.add(CudaBuffer.address(model.layout())).add(CudaBuffer.address(model.values()));
    if (!model.isLinear()) {
      call.add(CudaBuffer.address(model.transposed()));
    }
    call.add(CudaBuffer.address(gradient))
        .add(model.size())
        .add(CudaBuffer.address(train.images().pixels()))
        .add(CudaBuffer.address(epochs.order()))
        .add(CudaBuffer.addressOrNull(moved))
        .add(train.images().height())
        .add(train.images().width())
        .add(first)
        .add(rows)
        .add(begins ? 1 : 0)
        .add(ends ? 1 : 0);
    if (!model.isLinear()) {
      call.add(CudaBuffer.address(train.outputs()));
    }
    call.add(CudaBuffer.address(train.gradients()))
        .add(model.rowFloats())
        .add(Kernels.code(optimizer.kind()))
        .add(optimizer.momentum())
        .add(optimizer.weightDecay())
        .add(CudaBuffer.address(epochs.stepParameters()))
        .add(step)
        .launch(
            model.isLinear() ? Kernels.EXACT_LINEAR_UPDATE : Kernels.EXACT_UPDATE, updateBlocks());
  }

  /** The blocks of the pixels, of the other layers' weights and of the biases. */
  private long updateBlocks() {
    if (model.isLinear()) {
      return over(model.inputs(), PANEL) + 1;
    }
    long blocks = over(model.inputs(), WARPS);
    for (int l = 1; l < model.layers(); l++) {
      blocks += over(model.inputs(l), PANEL) * over(model.outputs(l), PANEL);
    }
    for (int l = 0; l < model.layers(); l++) {
      blocks += over(model.outputs(l), PANEL);
    }
    return blocks;
  }

  private static long over(long count, int unit) {
    return (count + unit - 1) / unit;
  }

  @Override
  public Evaluation evaluate() {
    long start = System.nanoTime();
    measuring.run();
    return read(ops, metrics, validCount, start);
  }

  /** What measuring {@code count} images since {@code start} wrote. */
  static Evaluation read(CudaOps ops, Buffer metrics, int count, long start) {
    double[] sums = new double[Ops.METRICS];
    ops.download(metrics, sums);
    return new Evaluation(
        sums[Ops.LOSS_SUM] / count, (int) sums[Ops.CORRECT], count, System.nanoTime() - start);
  }

  @Override
  public float[] logits() {
    measuring.run();
    float[] logits = new float[valid.logits().length()];
    ops.download(valid.logits(), logits);
    return logits;
  }

  @Override
  public void setParameters(Parameters values) {
    ForwardPass.check(plan.architecture(), values);
    model.setParameters(values.values());
  }

  @Override
  public TrainingState state() {
    int parameters = plan.architecture().parameterCount();
    float[] all = model.download(parameters);
    float[] values = Arrays.copyOf(all, parameters);
    float[] moments = Arrays.copyOfRange(all, parameters, all.length);
    return new TrainingState(new Parameters(plan.architecture(), values), moments, epochs.steps());
  }

  @Override
  public void close() {
    ops.close();
  }
}
