package zerofive.backend.reference;

import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.ops.StepwisePredictor;
import zerofive.backend.ops.StepwiseSession;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/** Sums in double, in Java on one thread; usable everywhere. */
public final class ReferenceBackend implements Backend {
  @Override
  public String name() {
    return "reference";
  }

  @Override
  public Availability probe() {
    return Availability.usable("Java in double precision, 1 thread");
  }

  @Override
  public TrainingSession open(
      TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    return StepwiseSession.open(new ReferenceOps(), plan, train, valid, start);
  }

  @Override
  public Predictor openPredictor(Parameters model) {
    return StepwisePredictor.open(new ReferenceOps(), model);
  }
}
