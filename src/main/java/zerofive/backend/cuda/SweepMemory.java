package zerofive.backend.cuda;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import zerofive.backend.EpochInput;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingPlan;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.ForwardPass;
import zerofive.backend.ops.Ops;
import zerofive.backend.ops.StepParameters;

/** What a sweep has on the GPU, and its launches: kernels/exact_sweep.cu describes the buffers. */
final class SweepMemory {
  private final CudaOps ops;
  private final TrainingPlan plan;
  private final ExactModel shape;
  private final ExactModel[] models;

  /** Optimiser steps taken so far, by training. */
  private final long[] taken;

  private final SweepImages train;
  private final SweepImages valid;
  private final Buffer common;
  private final Buffer members;
  private final Buffer order;
  private final Buffer shifts;
  private final Buffer stepParameters;
  private final Buffer values;
  private final Buffer transposed;
  private final Buffer gradient;
  private final Buffer outputs;
  private final Buffer gradients;
  private final Buffer losses;
  private final Buffer lossSums;
  private final Buffer validLosses;
  private final Buffer correct;
  private final Buffer metrics;

  /** The next epoch's, before they are uploaded; no shift is 0. */
  private final int[] nextOrder;

  private final int[] nextShifts;
  private final float[] nextParameters;
  private boolean isShifted;

  /** Puts everything on the GPU that stays there. */
  SweepMemory(
      CudaOps ops,
      TrainingPlan plan,
      ExactModel shape,
      List<SweepMember> all,
      SweepTotals totals,
      SweepImages train,
      SweepImages valid) {
    this.ops = ops;
    this.plan = plan;
    this.shape = shape;
    this.train = train;
    this.valid = valid;
    train.put(ops, shape.inputs());
    valid.put(ops, shape.inputs());
    nextOrder = new int[(int) totals.places()];
    nextShifts = new int[(int) totals.places()];
    nextParameters = new float[ForwardPass.elements((int) totals.steps(), Ops.STEP_PARAMETERS)];
    int[] described = describe(all.get(0), totals);
    common = ops.allocate(ElementType.I32, described.length);
    ops.upload(described, common);
    members = ops.allocate(ElementType.I32, all.size() * SweepMember.INTS);
    order = ops.allocate(ElementType.I32, nextOrder.length);
    shifts = ops.allocate(ElementType.I32, nextShifts.length);
    stepParameters = ops.allocate(ElementType.F32, nextParameters.length);
    losses = ops.allocate(ElementType.F32, nextOrder.length);
    lossSums = ops.allocate(ElementType.F64, (int) totals.steps());
    validLosses = ops.allocate(ElementType.F32, (int) totals.validPlaces());
    correct = ops.allocate(ElementType.I32, (int) totals.validPlaces());
    metrics = ops.allocate(ElementType.F64, all.size() * Ops.METRICS);
    outputs = floats(totals.outputs(shape));
    gradients = floats(totals.outputs(shape));
    gradient = floats(totals.weightGradients(shape));
    int modelFloats = shape.values().length();
    int transposedFloats = shape.transposed().length();
    values = floats((long) all.size() * modelFloats);
    transposed = floats((long) all.size() * transposedFloats);
    models = new ExactModel[all.size()];
    taken = new long[all.size()];
    for (SweepMember one : all) {
      int slot = one.slot();
      models[slot] =
          new ExactModel(
              shape,
              values.slice(slot * modelFloats, modelFloats),
              transposed.slice(slot * transposedFloats, transposedFloats));
      models[slot].setParameters(one.start().parameters().values());
      models[slot].setMoments(one.start().moments());
      taken[slot] = one.start().steps();
    }
  }

  private Buffer floats(long length) {
    return ops.allocate(ElementType.F32, Math.toIntExact(length));
  }

  /** As the kernels' SweepPlan has it. */
  private int[] describe(SweepMember any, SweepTotals totals) {
    Optimizer optimizer = plan.optimizer();
    return new int[] {
      Kernels.code(plan.loss()),
      shape.layers(),
      any.train().height(),
      any.train().width(),
      // A batch that exceeds the data takes all.
      Math.min(plan.batchSize(), totals.rows()),
      totals.rows(),
      shape.rowFloats(),
      shape.size(),
      shape.values().length() / shape.size(),
      shape.transposed().length(),
      Kernels.code(optimizer.kind()),
      Float.floatToRawIntBits(optimizer.momentum()),
      Float.floatToRawIntBits(optimizer.weightDecay())
    };
  }

