package zerofive.report.page;

import java.util.ArrayList;
import java.util.List;
import zerofive.backend.Prediction;
import zerofive.data.ImageSet;

/**
 * A labelled image beside what a model says of it.
 *
 * @param index of the image in its set, from 0
 * @param target index of its true class
 * @param predicted index of the class named by the logits, or {@link Prediction#NONE}
 * @param crossEntropy -log of the true class's probability, in nats
 */
record TopLoss(int index, int target, int predicted, double crossEntropy) {
  /**
   * The images that the model finds hardest: wrong ones before right ones, then by the
   * cross-entropy, the largest first, then in the order of the set.
   *
   * @param logits [images, outputs] row-major
   * @param maxCount how many at most
   */
  static List<TopLoss> hardest(ImageSet images, float[] logits, int maxCount) {
    int outputs = logits.length / images.count();
    List<TopLoss> hardest = new ArrayList<>(maxCount + 1);
    for (int i = 0; i < images.count(); i++) {
      int row = i * outputs;
      int target = images.targets()[i];
      TopLoss image =
          new TopLoss(
              i,
              target,
              Prediction.of(logits, row, outputs),
              Prediction.crossEntropy(logits, row, outputs, target));
      int place = hardest.size();
      while (place > 0 && image.isHarderThan(hardest.get(place - 1))) {
        place--;
      }
      hardest.add(place, image);
      if (hardest.size() > maxCount) {
        hardest.remove(maxCount);
      }
    }
    return hardest;
  }

  boolean isWrong() {
    return predicted != target;
  }

  private boolean isHarderThan(TopLoss other) {
    return isWrong() == other.isWrong()
        // Unlike the operators, this counts NaN as the largest of all.
        ? Double.compare(crossEntropy, other.crossEntropy) > 0
        : isWrong();
  }
}
