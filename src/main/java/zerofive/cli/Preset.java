package zerofive.cli;

import java.util.Locale;
import java.util.Optional;
import zerofive.backend.Optimizer;
import zerofive.data.Augmentation;
import zerofive.data.ExampleOrder;
import zerofive.data.Named;
import zerofive.model.Loss;
import zerofive.train.RunConfig;
import zerofive.train.Schedule;

/** Recipes with a name; options named beside one win. */
enum Preset {
  /** The notebook's recipe, for the simple net. */
  NOTEBOOK,

  /**
   * The fewest errors for a few seconds: a wider net that sees every image shifted anew in every
   * epoch.
   */
  ACCURATE;

  /** Parses a preset's name; throws IllegalArgumentException. */
  static Preset parse(String name) {
    return Named.of(name, "preset", values());
  }

  /** Its settings, where it has them, and the defaults. */
  RunConfig.Builder settings() {
    return switch (this) {
      case NOTEBOOK ->
          new RunConfig.Builder()
              .loss(Loss.MNIST)
              .learningRate(0.1f)
              .order(ExampleOrder.SEQUENTIAL)
              .schedule(Schedule.CONSTANT);
      case ACCURATE ->
          new RunConfig.Builder()
              .model("mlp:256")
              .optimizer(new Optimizer(Optimizer.Kind.ADAM, 0, 0))
              .learningRate(0.005f)
              .schedule(Schedule.ONE_CYCLE)
              .epochs(60)
              .augmentation(new Augmentation(2));
    };
  }

  /** The loss it asks for; none where that follows from the number of classes. */
  Optional<Loss> loss() {
    return this == NOTEBOOK ? Optional.of(settings().build().loss()) : Optional.empty();
  }

  /** What it sets, for {@code --help}. */
  String description() {
    RunConfig config = settings().build();
    return switch (this) {
      case NOTEBOOK ->
          "loss "
              + config.loss()
              + ", lr "
              + config.learningRate()
              + ", order "
              + config.order()
              + ", schedule "
              + config.schedule();
      case ACCURATE ->
          "model "
              + config.model()
              + ", optimizer "
              + config.optimizer().kind()
              + ", lr "
              + config.learningRate()
              + ", schedule "
              + config.schedule()
              + ", epochs "
              + config.epochs()
              + ", batch-size "
              + config.batchSize()
              + ", augment "
              + config.augmentation();
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
