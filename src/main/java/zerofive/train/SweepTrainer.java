package zerofive.train;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import zerofive.backend.Backend;
import zerofive.backend.EpochInput;
import zerofive.model.Parameters;

/**
 * Trains new runs side by side, all of their next epochs together. They leave nothing but their
 * outcomes, which are those of {@link Trainer#train}, without logits.
 */
public final class SweepTrainer {
  private final List<Trainer> trainers = new ArrayList<>();
  private final Backend.Sweep sweep;
  private final Listener listener;

  /** The trainings under way. */
  private final BitSet active = new BitSet();

  /** Who learns how each training ended, as soon as it has. */
  public interface Listener {
    /** It is done. */
    void ended(int training, Trainer.Outcome outcome);

    /** A loss or a weight became NaN or infinite; the others go on. */
    void diverged(int training, DivergedException how);
  }

  /** Of no training yet; {@code sweep} has none either. */
  public SweepTrainer(Backend.Sweep sweep, Listener listener) {
    this.sweep = sweep;
    this.listener = listener;
  }

  /**
   * Takes one more training, before {@link #train}.
   *
   * @param trainer of a new run that keeps nothing
   * @return whether it is taken; not where it does not fit beside the others
   */
  public boolean add(Trainer trainer) {
    return trainer.joins(sweep) && trainers.add(trainer);
  }

  /** Trains until all have ended or a stop is requested, which is asked for between epochs. */
  public void train(StopSignal stop) {
    active.set(0, trainers.size());
    List<Optional<EpochInput>> inputs = inputs(1);
    for (int epoch = 1; !active.isEmpty() && !stop.requested(); epoch++) {
      // The orders of the next epoch are made while the device computes this one.
      int next = epoch + 1;
      CompletableFuture<List<Optional<EpochInput>>> coming =
          CompletableFuture.supplyAsync(() -> inputs(next));
      List<Optional<Backend.Epoch>> results;
      try {
        results = sweep.trainEpoch(inputs);
      } finally {
        inputs = joined(coming);
      }
      for (int i = 0; i < trainers.size(); i++) {
        if (active.get(i)) {
          take(i, epoch, results.get(i).orElseThrow());
        }
        if (!active.get(i)) {
          inputs.set(i, Optional.empty());
        }
      }
    }
  }

  /** What each active training is given for an epoch that it may have; on all cores. */
  private List<Optional<EpochInput>> inputs(int epoch) {
    return new ArrayList<>(
        IntStream.range(0, trainers.size())
            .parallel()
            .mapToObj(
                i ->
                    active.get(i) && trainers.get(i).mayHave(epoch)
                        ? Optional.of(trainers.get(i).input(epoch))
                        : Optional.<EpochInput>empty())
            .toList());
  }

  private static <T> T joined(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause();
    }
  }

  private void take(int training, int epoch, Backend.Epoch result) {
    Trainer trainer = trainers.get(training);
    Supplier<Parameters> present = () -> sweep.parameters(training);
    try {
      trainer.take(epoch, result, present);
      if (trainer.isDone(epoch)) {
        active.clear(training);
        listener.ended(training, trainer.outcome(epoch, present, new float[0], 0));
      }
    } catch (DivergedException e) {
      active.clear(training);
      listener.diverged(training, e);
    }
  }
}
