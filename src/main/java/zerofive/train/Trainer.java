package zerofive.train;

import static zerofive.train.Settings.ARITHMETIC;
import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.CHECKPOINT_EVERY;
import static zerofive.train.Settings.EARLY_STOP;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.LOSS;
import static zerofive.train.Settings.ORDER;
import static zerofive.train.Settings.SCHEDULE;
import static zerofive.train.Settings.SEED;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import zerofive.backend.Backend;
import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.data.DataSet;
import zerofive.files.InputException;
import zerofive.model.Architecture;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;

/** Trains one run in its folder, from its start or from its checkpoint. */
public final class Trainer {
  private static final double NANOS_PER_SECOND = 1e9;

  /** An epoch this long is worth a checkpoint of its own: saving takes milliseconds. */
  private static final double LONG_EPOCH_SECONDS = 1;

  private final Recipe recipe;
  private final DataSet data;
  private final RunStore store;
  private final List<EpochRecord> history;
  private final Checkpoint start;
  private Optional<BestEpoch> best;

  /**
   * How a training ended.
   *
   * @param history all epochs of the run
   * @param selected the epoch that the parameters are of: the last; with --early-stop the best;
   *     none before the first
   * @param parameters the weights after it
   * @param logits [validation images, outputs] of these weights; empty where it was interrupted
   * @param interrupted whether it was stopped by a signal before its end
   * @param setUpNanos what opening the device took
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Outcome(
      List<EpochRecord> history,
      Optional<EpochRecord> selected,
      Parameters parameters,
      float[] logits,
      boolean interrupted,
      long setUpNanos) {
    /** The model as the file that a training by {@code recipe} on {@code data} ends with. */
    public ModelFile model(Recipe recipe, DataSet data) {
      return new ModelFile(parameters, data.classes(), recipe.get(LOSS), data.train().shape());
    }
  }

  private Trainer(
      Recipe recipe, DataSet data, RunStore store, List<EpochRecord> history, Checkpoint start) {
    this.recipe = recipe;
    this.data = data;
    this.store = store;
    this.history = new ArrayList<>(history);
    this.start = start;
    // The settings decide: somebody may have taken early_stop out of them.
    this.best = start.best().filter(lowest -> recipe.get(EARLY_STOP) > 0);
  }

  /** A new run that leaves nothing but its outcome. */
  public static Trainer begin(Recipe recipe, DataSet data, Parameters initial) {
    return begin(recipe, data, RunStore.NONE, initial);
  }

  /** A new run: writes what a kill must find, the first checkpoint and last the settings. */
  public static Trainer begin(Recipe recipe, DataSet data, RunStore store, Parameters initial) {
    Checkpoint start =
        new Checkpoint(
            0,
            TrainingState.initial(initial, recipe.optimizer()),
            Optional.empty(),
            recipe.get(ARITHMETIC));
    store.save(start);
    store.beginMetrics();
    store.write(recipe);
    return new Trainer(recipe, data, store, List.of(), start);
  }

  /**
   * Resumes from the last checkpoint; {@code recipe} may ask for more epochs.
   *
   * @throws InputException where the run's files contradict each other
   */
  public static Trainer resume(Recipe recipe, DataSet data, RunStore store) {
    Architecture architecture = recipe.architecture(data.train().shape());
    Checkpoint checkpoint = store.checkpoint(architecture, recipe.optimizer());
    TrainingPlan plan = recipe.plan(architecture);
    if (checkpoint.epoch() > recipe.get(EPOCHS)
        || checkpoint.state().steps()
            != (long) checkpoint.epoch() * plan.stepsPerEpoch(data.train().count())) {
      throw new InputException(
          store.place()
              + ": its checkpoint, of epoch "
              + checkpoint.epoch()
              + " and "
              + checkpoint.state().steps()
              + " steps, does not belong to its config.json; restore them or start a new run");
    }
    if (recipe.get(EARLY_STOP) > 0 && checkpoint.epoch() > 0 && checkpoint.best().isEmpty()) {
      throw new InputException(
          store.place()
              + ": its checkpoint has no best epoch, which the early_stop in its config.json needs;"
              + " restore them or start a new run");
    }
    List<EpochRecord> history = store.history(checkpoint.epoch());
    store.write(recipe);
    return new Trainer(recipe, data, store, history, checkpoint);
  }

  /** The epochs finished before this training. */
  public List<EpochRecord> history() {
    return List.copyOf(history);
  }

  /** The arithmetic by which these epochs were computed; empty where it was none. */
  public Optional<Integer> arithmeticBefore() {
    return start.arithmetic();
  }

  /**
   * Trains the remaining epochs.
   *
   * @param backend what computes
   * @param stop asked between epochs
   * @param listener receives each finished epoch
   * @throws DivergedException where a loss or a weight is NaN or infinite; the last checkpoint that
   *     is finite stays
   */
  public Outcome train(Backend backend, StopSignal stop, Consumer<EpochRecord> listener) {
    long startNanos = System.nanoTime();
    TrainingPlan plan = plan();
    try (EpochSink metrics = store.metrics(start.epoch(), recipe);
        TrainingSession session = backend.open(plan, data.train(), data.valid(), start.state())) {
      long setUpNanos = System.nanoTime() - startNanos;
      int saved = start.epoch();
      int epoch = saved;
      while (!isDone(epoch) && !stop.requested()) {
        epoch++;
        EpochResult trained = session.trainEpoch(input(epoch));
        EpochRecord row = record(epoch, trained, session.evaluate());
        // Every result shows it so, whether or not the run is resumed from here.
        history.add(row.rounded());
        metrics.append(row, lastRate(epoch, plan));
        listener.accept(row);
        check(row, saved);
        keepIfBest(row, () -> session.state().parameters());
        if (isCheckpoint(epoch) || row.trainSeconds() + row.validSeconds() > LONG_EPOCH_SECONDS) {
          saved = save(session, metrics, epoch, saved);
        }
      }
      if (saved < epoch) {
        save(session, metrics, epoch, saved);
      }
      return outcome(
          epoch,
          () -> session.state().parameters(),
          isDone(epoch) ? logitsToKeep(session) : new float[0],
          setUpNanos);
    }
  }

  /** Adds its training to others; not where it does not fit beside them. */
  boolean joins(Backend.Sweep sweep) {
    return sweep.add(data.train(), data.valid(), start.state());
  }

  /**
   * Takes an epoch of a new run that keeps nothing.
   *
   * @param present the weights after it
   * @throws DivergedException where a loss or a weight is NaN or infinite
   */
  void take(int epoch, Backend.Epoch result, Supplier<Parameters> present) {
    EpochRecord row = record(epoch, result.trained(), result.measured());
    history.add(row.rounded());
    check(row, 0);
    keepIfBest(row, present);
    if (isCheckpoint(epoch)) {
      check(present.get(), epoch, 0);
    }
  }

  private void check(EpochRecord row, int saved) {
    if (!Double.isFinite(row.trainLoss()) || !Double.isFinite(row.validLoss())) {
      throw diverged(row.epoch(), saved, "the loss is no longer a finite number");
    }
  }

  private void check(Parameters parameters, int epoch, int saved) {
    if (!parameters.isFinite()) {
      throw diverged(epoch, saved, "a weight is no longer a finite number");
    }
  }

  private void keepIfBest(EpochRecord row, Supplier<Parameters> parameters) {
    if (recipe.get(EARLY_STOP) > 0
        && best.map(lowest -> row.validLoss() < lowest.validLoss()).orElse(true)) {
      best = Optional.of(new BestEpoch(row.epoch(), row.validLoss(), parameters.get()));
    }
  }

  private boolean isCheckpoint(int epoch) {
    return epoch % recipe.get(CHECKPOINT_EVERY) == 0 || isDone(epoch);
  }

  /** How it ended, or where it was interrupted. */
  Outcome outcome(int epoch, Supplier<Parameters> present, float[] logits, long setUpNanos) {
    int selected = best.map(BestEpoch::epoch).orElse(epoch);
    return new Outcome(
        List.copyOf(history),
        selected == 0 ? Optional.empty() : Optional.of(history.get(selected - 1)),
        best.map(BestEpoch::parameters).orElseGet(present),
        logits,
        !isDone(epoch),
        setUpNanos);
  }

  /** The logits of the weights that are selected, which the session then has; it is done with. */
  private float[] logitsToKeep(TrainingSession session) {
    best.ifPresent(lowest -> session.setParameters(lowest.parameters()));
    return session.logits();
  }

  /**
   * Whether no epoch follows: it was the last, or with {@code --early-stop N} the N-th one without
   * a lower validation loss than the best epoch's. An equal loss is no lower one.
   */
  boolean isDone(int epoch) {
    return epoch == recipe.get(EPOCHS)
        || best.map(lowest -> epoch - lowest.epoch() >= recipe.get(EARLY_STOP)).orElse(false);
  }

  private TrainingPlan plan() {
    return recipe.plan(start.state().parameters().architecture());
  }

  /** Whether this epoch comes, unless the training ends early. */
  boolean mayHave(int epoch) {
    return epoch <= recipe.get(EPOCHS);
  }

  /** What a session is given for an epoch. */
  EpochInput input(int epoch) {
    int steps = plan().stepsPerEpoch(data.train().count());
    float[] rates = new float[steps];
    for (int step = 0; step < steps; step++) {
      rates[step] = rate(epoch, step, steps);
    }
    int[] order = recipe.get(ORDER).indices(data.train().targets(), recipe.get(SEED), epoch);
    int[] shifts = recipe.get(AUGMENTATION).shifts(order.length, recipe.get(SEED), epoch);
    return new EpochInput(order, rates, shifts);
  }

  private static EpochRecord record(int epoch, EpochResult trained, Evaluation measured) {
    return new EpochRecord(
        epoch,
        trained.trainLoss(),
        measured.loss(),
        measured.accuracy(),
        measured.errors(),
        trained.elapsedNanos() / NANOS_PER_SECOND,
        measured.elapsedNanos() / NANOS_PER_SECOND);
  }

  /** The learning rate of one of the {@code steps} of an epoch. */
  private float rate(int epoch, int step, int steps) {
    return recipe
        .get(SCHEDULE)
        .rate(
            recipe.get(LEARNING_RATE),
            (epoch - 1L) * steps + step,
            (long) recipe.get(EPOCHS) * steps);
  }

  private float lastRate(int epoch, TrainingPlan plan) {
    int steps = plan.stepsPerEpoch(data.train().count());
    return rate(epoch, steps - 1, steps);
  }

  private int save(TrainingSession session, EpochSink metrics, int epoch, int saved) {
    TrainingState state = session.state();
    check(state.parameters(), epoch, saved);
    metrics.sync();
    store.save(new Checkpoint(epoch, state, best, recipe.get(ARITHMETIC)));
    return epoch;
  }

  private DivergedException diverged(int epoch, int saved, String what) {
    return new DivergedException(
        "training diverged in epoch "
            + epoch
            + ": "
            + what
            + store.keeps(saved)
            + "; start again with a smaller --lr than "
            + recipe.get(LEARNING_RATE));
  }
}
