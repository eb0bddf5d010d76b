package zerofive.backend.jvm;

import zerofive.backend.Evaluation;
import zerofive.backend.Prediction;
import zerofive.backend.ops.ForwardPass;
import zerofive.model.Loss;

/** The logits of a set of images, and what they are worth. */
final class Measure {
  private final SparseImages images;
  private final float[] logits;
  private final float[] losses;
  private final int[] correct;

  private Measure(SparseImages images, int outputs, int members) {
    this.images = images;
    logits = new float[ForwardPass.elements(images.count(), outputs)];
    losses = new float[images.count()];
    correct = new int[members];
  }

  /** Runs all images; each member of the team some of them. */
  static Measure of(Team team, Model model, SparseImages images, Loss loss) {
    Measure measure = new Measure(images, model.outputs(), team.members());
    team.run(
        member ->
            measure.run(
                model,
                loss,
                member,
                team.start(images.count(), member),
                team.start(images.count(), member + 1)));
    return measure;
  }

  private void run(Model model, Loss loss, int member, int start, int end) {
    float[][] h = model.activations();
    float[] z = h[h.length - 1];
    Chains chains = model.chains();
    Convolution[] windows = model.windows();
    SparseImages.Row row = new SparseImages.Row();
    int right = 0;
    for (int image = start; image < end; image++) {
      images.row(image, 0, row);
      model.forward(row, chains, windows, h);
      losses[image] = Losses.loss(loss, z, images.target(image));
      right += Prediction.of(z, 0, z.length) == images.target(image) ? 1 : 0;
      System.arraycopy(z, 0, logits, image * z.length, z.length);
    }
    correct[member] = right;
  }

  /** [images, outputs] */
  float[] logits() {
    return logits;
  }

  /** Losses summed as those of one step, and the right predictions; begun at {@code startNanos}. */
  Evaluation evaluation(long startNanos) {
    Losses sum = new Losses();
    sum.add(losses, losses.length);
    int right = 0;
    for (int some : correct) {
      right += some;
    }
    return new Evaluation(
        sum.total() / losses.length, right, losses.length, System.nanoTime() - startNanos);
  }
}
