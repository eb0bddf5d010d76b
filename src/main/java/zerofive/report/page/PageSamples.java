package zerofive.report.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import zerofive.backend.Prediction;
import zerofive.data.DataSet;
import zerofive.data.ExampleOrder;
import zerofive.data.ImageSet;

/**
 * Validation images that stand inside a page: the hardest for the model first, then others at
 * random, as many of each class.
 *
 * @param images what they are taken from
 * @param samples in the order of the page
 * @param hard how many of them are the hardest
 * @param errors how many of all images the model misclassifies
 */
record PageSamples(ImageSet images, List<Sample> samples, int hard, int errors) {
  private static final int MAX_SAMPLES = 60;

  /** One of so many is of the hardest. */
  private static final int HARD = 5;

  /** Pixels of all samples, a byte each: 60 of MNIST's are 47 KB. */
  private static final int MAX_PIXELS = 96 << 10;

  /**
   * An image of the page.
   *
   * @param number its place in the validation set, from 1
   * @param target index of its true class
   */
  record Sample(int number, int target) {}

  /**
   * Those of a data set; empty where its images are too large for any to stand in a page.
   *
   * @param logits of its validation images, [images, outputs] row-major
   */
  static Optional<PageSamples> of(DataSet data, float[] logits) {
    ImageSet images = data.valid();
    int outputs = logits.length / images.count();
    int errors =
        (int)
            IntStream.range(0, images.count())
                .filter(i -> Prediction.of(logits, i * outputs, outputs) != images.targets()[i])
                .count();
    int count = Math.min(images.count(), Math.min(MAX_SAMPLES, MAX_PIXELS / images.imageSize()));
    int hard = (count + HARD - 1) / HARD;
    List<Integer> chosen =
        new ArrayList<>(
            TopLoss.hardest(images, logits, hard).stream().map(TopLoss::index).toList());
    chosen.addAll(random(images, data.classes().size(), chosen, count - hard));
    List<Sample> samples =
        chosen.stream().map(index -> new Sample(index + 1, images.targets()[index])).toList();
    return Optional.of(new PageSamples(images, samples, hard, errors)).filter(some -> count > 0);
  }

  /** One of each class in turn, as long as it has more. */
  private static List<Integer> random(
      ImageSet images, int classes, List<Integer> without, int count) {
    int[] order = ExampleOrder.SHUFFLED.indices(images.targets(), 0, 1);
    List<Integer> chosen = new ArrayList<>();
    int[] places = new int[classes];
    while (chosen.size() < count) {
      for (int target = 0; target < classes && chosen.size() < count; target++) {
        int wanted = target;
        int start = places[target];
        int place =
            IntStream.range(start, order.length)
                .filter(i -> images.targets()[order[i]] == wanted && !without.contains(order[i]))
                .findFirst()
                .orElse(order.length);
        places[target] = place + 1;
        if (place < order.length) {
          chosen.add(order[place]);
        }
      }
    }
    return chosen;
  }

  /** Their pixels, [samples, height, width]. */
  byte[] pixels() {
    int size = images.imageSize();
    byte[] pixels = new byte[samples.size() * size];
    for (int i = 0; i < samples.size(); i++) {
      int from = (samples.get(i).number() - 1) * size;
      System.arraycopy(images.pixels(), from, pixels, i * size, size);
    }
    return pixels;
  }
}
