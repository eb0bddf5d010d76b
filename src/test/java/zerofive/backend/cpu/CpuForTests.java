package zerofive.backend.cpu;

import java.util.List;
import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.ops.Ops;
import zerofive.backend.ops.StepwisePredictor;
import zerofive.backend.ops.StepwiseSession;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/** Opens the native backend's parts to the tests of other packages. */
public final class CpuForTests {
  /**
   * More than one, so that every test is one of the sharing out as well; three is nobody's core.
   */
  private static final int THREADS = 3;

  private CpuForTests() {}

  /** Whether there is a native library here. */
  public static boolean isUsable() {
    return NativeLibrary.load().usable();
  }

  /** New native operations. */
  public static Ops ops() {
    return new NativeOps(THREADS);
  }

  /** The backend as the program makes it. */
  public static Backend backend() {
    return new CpuBackend(THREADS);
  }

  /** The native session on lists and on all pixels, whatever the data, and the textbook loop. */
  public static List<Backend> variants() {
    return List.of(
        new OfForm("cpu-sparse", Form.BY_SIZE),
        new OfForm("cpu-dense", Form.DENSE),
        new Stepwise());
  }

  private record OfForm(String name, Form form) implements Backend {
    @Override
    public Availability probe() {
      return backend().probe();
    }

    @Override
    public TrainingSession open(
        TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
      return CpuSession.open(THREADS, form, plan, train, valid, start);
    }

    @Override
    public Predictor openPredictor(Parameters model) {
      return backend().openPredictor(model);
    }
  }

  private static final class Stepwise implements Backend {
    @Override
    public String name() {
      return "cpu-stepwise";
    }

    @Override
    public Availability probe() {
      return backend().probe();
    }

    @Override
    public TrainingSession open(
        TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
      return StepwiseSession.open(ops(), plan, train, valid, start);
    }

    @Override
    public Predictor openPredictor(Parameters model) {
      return StepwisePredictor.open(ops(), model);
    }
  }
}
