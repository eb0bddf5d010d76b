package zerofive.spark;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.spark.TaskContext;
import zerofive.backend.DeviceException;
import zerofive.cli.device.Backends;
import zerofive.cli.option.ModelOptions;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;
import zerofive.study.TrainingResult;
import zerofive.study.Trainings;
import zerofive.train.DivergedException;
import zerofive.train.Recipe;
import zerofive.train.Settings;
import zerofive.train.StopSignal;

/**
 * What all trainings of a job share: broadcast to executors, and trained by them.
 *
 * @param device that was decided on
 * @param data that has the classes of every training
 * @param start the file of weights to begin from; null where there is none
 */
record TrainingJob(DecidedDevice device, SharedData data, byte[] start) implements Serializable {
  /**
   * One training.
   *
   * @param index by which its row is known
   * @param recipe its settings, as config.json has them
   */
  record Task(int index, String recipe) implements Serializable {}

  /** Trains one, in an executor. */
  TrainingRow train(Task task) {
    Backends.Choice choice;
    try {
      choice = device.here();
    } catch (DeviceException e) {
      return TrainingRow.failed(task.index(), e.getMessage(), true, null);
    }
    ExecutorDevice here = ExecutorDevice.of(choice);
    TaskContext context = TaskContext.get();
    try (StopSignal stop = StopSignal.asking(context::isInterrupted)) {
      Recipe recipe = Recipe.fromJson(task.recipe());
      return train(recipe, choice, stop)
          .map(result -> TrainingRow.of(task.index(), result, here))
          .orElseThrow(() -> new IllegalStateException("the task was cancelled"));
    } catch (DivergedException | IllegalArgumentException e) {
      return TrainingRow.failed(task.index(), e.getMessage(), false, here);
    } catch (DeviceException e) {
      return TrainingRow.failed(task.index(), e.getMessage(), true, here);
    }
  }

  private Optional<TrainingResult> train(Recipe recipe, Backends.Choice choice, StopSignal stop) {
    Optional<Parameters> from =
        Optional.ofNullable(start)
            .map(
                bytes ->
                    ModelOptions.read(
                        Path.of(recipe.get(Settings.INIT_FROM).orElseThrow()), bytes, recipe))
            .map(ModelFile::foldedParameters);
    if (!device.isExclusive()) {
      return Trainings.one(recipe, data.get(), from, choice.backend(), stop);
    }
    synchronized (choice) {
      return Trainings.one(recipe, data.get(), from, choice.backend(), stop);
    }
  }
}
