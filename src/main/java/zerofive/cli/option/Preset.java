package zerofive.cli.option;

import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.LOSS;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.OPTIMIZER;
import static zerofive.train.Settings.ORDER;
import static zerofive.train.Settings.SCHEDULE;

import java.util.Locale;
import zerofive.backend.Optimizer;
import zerofive.data.Augmentation;
import zerofive.data.ExampleOrder;
import zerofive.model.Loss;
import zerofive.train.Recipe;
import zerofive.train.Schedule;

/** Recipes with a name; options named beside one win. */
public enum Preset {
  /** The notebook's recipe, for the simple net. */
  NOTEBOOK,

  /**
   * The fewest errors for a few seconds: a wider net that sees every image shifted anew in every
   * epoch.
   */
  ACCURATE;

  /** What it sets; all else has its default. */
  public Recipe recipe() {
    return switch (this) {
      case NOTEBOOK ->
          Recipe.DEFAULTS
              .with(LOSS, Loss.MNIST)
              .with(LEARNING_RATE, 0.1f)
              .with(ORDER, ExampleOrder.SEQUENTIAL)
              .with(SCHEDULE, Schedule.CONSTANT);
      case ACCURATE ->
          Recipe.DEFAULTS
              .with(MODEL, "mlp:256")
              .with(OPTIMIZER, Optimizer.Kind.ADAM)
              .with(LEARNING_RATE, 0.005f)
              .with(SCHEDULE, Schedule.ONE_CYCLE)
              .with(EPOCHS, 60)
              .with(BATCH_SIZE, 256)
              .with(AUGMENTATION, new Augmentation(2));
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
