package zerofive.backend.jvm;

import static zerofive.backend.jvm.ElementMath.PIXEL_SCALE;
import static zerofive.backend.jvm.ElementMath.fused;

import java.util.Arrays;
import zerofive.backend.TrainingPlan;

/**
 * Training of a linear model with one logit. A batch is divided into parts of 64 rows, whose
 * gradients are summed separately: so threads can share them out without a sum that is split.
 */
final class LinearTraining {
  private static final int PART_ROWS = 64;

  private final Team team;
  private final TrainingPlan plan;
  private final Model model;
  private final SparseImages images;

  /** The gradient of each part, [parts][inputs], and the sum of its gradients at the logit. */
  private final float[][] partGradients;

  private final float[] partDLogits;
  private final float[] losses;
  private final SparseImages.Row[] rows;

  LinearTraining(Team team, TrainingPlan plan, Model model, SparseImages images) {
    this.team = team;
    this.plan = plan;
    this.model = model;
    this.images = images;
    int batchRows = plan.rows(0, images.count());
    partGradients = new float[parts(batchRows)][images.inputs()];
    partDLogits = new float[partGradients.length];
    losses = new float[batchRows];
    rows = new SparseImages.Row[team.members()];
    Arrays.setAll(rows, member -> new SparseImages.Row());
  }

  private static int parts(int rows) {
    return (rows + PART_ROWS - 1) / PART_ROWS;
  }

  /**
   * Takes every step of an epoch.
   *
   * @param order [images], every image number once
   * @param shifts [images], how far each is moved; null where they stay where they are
   * @param stepParameters a row for each step
   * @param lossSums [steps], receives the sum of each step's losses
   */
  void train(int[] order, int[] shifts, float[] stepParameters, double[] lossSums) {
    for (int step = 0; step < lossSums.length; step++) {
      int first = step * plan.batchSize();
      int count = plan.rows(step, order.length);
      int parts = parts(count);
      team.run(
          member -> {
            int end = team.start(parts, member + 1);
            for (int part = team.start(parts, member); part < end; part++) {
              trainPart(rows[member], order, shifts, first, part, count);
            }
          });
      sumParts(parts);
      model.layers[0].updateRow(plan.optimizer(), 0, stepParameters, step);
      model.layers[0].updateBias(plan.optimizer(), stepParameters, step);
      Losses sum = new Losses();
      sum.add(losses, count);
      lossSums[step] = sum.total();
    }
  }

  /** Forward and backward over one part of the batch that starts at place {@code first}. */
  private void trainPart(
      SparseImages.Row row, int[] order, int[] shifts, int first, int part, int batchRows) {
    float[] gradient = partGradients[part];
    Arrays.fill(gradient, 0);
    float[] logit = new float[1];
    float[] dLogit = new float[1];
    float dLogits = 0;
    int end = Math.min(batchRows, (part + 1) * PART_ROWS);
    for (int r = part * PART_ROWS; r < end; r++) {
      int image = order[first + r];
      images.row(image, shifts == null ? 0 : shifts[image], row);
      logit[0] = model.logit(row);
      losses[r] =
          Losses.lossAndGradient(plan.loss(), logit, images.target(image), batchRows, dLogit);
      int[] entries = row.entries();
      for (int e = 0; e < row.count(); e++) {
        int pixel = entries[e] >>> 8;
        gradient[pixel] = fused(entries[e] & 0xff, dLogit[0], gradient[pixel]);
      }
      dLogits += dLogit[0];
    }
    partDLogits[part] = dLogits;
  }

  private void sumParts(int parts) {
    Layer layer = model.layers[0];
    float[] gradient = layer.gradient[0];
    System.arraycopy(partGradients[0], 0, gradient, 0, gradient.length);
    layer.biasGradient[0] = 0;
    for (int part = 0; part < parts; part++) {
      if (part > 0) {
        Chains.add(gradient, partGradients[part]);
      }
      layer.biasGradient[0] += partDLogits[part];
    }
    for (int p = 0; p < gradient.length; p++) {
      gradient[p] *= PIXEL_SCALE;
    }
  }
}
