package zerofive.backend.ops;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
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
  private final Epochs epochs;

  private final Images images;
  private final Buffer parameters;
  private final Buffer gradient;
  private final Buffer moments;
  private final Matrix x;
  private final Buffer targets;
  private final ForwardPass forward;
  private final BackwardPass backward;
  private final Validation validation;

  /**
   * The epochs of a training: their calls are the same each time, and what differs stands in
   * buffers.
   */
  public static final class Epochs {
    private final Ops ops;
    private final TrainingPlan plan;
    private final int trainCount;
    private final int stepCount;
    private final Buffer order;
    private final Buffer stepParameters;
    private final Buffer lossSums;
    private final Function<Buffer, Runnable> calls;

    /** The steps of an epoch without shifts and of one with; made when the first of these comes. */
    private Runnable epoch;

    private Runnable shiftedEpoch;

    /** [training images]; made with shiftedEpoch. */
    private Buffer shifts;

    private long steps;

    /**
     * Takes memory for them.
     *
     * @param trainCount training images
     * @param taken steps before the first of these epochs
     * @param calls makes what issues all steps of an epoch, which read {@link #order}, {@link
     *     #stepParameters} and the given shifts, or null, and write {@link #lossSums}; not called
     *     here
     */
    public Epochs(
        Ops ops, TrainingPlan plan, int trainCount, long taken, Function<Buffer, Runnable> calls) {
      this.ops = ops;
      this.plan = plan;
      this.trainCount = trainCount;
      this.calls = calls;
      stepCount = plan.stepsPerEpoch(trainCount);
      order = ops.allocate(ElementType.I32, trainCount);
      stepParameters =
          ops.allocate(ElementType.F32, ForwardPass.elements(stepCount, Ops.STEP_PARAMETERS));
      lossSums = ops.allocate(ElementType.F64, stepCount);
      steps = taken;
    }

    /** I32 [training images]. */
    public Buffer order() {
      return order;
    }

    /** F32 [stepCount, {@link Ops#STEP_PARAMETERS}]. */
    public Buffer stepParameters() {
      return stepParameters;
    }

    /** F64 [stepCount]. */
    public Buffer lossSums() {
      return lossSums;
    }

    /** Of an epoch. */
    public int stepCount() {
      return stepCount;
    }

    /** How many were taken in all. */
    public long steps() {
      return steps;
    }

    /** Trains one. */
    public EpochResult train(EpochInput input) {
      long start = System.nanoTime();
      input.check(trainCount, stepCount);
      ops.upload(input.order(), order);
      ops.upload(
          StepParameters.table(plan.optimizer(), input.learningRates(), steps), stepParameters);
      if (input.shifts() == null) {
        if (epoch == null) {
          epoch = ops.recorded(calls.apply(null));
        }
        epoch.run();
      } else {
        if (shifts == null) {
          shifts = ops.allocate(ElementType.I32, trainCount);
          shiftedEpoch = ops.recorded(calls.apply(shifts));
        }
        ops.upload(input.shifts(), shifts);
        shiftedEpoch.run();
      }
      steps += stepCount;
      double[] sums = new double[stepCount];
      ops.download(lossSums, sums);
      return EpochResult.of(sums, plan, trainCount, System.nanoTime() - start);
    }
  }

  private StepwiseSession(
      Ops ops, TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    ForwardPass.check(plan.architecture(), train);
    ForwardPass.check(plan.architecture(), valid);
    this.ops = ops;
    this.plan = plan;
    this.trainCount = train.count();
    int batchRows = plan.rows(0, trainCount);
    int parameterCount = plan.architecture().parameterCount();

    Buffer labels = ops.allocate(ElementType.I32, trainCount);
    ops.upload(train.targets(), labels);
    epochs = new Epochs(ops, plan, trainCount, start.steps(), this::steps);

    parameters = ops.allocate(ElementType.F32, parameterCount);
    ops.upload(start.parameters().values(), parameters);
    gradient = ops.allocate(ElementType.F32, parameterCount);
    moments = ops.allocate(ElementType.F32, start.moments().length);
    ops.upload(start.moments(), moments);

    x = ForwardPass.allocate(ops, batchRows, train.imageSize());
    targets = ops.allocate(ElementType.I32, batchRows);
    forward = new ForwardPass(ops, plan.architecture(), parameters, batchRows);
    backward = new BackwardPass(ops, plan.architecture(), forward, gradient, batchRows);
    validation = new Validation(ops, plan.architecture(), plan.loss(), parameters, valid);
    Buffer pixels = ops.allocate(ElementType.U8, train.pixels().length);
    ops.upload(train.pixels(), 0, pixels);
    images = new Images(pixels, labels, train.height(), train.width());
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
    return epochs.train(input);
  }

  private Runnable steps(Buffer shifts) {
    List<Batch> batches = new ArrayList<>();
    for (int step = 0; step < epochs.stepCount(); step++) {
      int first = step * x.rows();
      batches.add(new Batch(epochs.order(), shifts, first, plan.rows(step, trainCount)));
    }
    return () -> {
      ops.clear(epochs.lossSums());
      for (int step = 0; step < batches.size(); step++) {
        takeStep(batches.get(step), step);
      }
    };
  }

  private void takeStep(Batch batch, int step) {
    Matrix input = x.firstRows(batch.rows());
    ops.gather(images, batch, input, targets);
    Matrix logits = forward.run(input);
    Matrix dLogits = backward.dLogits().firstRows(batch.rows());
    ops.loss(plan.loss(), logits, targets, dLogits, epochs.lossSums(), step);
    backward.run(input);
    ops.update(plan.optimizer(), parameters, gradient, moments, epochs.stepParameters(), step);
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
    return new TrainingState(
        new Parameters(plan.architecture(), values), optimizerValues, epochs.steps());
  }

  @Override
  public void close() {
    ops.close();
  }
}
