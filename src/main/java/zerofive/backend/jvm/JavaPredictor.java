package zerofive.backend.jvm;

import zerofive.backend.Evaluation;
import zerofive.backend.Predictor;
import zerofive.backend.ops.ForwardPass;
import zerofive.data.ImageSet;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** A model's logits and measure, as a session has them. */
public final class JavaPredictor implements Predictor {
  private final Team team;
  private final Parameters parameters;
  private final Model model;

  /** Copies the model. */
  public JavaPredictor(int threads, Parameters parameters) {
    this.parameters = parameters;
    model = new Model(parameters.architecture(), -1);
    model.set(0, parameters.values(), 0);
    team = new Team(threads);
  }

  @Override
  public float[] logits(ImageSet images) {
    // Any loss that the model can have: it is measured too, and not asked for.
    return measure(images, model.outputs() == 1 ? Loss.BCE : Loss.CROSS_ENTROPY).logits();
  }

  @Override
  public Evaluation evaluate(ImageSet images, Loss loss) {
    long start = System.nanoTime();
    return measure(images, loss).evaluation(start);
  }

  private Measure measure(ImageSet images, Loss loss) {
    ForwardPass.check(parameters.architecture(), images);
    return Measure.of(team, model, SparseImages.scanned(images), loss);
  }

  @Override
  public void close() {
    team.close();
  }
}
