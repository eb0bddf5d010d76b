package zerofive.backend.ops;

import java.util.List;
import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/**
 * The textbook training loop: for each batch gather, forward, loss, backward, update. It is written
 * once, over {@link Ops}; whatever trains faster is tested against it.
 */
public final class StepwiseSession implements TrainingSession {
  private final Ops ops;
  private final TrainingPlan plan;
  private final int trainCount;
  private final int imageSize;
  private final int height;
  private final int width;
  private final int batchRows;

  private final Buffer trainPixels;
  private final Buffer trainLabels;
  private final Buffer order;
  private final Buffer stepParameters;
  private final Buffer parameters;
  private final Buffer gradient;
  private final Buffer moments;
  private final Buffer x;
  private final Buffer targets;
  private final Buffer metrics;
  private final ForwardPass forward;
  private final BackwardPass backward;
  private final Validation validation;
  private final Runnable everyStep;
  private final Runnable everyShiftedStep;

  /** [training images]; made when the first epoch comes that shifts them. */
  private Buffer shifts;

  private long steps;

  private StepwiseSession(
      Ops ops, TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    ForwardPass.check(plan.architecture(), train);
    ForwardPass.check(plan.architecture(), valid);
    this.ops = ops;
    this.plan = plan;
    this.trainCount = train.count();
    this.imageSize = train.imageSize();
    this.height = train.height();
    this.width = train.width();
    this.batchRows = Math.min(plan.batchSize(), trainCount);
    int parameterCount = plan.architecture().parameterCount();

    trainLabels = ops.allocate(ElementType.I32, trainCount);
    ops.upload(train.targets(), trainLabels);
    order = ops.allocate(ElementType.I32, trainCount);
    stepParameters =
        ops.allocate(
            ElementType.F32,
            ForwardPass.elements(plan.stepsPerEpoch(trainCount), Ops.STEP_PARAMETERS));

    parameters = ops.allocate(ElementType.F32, parameterCount);
    ops.upload(start.parameters().values(), parameters);
    gradient = ops.allocate(ElementType.F32, parameterCount);
    moments = ops.allocate(ElementType.F32, start.moments().length);
    ops.upload(start.moments(), moments);
    steps = start.steps();

    x = ops.allocate(ElementType.F32, ForwardPass.elements(batchRows, imageSize));
    targets = ops.allocate(ElementType.I32, batchRows);
    metrics = ops.allocate(ElementType.F64, Ops.METRICS);
    forward = new ForwardPass(ops, plan.architecture(), parameters, batchRows);
    backward = new BackwardPass(ops, plan.architecture(), forward, gradient, batchRows);
    validation = new Validation(ops, plan.architecture(), plan.loss(), parameters, valid);
    trainPixels = ops.allocate(ElementType.U8, train.pixels().length);
    ops.upload(train.pixels(), 0, trainPixels);
    everyStep = ops.recorded(() -> takeEveryStep(false));
    everyShiftedStep = ops.recorded(() -> takeEveryStep(true));
  }

  /**
   * Puts data and start on the device; takes over {@code ops} and closes it, also where this fails.
   *
   * @param ops an implementation; its arguments are checked here on
   * @throws zerofive.backend.DeviceException where the device's memory is too small
   */
  public static StepwiseSession open(
      Ops ops, TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    try {
      return new StepwiseSession(new CheckedOps(ops), plan, train, valid, start);
    } catch (RuntimeException | Error e) {
      ops.close();
      throw e;
    }
  }

  @Override
  public EpochResult trainEpoch(EpochInput input) {
    long start = System.nanoTime();
    input.check(trainCount, plan.stepsPerEpoch(trainCount));
    ops.upload(input.order(), order);
    ops.upload(
        StepParameters.table(plan.optimizer(), input.learningRates(), steps), stepParameters);
    if (input.shifts() == null) {
      everyStep.run();
    } else {
      shifts = shifts == null ? ops.allocate(ElementType.I32, trainCount) : shifts;
      ops.upload(input.shifts(), shifts);
      everyShiftedStep.run();
    }
    steps += input.learningRates().length;
    double[] sums = new double[Ops.METRICS];
    ops.download(metrics, sums);
    return new EpochResult(sums[Ops.LOSS_SUM] / trainCount, System.nanoTime() - start);
  }

  /**
   * One epoch's ops, the same every epoch: what differs stands in order, stepParameters and shifts.
   */
  private void takeEveryStep(boolean shifted) {
    ops.clear(metrics);
    for (int step = 0; step < plan.stepsPerEpoch(trainCount); step++) {
      int first = step * batchRows;
      int rows = Math.min(batchRows, trainCount - first);
      if (shifted) {
        ops.gatherShifted(
            trainPixels, trainLabels, order, shifts, first, rows, height, width, x, targets);
      } else {
        ops.gather(trainPixels, trainLabels, order, first, rows, imageSize, x, targets);
      }
      Buffer logits = forward.run(x, rows);
      ops.loss(
          plan.loss(),
          rows,
          plan.architecture().outputs(),
          logits,
          targets,
          backward.dLogits(),
          metrics);
      backward.run(x, rows);
      ops.update(plan.optimizer(), parameters, gradient, moments, stepParameters, step);
    }
  }

  @Override
  public Evaluation evaluate() {
    return validation.measure();
  }

  @Override
  public TrainingState state() {
    float[] values = new float[parameters.length()];
    ops.download(parameters, values);
    float[] optimizerValues = new float[moments.length()];
    ops.download(moments, optimizerValues);
    return new TrainingState(new Parameters(plan.architecture(), values), optimizerValues, steps);
  }

  @Override
  public List<String> notes() {
    return ops.notes();
  }

  @Override
  public void close() {
    ops.close();
  }
}
