package zerofive.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
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
   * More than one, so that every test is one of the sharing out as well; golden digests and
   * check.cpp have three, where parts are uneven.
   */
  private static final int THREADS = 2;

  /** In the order of choose_kernels in native code. */
  static final List<String> INSTRUCTIONS = List.of("portable", "AVX2", "AVX512");

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

  /** One for each instruction set that this machine and this build have, the slowest first. */
  public static List<Backend> instructionSets(int threads) {
    if (!isUsable()) {
      return List.of();
    }
    int best = Native.chooseKernels(INSTRUCTIONS.size() - 1);
    return IntStream.rangeClosed(0, best)
        .mapToObj(set -> (Backend) new OfInstructions(set, threads))
        .toList();
  }

  /** Java, which every build has. */
  public static Backend java(int threads) {
    return new InJava(threads);
  }

  private record InJava(int threads) implements Backend {
    @Override
    public String name() {
      return "Java, " + threads + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public Availability probe() {
      return CpuBackend.exactly("java", threads).probe();
    }

    @Override
    public TrainingSession open(
        TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
      return CpuBackend.exactly("java", threads).open(plan, train, valid, start);
    }

    @Override
    public Predictor openPredictor(Parameters model) {
      return CpuBackend.exactly("java", threads).openPredictor(model);
    }

    @Override
    public String toString() {
      return name();
    }
  }

  /** After a session of other instructions. */
  public static void takeBestInstructions() {
    if (isUsable()) {
      Native.chooseKernels(INSTRUCTIONS.size() - 1);
    }
  }

  /** Has its instructions until those of another are taken: one session at a time. */
  private record OfInstructions(int set, int threads) implements Backend {
    @Override
    public String name() {
      return INSTRUCTIONS.get(set) + ", " + threads + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public Availability probe() {
      return backend().probe();
    }

    @Override
    public TrainingSession open(
        TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
      assertEquals(set, Native.chooseKernels(set));
      return CpuSession.open(threads, Form.BY_SIZE, plan, train, valid, start);
    }

    @Override
    public Predictor openPredictor(Parameters model) {
      return backend().openPredictor(model);
    }

    @Override
    public String toString() {
      return name();
    }
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