  /** Takes the next epoch's input of a training. */
  void set(SweepMember one, EpochInput input) {
    int count = one.train().count();
    input.check(count, plan.stepsPerEpoch(count));
    System.arraycopy(input.order(), 0, nextOrder, one.firstPlace(), count);
    if (input.shifts() == null) {
      Arrays.fill(nextShifts, one.firstPlace(), one.firstPlace() + count, 0);
    } else {
      System.arraycopy(input.shifts(), 0, nextShifts, one.firstPlace(), count);
      isShifted = true;
    }
    float[] table =
        StepParameters.table(plan.optimizer(), input.learningRates(), taken[one.slot()]);
    int at = one.firstStep() * Ops.STEP_PARAMETERS;
    System.arraycopy(table, 0, nextParameters, at, table.length);
    taken[one.slot()] += input.learningRates().length;
  }

  /**
   * Trains an epoch by the inputs that were set.
   *
   * @param steps of the longest epoch
   * @param atOnce steps in a launch
   * @return [steps of all trainings], the sums of their losses; of others what they had
   */
  double[] train(List<SweepMember> active, int steps, int atOnce) {
    ops.upload(nextOrder, order);
    ops.upload(nextParameters, stepParameters);
    if (isShifted) {
      ops.upload(nextShifts, shifts);
    }
    describe(active, SweepMember::trained);
    for (int first = 0; first < steps; first += atOnce) {
      KernelLauncher call = ops.beginLaunch().add(first).add(Math.min(atOnce, steps - first));
      describe(call, train)
          .add(CudaBuffer.address(order))
          .add(isShifted ? CudaBuffer.address(shifts) : 0)
          .add(CudaBuffer.address(stepParameters))
          .add(CudaBuffer.address(values));
      if (!shape.isLinear()) {
        call.add(CudaBuffer.address(transposed));
      }
      call.add(CudaBuffer.address(gradient));
      if (!shape.isLinear()) {
        call.add(CudaBuffer.address(outputs));
      }
      call.add(CudaBuffer.address(gradients))
          .add(CudaBuffer.address(losses))
          .add(CudaBuffer.address(lossSums))
          .launch(
              shape.isLinear() ? Kernels.EXACT_LINEAR_SWEEP : Kernels.EXACT_SWEEP, active.size());
    }
    isShifted = false;
    double[] sums = new double[lossSums.length()];
    ops.download(lossSums, sums);
    return sums;
  }

  /**
   * Measures the present weights.
   *
   * @param images of the largest validation set
   * @param atOnce images in a launch
   * @return [trainings, METRICS]; of those that are not active what they had
   */
  double[] measure(List<SweepMember> active, int images, int atOnce) {
    describe(active, SweepMember::measured);
    for (int first = 0; first < images; first += atOnce) {
      KernelLauncher call = ops.beginLaunch().add(first).add(Math.min(atOnce, images - first));
      describe(call, valid).add(CudaBuffer.address(values));
      if (!shape.isLinear()) {
        call.add(CudaBuffer.address(outputs));
      }
      call.add(CudaBuffer.address(validLosses))
          .add(CudaBuffer.address(correct))
          .add(CudaBuffer.address(metrics))
          .launch(
              shape.isLinear() ? Kernels.EXACT_LINEAR_SWEEP_MEASURE : Kernels.EXACT_SWEEP_MEASURE,
              active.size());
    }
    double[] sums = new double[metrics.length()];
    ops.download(metrics, sums);
    return sums;
  }

  /** Which trainings the next launches are for, a block each. */
  private void describe(List<SweepMember> active, Function<SweepMember, int[]> what) {
    int[] descriptions = active.stream().map(what).flatMapToInt(Arrays::stream).toArray();
    ops.upload(descriptions, members.slice(0, descriptions.length));
  }

  private KernelLauncher describe(KernelLauncher call, SweepImages images) {
    return call.add(CudaBuffer.address(common))
        .add(CudaBuffer.address(shape.layout()))
        .add(CudaBuffer.address(members))
        .add(CudaBuffer.address(images.pixels()))
        .add(CudaBuffer.address(images.labels()));
  }

  /** The values of a training in the order of the model file, [kinds, parameters]. */
  float[] download(int slot, int parameters) {
    return models[slot].download(parameters);
  }
}
