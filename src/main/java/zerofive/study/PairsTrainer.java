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
import zerofive.train.Recipe;
import zerofive.train.StopSignal;

/**
 * Trains pairs of classes, several at a time. The data are read once and shared; each training is
 * what {@code train} does for these two classes and this seed, to the last bit.
 */
public final class PairsTrainer implements Trainings {
  private final Recipe settings;
  private final DataSet data;
  private final Optional<Parameters> start;
  private final Backend backend;
  private final int atOnce;
  private final StopSignal stop;

  /**
   * Nothing is trained yet.
   *
   * @param settings of each training; its classes and seed are the pair's
   * @param data all classes that occur in a pair
   * @param start weights to begin from, where there are any
   * @param backend that computes; several trainings may be open on it at a time
   * @param atOnce how many trainings run at a time at most
   * @param stop asked between epochs, and requested where one training fails
   */
  public PairsTrainer(
      Recipe settings,
      DataSet data,
      Optional<Parameters> start,
      Backend backend,
      int atOnce,
      StopSignal stop) {
    this.settings = settings;
    this.data = data;
    this.start = start;
    this.backend = backend;
    this.atOnce = atOnce;
    this.stop = stop;
  }

  /** How one training ended; no result where it was stopped, or diverged with that sentence. */
  private record Ended(Optional<PairResult> result, Optional<String> diverged) {
    static final Ended STOPPED = new Ended(Optional.empty(), Optional.empty());
  }

  @Override
  public List<String> train(List<Pair> pairs, Consumer<PairResult> listener) {
    List<String> diverged = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(Math.min(atOnce, pairs.size()));
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
    Recipe recipe = recipe(settings, pair);
    try {
      return Trainings.one(recipe, data, start, backend, stop)
          .map(result -> new Ended(Optional.of(PairResult.of(pair, result)), Optional.empty()))
          .orElse(Ended.STOPPED);
    } catch (DivergedException e) {
      return new Ended(Optional.empty(), Optional.of(pair + ": " + e.getMessage()));
    }
  }

  /** The settings of a pair's training. */
  public static Recipe recipe(Recipe settings, Pair pair) {
    return settings.with(CLASSES, new ClassFilter(pair.classes())).with(SEED, pair.seed());
  }
}
