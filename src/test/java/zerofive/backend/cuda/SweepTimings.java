package zerofive.backend.cuda;

import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import zerofive.backend.Backend;
import zerofive.backend.EpochInput;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingState;
import zerofive.backend.cuda.CudaOptions.Precision;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.data.ExampleOrder;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;

/**
 * Epochs of many trainings side by side, on as many images as two digits of MNIST have, a fifth of
 * whose pixels are not zero: of one training, of one on each multiprocessor, and of as many as the
 * GPU takes.
 */
final class SweepTimings {
  private static final int SIDE = 28;
  private static final int BATCH = 256;
  private static final float RATE = 0.5f;

  private SweepTimings() {}

  /** A line for each model and number of trainings, as soon as it is timed. */
  static void print(boolean dryRun) {
    ImageSet train = images(1, dryRun ? 16 : 11_344);
    ImageSet valid = images(2, dryRun ? 16 : 1_872);
    int epochs = dryRun ? 1 : 5;
    CudaOptions exact =
        new CudaOptions(
            0, Optional.empty(), Precision.FP32, CudaOptions.Engine.EXACT, SessionKind.GRAPH);
    try (CudaBackend backend = new CudaBackend(exact)) {
      for (String model : List.of("linear", "mlp:30")) {
        Architecture architecture = Architecture.of(model, new ImageShape(SIDE, SIDE), 1);
        TrainingPlan plan = new TrainingPlan(architecture, Loss.BCE, Optimizer.sgd(), BATCH);
        for (int most : List.of(1, backend.multiprocessors(), Integer.MAX_VALUE)) {
          try (Backend.Sweep sweep = backend.openSweep(plan)) {
            GpuTimings.print("sweeps", time(model, plan, sweep, most, train, valid, epochs));
          }
        }
      }
    }
  }

  private static JsonObject time(
      String model,
      TrainingPlan plan,
      Backend.Sweep sweep,
      int most,
      ImageSet train,
      ImageSet valid,
      int epochs) {
    int trainings = 0;
    TrainingState start =
        TrainingState.initial(Initializer.PYTORCH.create(plan.architecture(), 1), plan.optimizer());
    while (trainings < most && sweep.add(train, valid, start)) {
      trainings++;
    }
    float[] rates = new float[plan.stepsPerEpoch(train.count())];
    Arrays.fill(rates, RATE);
    EpochInput input = new EpochInput(ExampleOrder.SHUFFLED.indices(train.targets(), 1, 1), rates);
    List<Optional<EpochInput>> inputs = Collections.nCopies(trainings, Optional.of(input));
    Timing timing = Timing.of(epochs, () -> sweep.trainEpoch(inputs));
    JsonObject row = new JsonObject();
    row.addProperty("model", model);
    row.addProperty("trainings", trainings);
    row.add("epoch", timing.json());
    row.addProperty("epochs_per_second", trainings / (timing.median() / 1e6));
    return row;
  }

  private static ImageSet images(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    byte[] pixels = new byte[count * SIDE * SIDE];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (random.nextInt(5) == 0 ? random.nextInt(256) : 0);
    }
    return new ImageSet(pixels, random.ints(count, 0, 2).toArray(), SIDE, SIDE);
  }
}
