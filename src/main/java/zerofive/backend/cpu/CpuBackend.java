package zerofive.backend.cpu;

import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.Scorer;
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
  public TrainingSession open(
      TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    return CpuSession.open(threads, Form.BY_DENSITY, plan, train, valid, start);
  }

  @Override
  public Scorer openScorer(Parameters model) {
    return new CpuScorer(threads, model);
  }
}
