package zerofive.backend.cpu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import zerofive.backend.Arithmetic;
import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.DeviceException;
import zerofive.backend.Peaks;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.jvm.JavaPredictor;
import zerofive.backend.jvm.JavaSession;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/**
 * The CPU's cores: native code with the best instructions that they have, or Java where there is no
 * native code. All of them compute the same bits.
 */
public final class CpuBackend implements Backend {
  /** The system property that names one of {@link #instructions}. */
  public static final String INSTRUCTIONS = "zerofive.instructions";

  private static final String JAVA = "java";

  private final int threads;
  private final String asked;

  /** Made when it is asked for: it loads the library. */
  private Engine engine;

  /**
   * What computes.
   *
   * @param set number of an instruction set of native code; -1 for Java
   */
  private record Engine(int set, Availability availability) {
    boolean isNative() {
      return set >= 0;
    }
  }

  /**
   * Takes what {@link #INSTRUCTIONS} names or else the best. Nothing is loaded yet.
   *
   * @param threads to compute with; 0 for one on each core
   */
  public CpuBackend(int threads) {
    this(threads, System.getProperty(INSTRUCTIONS, ""));
  }

  private CpuBackend(int threads, String asked) {
    this.threads = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    this.asked = asked;
  }

  /**
   * Takes exactly what is named.
   *
   * @param instructions one of {@link #instructions}
   * @param threads to compute with; 0 for one on each core
   * @throws DeviceException where this machine or this build does not have it
   */
  public static CpuBackend exactly(String instructions, int threads) {
    CpuBackend backend = new CpuBackend(threads, instructions);
    List<String> notes = backend.probe().notes();
    if (!notes.isEmpty()) {
      throw new DeviceException(notes.get(0));
    }
    return backend;
  }

  /**
   * All that can compute on a CPU, by name: three sets of instructions of native code, and Java.
   */
  public static List<String> instructions() {
    return List.of(NativeLibrary.AVX512, NativeLibrary.AVX2, NativeLibrary.PORTABLE, JAVA);
  }

  /**
   * Puts the native library into {@code folder}, where {@link
   * zerofive.backend.natives.PackedLibrary#UNPACKED} can name it.
   *
   * @return whether this program has one for this platform
   * @throws java.io.IOException where it cannot be read from the jar
   * @throws zerofive.files.OutputException where it cannot be written
   */
  public static boolean unpack(Path folder) throws IOException {
    return NativeLibrary.unpack(folder);
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Availability probe() {
    return engine().availability();
  }

  private synchronized Engine engine() {
    if (engine == null) {
      engine = choose();
    }
    return engine;
  }

  private Engine choose() {
    if (asked.equals(JAVA)) {
      return java(List.of());
    }
    Availability library = NativeLibrary.load();
    if (!library.usable()) {
      return java(List.of("not native code: " + library.detail() + "; " + library.remedy()));
    }
    int wanted = NativeLibrary.SETS.indexOf(asked);
    int set = NativeLibrary.choose(wanted < 0 ? NativeLibrary.SETS.size() - 1 : wanted);
    String name = NativeLibrary.SETS.get(set);
    List<String> notes = List.of();
    if (wanted < 0 && !asked.isEmpty()) {
      notes =
          List.of(
              INSTRUCTIONS
                  + " is '"
                  + asked
                  + "', and known are "
                  + String.join(", ", instructions())
                  + "; set it to one of these or to nothing");
    } else if (set < wanted) {
      notes =
          List.of(
              "not "
                  + asked
                  + ": this CPU or the operating system does not have it; set "
                  + INSTRUCTIONS
                  + " to "
                  + name
                  + " or to nothing");
    }
    return new Engine(set, Availability.usable("native code, " + name + describeThreads(), notes));
  }

  private Engine java(List<String> notes) {
    return new Engine(-1, Availability.usable("Java" + describeThreads(), notes));
  }

  private String describeThreads() {
    return ", " + threads + (threads == 1 ? " thread" : " threads");
  }

  @Override
  public OptionalInt arithmetic() {
    return OptionalInt.of(Arithmetic.NUMBER);
  }

  @Override
  public TrainingSession open(
      TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    return isNative()
        ? CpuSession.open(threads, Form.BY_SIZE, plan, train, valid, start)
        : JavaSession.open(threads, plan, train, valid, start);
  }

  @Override
  public Predictor openPredictor(Parameters model) {
    return isNative() ? new CpuPredictor(threads, model) : new JavaPredictor(threads, model);
  }

  /** Whether native code computes; its instructions are this backend's then. */
  private boolean isNative() {
    if (engine().isNative()) {
      NativeLibrary.choose(engine().set());
    }
    return engine().isNative();
  }

  @Override
  public Optional<Peaks> peaks() {
    return NativeLibrary.load().usable()
        ? Optional.of(CpuPeaks.measure(threads))
        : Optional.empty();
  }
}
