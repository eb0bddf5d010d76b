package zerofive.backend.jvm;

import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.ops.ForwardPass;
import zerofive.backend.ops.StepParameters;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/** A training in Java, with threads of its own and the bits of native code. */
public final class JavaSession implements TrainingSession {
  private final Team team;
  private final TrainingPlan plan;
  private final Model model;
  private final SparseImages train;
  private final SparseImages valid;
  private final Epoch epoch;
  private long steps;

  /** Takes every step of an epoch; writes the sum of each step's losses. */
  private interface Epoch {
    void train(int[] order, int[] shifts, float[] stepParameters, double[] lossSums);
  }

  private JavaSession(
      Team team, TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    this.team = team;
    this.plan = plan;
    model = new Model(plan.architecture(), plan.optimizer().momentCount());
    this.train = SparseImages.stored(train, team);
    this.valid = SparseImages.stored(valid, team);
    epoch =
        model.isLinear()
            ? new LinearTraining(team, plan, model, this.train)::train
            : new NetTraining(team, plan, model, this.train)::train;
    model.set(0, start.parameters().values(), 0);
    int parameters = start.parameters().values().length;
    for (int kind = 1; kind <= plan.optimizer().momentCount(); kind++) {
      model.set(kind, start.moments(), (kind - 1) * parameters);
    }
    steps = start.steps();
  }

  /** Puts data and start into rows; ends its threads where that fails. */
  public static JavaSession open(
      int threads, TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    ForwardPass.check(plan.architecture(), train);
    ForwardPass.check(plan.architecture(), valid);
    Team team = new Team(threads);
    try {
      return new JavaSession(team, plan, train, valid, start);
    } catch (RuntimeException | Error e) {
      team.close();
      throw e;
    }
  }

  @Override
  public EpochResult trainEpoch(EpochInput input) {
    long start = System.nanoTime();
    team.requireOpen();
    double[] sums = new double[plan.stepsPerEpoch(train.count())];
    input.check(train.count(), sums.length);
    float[] table = StepParameters.table(plan.optimizer(), input.learningRates(), steps);
    epoch.train(input.order(), input.shifts(), table, sums);
    steps += sums.length;
    return EpochResult.of(sums, plan, train.count(), System.nanoTime() - start);
  }

  @Override
  public Evaluation evaluate() {
    long start = System.nanoTime();
    return Measure.of(team, model, valid, plan.loss()).evaluation(start);
  }

  @Override
  public float[] logits() {
    return Measure.of(team, model, valid, plan.loss()).logits();
  }

  @Override
  public void setParameters(Parameters values) {
    ForwardPass.check(plan.architecture(), values);
    team.requireOpen();
    model.set(0, values.values(), 0);
  }

  @Override
  public TrainingState state() {
    team.requireOpen();
    int parameters = plan.architecture().parameterCount();
    float[] values = new float[parameters];
    model.get(0, values, 0);
    float[] moments = new float[plan.optimizer().momentCount() * parameters];
    for (int kind = 1; kind <= plan.optimizer().momentCount(); kind++) {
      model.get(kind, moments, (kind - 1) * parameters);
    }
    return new TrainingState(new Parameters(plan.architecture(), values), moments, steps);
  }

  @Override
  public void close() {
    team.close();
  }
}
