package zerofive.backend.cpu;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import zerofive.backend.Arithmetic;
import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.Peaks;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/** Native code on the CPU's cores. */
public final class CpuBackend implements Backend {
  private final int threads;

  /**
   * Nothing is loaded yet.
   *
   * @param threads to compute with; 0 for one on each core
   */
  public CpuBackend(int threads) {
    this.threads = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
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
    Availability library = NativeLibrary.load();
    return library.usable()
        ? Availability.usable(
            "native code, "
                + library.detail()
                + ", "
                + threads
                + (threads == 1 ? " thread" : " threads"))
        : library;
  }

  @Override
  public OptionalInt arithmetic() {
    return OptionalInt.of(Arithmetic.NUMBER);
  }

  @Override
  public TrainingSession open(
      TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    return CpuSession.open(threads, Form.BY_SIZE, plan, train, valid, start);
  }

  @Override
  public Predictor openPredictor(Parameters model) {
    return new CpuPredictor(threads, model);
  }

  @Override
  public Optional<Peaks> peaks() {
    return Optional.of(CpuPeaks.measure(threads));
  }
}
