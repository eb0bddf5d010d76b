package zerofive.study;

import static zerofive.train.Settings.CLASSES;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import zerofive.backend.Backend;
import zerofive.data.DataSet;
import zerofive.model.Parameters;
import zerofive.train.Recipe;
import zerofive.train.StopSignal;
import zerofive.train.Trainer;

/** What trains many pairs: threads of this machine, a GPU, or other machines. */
public interface Trainings {
  /**
   * Trains until all are done or a stop is requested. Each training is what {@code train} does for
   * these two classes and this seed, to the last bit.
   *
   * @param listener receives each finished training; called by one thread at a time
   * @return a sentence for each pair that diverged
   */
  List<String> train(List<Pair> pairs, Consumer<PairResult> listener);

  /**
   * One of many trainings: it leaves nothing but its result.
   *
   * @param data that has the recipe's classes, and maybe others
   * @param start weights to begin from, where there are any
   * @return empty where it was stopped
   * @throws zerofive.train.DivergedException where it diverges
   */
  static Optional<TrainingResult> one(
      Recipe recipe, DataSet data, Optional<Parameters> start, Backend backend, StopSignal stop) {
    DataSet own = data.only(recipe.get(CLASSES).names());
    Trainer.Outcome outcome = begin(recipe, own, start).train(backend, stop, epoch -> {});
    return outcome.interrupted()
        ? Optional.empty()
        : Optional.of(TrainingResult.of(outcome, recipe, own));
  }

  /**
   * One of many trainings before its first epoch.
   *
   * @param own images of the recipe's classes alone
   * @param start weights to begin from, where there are any
   */
  static Trainer begin(Recipe recipe, DataSet own, Optional<Parameters> start) {
    return Trainer.begin(
        recipe,
        own,
        start.orElseGet(() -> recipe.initial(recipe.architecture(own.train().shape()))));
  }
}
