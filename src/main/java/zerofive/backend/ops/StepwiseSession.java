package zerofive.backend.ops;

import java.util.ArrayList;
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
  private final int stepCount;

  private final Images images;
  private final Buffer order;
  private final Buffer stepParameters;
  private final Buffer parameters;
  private final Buffer gradient;
  private final Buffer moments;
  private final Matrix x;
  private final Buffer targets;
  private final Buffer lossSums;
  private final ForwardPass forward;
  private final BackwardPass backward;
  private final Validation validation;
  private final Runnable epoch;

  /** [training images], and the steps that read it; made when the first epoch shifts images. */
  private Buffer shifts;

  private Runnable shiftedEpoch;
  private long steps;

  private StepwiseSession(
      Ops ops, TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    ForwardPass.check(plan.architecture(), train);
    ForwardPass.check(plan.architecture(), valid);
    this.ops = ops;
    this.plan = plan;
    this.trainCount = train.count();
    this.stepCount = plan.stepsPerEpoch(trainCount);
    int batchRows = plan.rows(0, trainCount);
    int parameterCount = plan.architecture().parameterCount();

    Buffer labels = ops.allocate(ElementType.I32, trainCount);
    ops.upload(train.targets(), labels);
    order = ops.allocate(ElementType.I32, trainCount);
    stepParameters =
        ops.allocate(ElementType.F32, ForwardPass.elements(stepCount, Ops.STEP_PARAMETERS));

    parameters = ops.allocate(ElementType.F32, parameterCount);
    ops.upload(start.parameters().values(), parameters);
    gradient = ops.allocate(ElementType.F32, parameterCount);
    moments = ops.allocate(ElementType.F32, start.moments().length);
    ops.upload(start.moments(), moments);
    steps = start.steps();

    x = ForwardPass.allocate(ops, batchRows, train.imageSize());
    targets = ops.allocate(ElementType.I32, batchRows);
    lossSums = ops.allocate(ElementType.F64, stepCount);
    forward = new ForwardPass(ops, plan.architecture(), parameters, batchRows);
    backward = new BackwardPass(ops, plan.architecture(), forward, gradient, batchRows);
    validation = new Validation(ops, plan.architecture(), plan.loss(), parameters, valid);
    Buffer pixels = ops.allocate(ElementType.U8, train.pixels().length);
    ops.upload(train.pixels(), 0, pixels);
    images = new Images(pixels, labels, train.height(), train.width());
    epoch = recordEpoch(null);
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
    input.check(trainCount, stepCount);
    ops.upload(input.order(), order);
    ops.upload(
        StepParameters.table(plan.optimizer(), input.learningRates(), steps), stepParameters);
    if (input.shifts() == null) {
      epoch.run();
    } else {
      if (shifts == null) {
        shifts = ops.allocate(ElementType.I32, trainCount);
        shiftedEpoch = recordEpoch(shifts);
      }
      ops.upload(input.shifts(), shifts);
      shiftedEpoch.run();
    }
    steps += stepCount;
    double[] sums = new double[stepCount];
    ops.download(lossSums, sums);
    return EpochResult.of(sums, plan, trainCount, System.nanoTime() - start);
  }

  /**
   * One epoch's ops, the same every epoch: what differs stands in order, stepParameters and shifts.
   */
  private Runnable recordEpoch(Buffer shifts) {
    List<Batch> batches = new ArrayList<>();
    for (int step = 0; step < stepCount; step++) {
      batches.add(new Batch(order, shifts, step * x.rows(), plan.rows(step, trainCount)));
    }
    return ops.recorded(
        () -> {
          ops.clear(lossSums);
          for (int step = 0; step < stepCount; step++) {
            takeStep(batches.get(step), step);
          }
        });
  }

  private void takeStep(Batch batch, int step) {
    Matrix input = x.firstRows(batch.rows());
    ops.gather(images, batch, input, targets);
    Matrix logits = forward.run(input);
    Matrix dLogits = backward.dLogits().firstRows(batch.rows());
    ops.loss(plan.loss(), logits, targets, dLogits, lossSums, step);
    backward.run(input);
    ops.update(plan.optimizer(), parameters, gradient, moments, stepParameters, step);
  }

  @Override
  public Evaluation evaluate() {
    return validation.measure();
  }

  @Override
  public float[] logits() {
    return validation.logits();
  }

  @Override
  public void setParameters(Parameters model) {
    ForwardPass.check(plan.architecture(), model);
    ops.upload(model.values(), parameters);
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
  public void close() {
    ops.close();
  }
}
