package zerofive.study;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.SEED;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import zerofive.backend.Backend;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.model.Parameters;
import zerofive.train.DivergedException;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;
import zerofive.train.StopSignal;
import zerofive.train.Trainer;

/**
 * Trains pairs of classes, several at a time. The data are read once and shared; each training is
 * what {@code train} does for these two classes and this seed, to the last bit.
 */
public final class PairsTrainer {
  private final Recipe settings;
  private final DataSet data;
  private final Optional<Parameters> start;
  private final Backend backend;
  private final StopSignal stop;

  /**
   * Nothing is trained yet.
   *
   * @param settings of each training; its classes and seed are the pair's
   * @param data all classes that occur in a pair
   * @param start weights to begin from, where there are any
   * @param backend that computes; several trainings may be open on it at a time
   * @param stop asked between epochs, and requested where one training fails
   */
  public PairsTrainer(
      Recipe settings, DataSet data, Optional<Parameters> start, Backend backend, StopSignal stop) {
    this.settings = settings;
    this.data = data;
    this.start = start;
    this.backend = backend;
    this.stop = stop;
  }

  /** How one training ended; no result where it was stopped, or diverged with that sentence. */
  private record Ended(Optional<PairResult> result, Optional<String> diverged) {
    static final Ended STOPPED = new Ended(Optional.empty(), Optional.empty());
  }

  /**
   * Trains until all are done or a stop is requested.
   *
   * @param atOnce how many trainings run at a time
   * @param listener receives each finished training; called by one thread
   * @return a sentence for each pair that diverged
   */
  public List<String> train(List<Pair> pairs, int atOnce, Consumer<PairResult> listener) {
    List<String> diverged = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(atOnce);
    boolean complete = false;
    try {
      ExecutorCompletionService<Ended> ended = new ExecutorCompletionService<>(threads);
      pairs.forEach(pair -> ended.submit(() -> train(pair)));
      for (int i = 0; i < pairs.size(); i++) {
        Ended next = ended.take().get();
        next.result().ifPresent(listener);
        next.diverged().ifPresent(diverged::add);
      }
      complete = true;
      return diverged;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause();
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts the main thread", e);
    } finally {
      if (!complete) {
        // The other trainings end after the epoch under way; their memory is not ours before.
        stop.request();
      }
      awaitEnd(threads);
    }
  }

  private static void awaitEnd(ExecutorService threads) {
    threads.shutdown();
    try {
      threads.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Ended train(Pair pair) {
    if (stop.requested()) {
      return Ended.STOPPED;
    }
    DataSet two = data.only(pair.classes());
    Recipe recipe = settings.with(CLASSES, new ClassFilter(pair.classes())).with(SEED, pair.seed());
    Parameters initial =
        start.orElseGet(() -> recipe.initial(recipe.architecture(two.train().shape())));
    try {
      Trainer.Outcome outcome =
          Trainer.begin(recipe, two, initial).train(backend, stop, epoch -> {});
      return outcome.interrupted()
          ? Ended.STOPPED
          : new Ended(Optional.of(result(pair, recipe, two, outcome)), Optional.empty());
    } catch (DivergedException e) {
      return new Ended(Optional.empty(), Optional.of(pair + ": " + e.getMessage()));
    }
  }

  private static PairResult result(Pair pair, Recipe recipe, DataSet two, Trainer.Outcome outcome) {
    List<EpochRecord> history = outcome.history();
    EpochRecord selected = outcome.selected().orElseThrow();
    return new PairResult(
        pair,
        selected.errors(),
        two.valid().count(),
        selected.trainLoss(),
        selected.validLoss(),
        history.stream().mapToDouble(row -> row.trainSeconds() + row.validSeconds()).sum(),
        outcome.model(recipe, two).sha256());
  }
}
