package zerofive.backend.jvm;

import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/** The CPU's arithmetic in Java; usable everywhere, with the bits of native code. */
public final class JavaBackend implements Backend {
  private final int threads;

  /** Computes with so many threads, one at least. */
  public JavaBackend(int threads) {
    this.threads = threads;
  }

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Availability probe() {
    return Availability.usable("Java, " + threads + (threads == 1 ? " thread" : " threads"));
  }

  @Override
  public TrainingSession open(
      TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    return JavaSession.open(threads, plan, train, valid, start);
  }

  @Override
  public Predictor openPredictor(Parameters model) {
    return new JavaPredictor(threads, model);
  }
}
