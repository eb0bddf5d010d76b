package zerofive.backend.cpu;

import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.ops.ForwardPass;
import zerofive.backend.ops.Ops;
import zerofive.backend.ops.StepParameters;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/** A training that is one native call an epoch (native/session.cpp). */
final class CpuSession implements TrainingSession {
  private final NativeSession session;
  private final TrainingPlan plan;
  private final int trainCount;
  private final int stepCount;
  private final int validCount;
  private final int height;
  private final int width;
  private final long order;
  private final long stepParameters;
  private final long lossSums;

  /** [training images]; 0 until the first epoch comes that shifts them. */
  private long shifts;

  private long steps;

  private CpuSession(
      NativeSession session,
      Form form,
      TrainingPlan plan,
      ImageSet train,
      ImageSet valid,
      TrainingState start) {
    this.session = session;
    this.plan = plan;
    trainCount = train.count();
    stepCount = plan.stepsPerEpoch(trainCount);
    validCount = valid.count();
    height = train.height();
    width = train.width();
    session.setTrain(train, form);
    session.setValid(valid, 0, validCount);
    session.setParameters(start.parameters());
    int parameters = start.parameters().values().length;
    for (int kind = 1; kind <= plan.optimizer().momentCount(); kind++) {
      Native.setValues(session.address(), kind, start.moments(), (kind - 1L) * parameters);
    }
    steps = start.steps();
    order = session.memory().allocate((long) trainCount * Integer.BYTES);
    stepParameters =
        session.memory().allocate((long) stepCount * Ops.STEP_PARAMETERS * Float.BYTES);
    lossSums = session.memory().allocate((long) stepCount * Double.BYTES);
  }

  /** Puts data and start into native memory. */
  static CpuSession open(
      int threads,
      Form form,
      TrainingPlan plan,
      ImageSet train,
      ImageSet valid,
      TrainingState start) {
    ForwardPass.check(plan.architecture(), train);
    ForwardPass.check(plan.architecture(), valid);
    NativeSession session =
        NativeSession.create(
            threads, plan.architecture(), plan.loss(), plan.optimizer(), plan.batchSize());
    try {
      return new CpuSession(session, form, plan, train, valid, start);
    } catch (RuntimeException | Error e) {
      session.close();
      throw e;
    }
  }

  @Override
  public EpochResult trainEpoch(EpochInput input) {
    long start = System.nanoTime();
    long address = session.address();
    input.check(trainCount, stepCount);
    float[] table = StepParameters.table(plan.optimizer(), input.learningRates(), steps);
    Native.copyIn(order, input.order(), 0, (long) trainCount * Integer.BYTES);
    Native.copyIn(stepParameters, table, 0, (long) table.length * Float.BYTES);
    session.setShifts(copiedIn(input.shifts()), height, width);
    Native.trainEpoch(address, order, stepParameters, lossSums);
    steps += stepCount;
    double[] sums = new double[stepCount];
    Native.copyOut(lossSums, sums, (long) stepCount * Double.BYTES);
    return EpochResult.of(sums, plan, trainCount, System.nanoTime() - start);
  }

  /** Where the shifts are in native memory; 0 where there are none. */
  private long copiedIn(int[] values) {
    if (values == null) {
      return 0;
    }
    long size = (long) trainCount * Integer.BYTES;
    shifts = shifts == 0 ? session.memory().allocate(size) : shifts;
    Native.copyIn(shifts, values, 0, size);
    return shifts;
  }

  @Override
  public Evaluation evaluate() {
    long start = System.nanoTime();
    session.clearMetrics();
    session.measure();
    return session.measured(validCount, start);
  }

  @Override
  public float[] logits() {
    float[] logits = new float[ForwardPass.elements(validCount, plan.architecture().outputs())];
    session.measure();
    Native.getLogits(session.address(), logits, 0);
    return logits;
  }

  @Override
  public void setParameters(Parameters model) {
    ForwardPass.check(plan.architecture(), model);
    session.setParameters(model);
  }

  @Override
  public TrainingState state() {
    int parameters = plan.architecture().parameterCount();
    float[] values = new float[parameters];
    Native.getValues(session.address(), 0, values, 0);
    float[] moments = new float[plan.optimizer().momentCount() * parameters];
    for (int kind = 1; kind <= plan.optimizer().momentCount(); kind++) {
      Native.getValues(session.address(), kind, moments, (kind - 1L) * parameters);
    }
    return new TrainingState(new Parameters(plan.architecture(), values), moments, steps);
  }

  @Override
  public void close() {
    session.close();
  }
}
