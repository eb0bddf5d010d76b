package zerofive.study;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.SEED;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import zerofive.backend.Backend;
import zerofive.backend.TrainingPlan;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.model.Parameters;
import zerofive.train.DivergedException;
import zerofive.train.Recipe;
import zerofive.train.StopSignal;
import zerofive.train.SweepTrainer;
import zerofive.train.Trainer;

/**
 * Trains pairs of classes, several at a time. The data are read once and shared; each training is
 * what {@code train} does for these two classes and this seed, to the last bit.
 */
public final class PairsTrainer implements Trainings {
  private final Recipe settings;
  private final DataSet data;
  private final Optional<Parameters> start;
  private final List<Backend> backends;
  private final int atOnce;
  private final StopSignal stop;

  /**
   * Nothing is trained yet.
   *
   * @param settings of each training, of two classes; classes and seed are the pair's
   * @param data all classes that occur in a pair
   * @param start weights to begin from, where there are any
   * @param backends that compute: several of one kind, or one; several trainings may be open on it
   * @param atOnce how many trainings run at a time at most, where backends do not sweep
   * @param stop asked between epochs, and requested where one training fails
   */
  public PairsTrainer(
      Recipe settings,
      DataSet data,
      Optional<Parameters> start,
      List<Backend> backends,
      int atOnce,
      StopSignal stop) {
    this.settings = settings;
    this.data = data;
    this.start = start;
    this.backends = List.copyOf(backends);
    this.atOnce = atOnce;
    this.stop = stop;
  }

  /** How one training ended; no result where it was stopped, or diverged with that sentence. */
  private record Ended(Optional<PairResult> result, Optional<String> diverged) {
    static final Ended STOPPED = new Ended(Optional.empty(), Optional.empty());
  }

  /** What a thread does; it hands on how each training ended. */
  private interface Work {
    void run(Consumer<Ended> results);
  }

  @Override
  public List<String> train(List<Pair> pairs, Consumer<PairResult> listener) {
    if (!backends.get(0).sweeps(settings.model())) {
      Backend backend = backends.get(0);
      return run(
          pairs.stream()
              .<Work>map(pair -> results -> results.accept(train(pair, backend)))
              .toList(),
          Math.min(atOnce, pairs.size()),
          listener);
    }
    PairsQueue queue = new PairsQueue(pairs, backends.size());
    return run(
        backends.stream().<Work>map(backend -> results -> sweep(backend, queue, results)).toList(),
        backends.size(),
        listener);
  }

  private List<String> run(List<Work> works, int atOnce, Consumer<PairResult> listener) {
    List<String> diverged = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(atOnce);
    // How trainings ended, and nothing behind those of a piece of work.
    BlockingQueue<Optional<Ended>> ended = new LinkedBlockingQueue<>();
    boolean complete = false;
    try {
      List<Future<?>> futures = new ArrayList<>();
      works.forEach(work -> futures.add(submit(threads, work, ended)));
      int left = works.size();
      while (left > 0) {
        Optional<Ended> next = ended.take();
        left -= next.isEmpty() ? 1 : 0;
        next.flatMap(Ended::result).ifPresent(listener);
        next.flatMap(Ended::diverged).ifPresent(diverged::add);
      }
      for (Future<?> future : futures) {
        future.get();
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

  /** Where it fails, the others are to end too. */
  private Future<?> submit(ExecutorService threads, Work work, Queue<Optional<Ended>> ended) {
    return threads.submit(
        () -> {
          try {
            work.run(how -> ended.add(Optional.of(how)));
          } catch (RuntimeException | Error e) {
            stop.request();
            throw e;
          } finally {
            ended.add(Optional.empty());
          }
        });
  }

  private static void awaitEnd(ExecutorService threads) {
    threads.shutdown();
    try {
      threads.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A training that is about to begin. */
  private record Task(Pair pair, Recipe recipe, DataSet two, Trainer trainer) {
    Ended ended(Trainer.Outcome outcome) {
      return outcome.interrupted()
          ? Ended.STOPPED
          : new Ended(
              Optional.of(PairResult.of(pair, TrainingResult.of(outcome, recipe, two))),
              Optional.empty());
    }

    Ended diverged(DivergedException how) {
      return new Ended(Optional.empty(), Optional.of(pair + ": " + how.getMessage()));
    }
  }

  /** A pair's training on the images of its classes. */
  private Task task(Pair pair, DataSet two) {
    Recipe recipe = recipe(settings, pair);
    return new Task(pair, recipe, two, Trainings.begin(recipe, two, start));
  }

  private Ended train(Pair pair, Backend backend) {
    if (stop.requested()) {
      return Ended.STOPPED;
    }
    try {
      return Trainings.one(recipe(settings, pair), data, start, backend, stop)
          .map(result -> new Ended(Optional.of(PairResult.of(pair, result)), Optional.empty()))
          .orElse(Ended.STOPPED);
    } catch (DivergedException e) {
      return new Ended(Optional.empty(), Optional.of(pair + ": " + e.getMessage()));
    }
  }

  /** Trains as many at a time as the backend takes, until the queue is empty. */
  private void sweep(Backend backend, PairsQueue queue, Consumer<Ended> results) {
    TrainingPlan plan = settings.plan(settings.architecture(data.train().shape()));
    long values = 1L + plan.optimizer().momentCount();
    List<Task> wave = new ArrayList<>();
    do {
      wave.clear();
      try (Backend.Sweep sweep = backend.openSweep(plan)) {
        SweepTrainer trainer =
            new SweepTrainer(
                sweep,
                new SweepTrainer.Listener() {
                  @Override
                  public void ended(int training, Trainer.Outcome outcome) {
                    results.accept(wave.get(training).ended(outcome));
                  }

                  @Override
                  public void diverged(int training, DivergedException how) {
                    results.accept(wave.get(training).diverged(how));
                  }
                });
        queue.take(
            data,
            Float.BYTES * values * plan.architecture().parameterCount(),
            (pair, two) -> {
              Task task = task(pair, two);
              return trainer.add(task.trainer()) && wave.add(task);
            });
        trainer.train(stop);
      }
    } while (!wave.isEmpty() && !stop.requested());
  }

  /** The settings of a pair's training. */
  public static Recipe recipe(Recipe settings, Pair pair) {
    return settings.with(CLASSES, new ClassFilter(pair.classes())).with(SEED, pair.seed());
  }
}
