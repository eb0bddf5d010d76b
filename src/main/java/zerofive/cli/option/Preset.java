package zerofive.cli.option;

import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.INITIALIZER;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.LOSS;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.MOMENTUM;
import static zerofive.train.Settings.OPTIMIZER;
import static zerofive.train.Settings.ORDER;
import static zerofive.train.Settings.SCHEDULE;

import java.util.Locale;
import zerofive.backend.Optimizer;
import zerofive.data.Augmentation;
import zerofive.data.ExampleOrder;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.train.Recipe;
import zerofive.train.Schedule;

/** Recipes with a name; options named beside one win. */
public enum Preset {
  /** The notebook's recipe, for the simple net. */
  NOTEBOOK,

  /** The fewest errors for a few seconds: a larger net, more epochs and longer shifts. */
  ACCURATE,

  /** A convolutional net: the fewest errors of all, for several times the arithmetic. */
  CNN;

  /** What it sets; all else has its default. */
  public Recipe recipe() {
    return switch (this) {
      case NOTEBOOK ->
          Recipe.DEFAULTS
              .with(LOSS, Loss.MNIST)
              .with(MOMENTUM, 0f)
              .with(LEARNING_RATE, 0.1f)
              .with(SCHEDULE, Schedule.CONSTANT)
              .with(EPOCHS, 40)
              .with(BATCH_SIZE, 256)
              .with(ORDER, ExampleOrder.SEQUENTIAL)
              .with(AUGMENTATION, Augmentation.NONE);
      case ACCURATE ->
          Recipe.DEFAULTS
              .with(MODEL, "mlp:128,64")
              .with(EPOCHS, 60)
              .with(AUGMENTATION, new Augmentation(2));
      case CNN ->
          Recipe.DEFAULTS
              .with(MODEL, "cnn")
              .with(INITIALIZER, Initializer.HE)
              .with(OPTIMIZER, Optimizer.Kind.ADAM)
              .with(LEARNING_RATE, 0.005f)
              .with(BATCH_SIZE, 64)
              .with(AUGMENTATION, new Augmentation(2));
    };
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
