package zerofive.backend.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import zerofive.backend.Backend;
import zerofive.backend.DeviceException;
import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingState;
import zerofive.backend.ops.ForwardPass;
import zerofive.backend.ops.Ops;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/**
 * Trainings side by side, a block of the GPU each, with the bits of the CPU's
 * (kernels/exact_sweep.cu).
 */
final class ExactSweep implements Backend.Sweep {
  /** As many as the launch bound of exact_sweep in kernels/exact_sweep.cu. */
  private static final int BLOCKS_A_MULTIPROCESSOR = 2;

  /** Multiply-adds of a block in a launch, which then takes some tenths of a second at most. */
  private static final long LAUNCH_WORK = 1L << 31;

  private final CudaOps ops;
  private final TrainingPlan plan;
  private final Limits limits;
  private final ExactModel shape;
  private final List<SweepMember> members = new ArrayList<>();
  private final SweepImages trainImages = new SweepImages();
  private final SweepImages validImages = new SweepImages();
  private SweepTotals totals = SweepTotals.NONE;

  /** On the GPU; made when the first epoch begins. */
  private SweepMemory memory;

  /**
   * How much is done at once.
   *
   * @param trainings side by side
   * @param bytes of the GPU's memory
   * @param launchWork multiply-adds of a block in a launch
   */
  record Limits(int trainings, long bytes, long launchWork) {
    /** Those of a GPU; an eighth of its memory is left to the driver and to other programs. */
    static Limits of(CudaContext context) {
      return new Limits(
          BLOCKS_A_MULTIPROCESSOR * context.multiprocessors(),
          context.freeBytes() / 8 * 7,
          LAUNCH_WORK);
    }
  }

  private ExactSweep(CudaOps ops, TrainingPlan plan, Limits limits) {
    this.ops = ops;
    this.plan = plan;
    this.limits = limits;
    shape = new ExactModel(ops, plan.architecture(), plan.optimizer().momentCount());
  }

  /**
   * None yet; takes over {@code ops} and closes it, also where this fails.
   *
   * @throws zerofive.backend.DeviceException where the GPU's memory is too small
   */
  static ExactSweep open(CudaOps ops, TrainingPlan plan, Limits limits) {
    try {
      return new ExactSweep(ops, plan, limits);
    } catch (RuntimeException | Error e) {
      ops.close();
      throw e;
    }
  }

  @Override
  public boolean add(ImageSet train, ImageSet valid, TrainingState start) {
    ForwardPass.check(plan.architecture(), train);
    ForwardPass.check(plan.architecture(), valid);
    ForwardPass.check(plan.architecture(), start.parameters());
    if (memory != null) {
      throw new IllegalStateException("an epoch has begun");
    }
    SweepTotals with =
        totals.with(plan, train, valid, trainImages.countWith(train), validImages.countWith(valid));
    boolean isFirst = members.isEmpty();
    if (isFirst && !with.isAddressable(shape)) {
      throw new DeviceException(
          "a training with so many images, and so many values for a batch of them, is too large for"
              + " a GPU to train beside others; choose a smaller --batch-size or --model, or train"
              + " with --device cpu");
    }
    if (!isFirst
        && (with.trainings() > limits.trainings
            || !with.isAddressable(shape)
            || with.allBytes(shape) > limits.bytes)) {
      return false;
    }
    members.add(
        new SweepMember(
            members.size(),
            train,
            valid,
            start,
            trainImages.add(train),
            validImages.add(valid),
            (int) totals.places(),
            (int) totals.validPlaces(),
            (int) totals.steps()));
    totals = with;
    return true;
  }

  @Override
  public List<Optional<Backend.Epoch>> trainEpoch(List<Optional<EpochInput>> inputs) {
    long start = System.nanoTime();
    if (inputs.size() != members.size()) {
      throw new IllegalArgumentException(
          inputs.size() + " inputs for " + members.size() + " trainings");
    }
    if (memory == null) {
      memory = new SweepMemory(ops, plan, shape, members, totals, trainImages, validImages);
    }
    List<SweepMember> active = members.stream().filter(one -> isActive(inputs, one)).toList();
    for (SweepMember one : active) {
      memory.set(one, inputs.get(one.slot()).get());
    }
    int steps = active.stream().mapToInt(one -> steps(one)).max().orElse(0);
    int images = active.stream().mapToInt(one -> one.valid().count()).max().orElse(0);
    double[] lossSums = memory.train(active, steps, stepsAtOnce());
    long elapsed = System.nanoTime() - start;
    long between = System.nanoTime();
    double[] metrics = memory.measure(active, images, imagesAtOnce());
    long elapsedMeasuring = System.nanoTime() - between;
    return members.stream()
        .map(
            one ->
                isActive(inputs, one)
                    ? Optional.of(
                        new Backend.Epoch(
                            trained(one, lossSums, elapsed),
                            measured(one, metrics, elapsedMeasuring)))
                    : Optional.<Backend.Epoch>empty())
        .toList();
  }

  private static boolean isActive(List<Optional<EpochInput>> inputs, SweepMember one) {
    return inputs.get(one.slot()).isPresent();
  }

  private int steps(SweepMember one) {
    return plan.stepsPerEpoch(one.train().count());
  }

  private int stepsAtOnce() {
    long work = 2L * totals.rows() * plan.architecture().parameterCount();
    return (int) Math.min(Integer.MAX_VALUE, Math.max(1, limits.launchWork / work));
  }

  private int imagesAtOnce() {
    long images = limits.launchWork / plan.architecture().parameterCount();
    return (int) Math.min(Integer.MAX_VALUE, Math.max(1, images));
  }

  private EpochResult trained(SweepMember one, double[] lossSums, long elapsed) {
    double[] own = Arrays.copyOfRange(lossSums, one.firstStep(), one.firstStep() + steps(one));
    return EpochResult.of(own, plan, one.train().count(), elapsed);
  }

  private static Evaluation measured(SweepMember one, double[] metrics, long elapsed) {
    int at = one.slot() * Ops.METRICS;
    int count = one.valid().count();
    return new Evaluation(
        metrics[at + Ops.LOSS_SUM] / count, (int) metrics[at + Ops.CORRECT], count, elapsed);
  }

  @Override
  public Parameters parameters(int training) {
    int count = plan.architecture().parameterCount();
    return memory == null
        ? members.get(training).start().parameters()
        : new Parameters(
            plan.architecture(), Arrays.copyOf(memory.download(training, count), count));
  }

  @Override
  public void close() {
    ops.close();
  }
}
