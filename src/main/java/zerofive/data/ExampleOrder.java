package zerofive.data;

import java.util.Locale;

/** In which order an epoch visits the training images. */
public enum ExampleOrder {
  /** All images of the first class in file order, then all of the second, and so on. */
  SEQUENTIAL,
  /** A permutation of the sequential order, a pure function of seed and epoch. */
  SHUFFLED;

  /**
   * The image numbers in the order of {@code epoch}.
   *
   * @param targets [count], each image's class index
   * @param seed of the run
   * @param epoch counted from 1; the sequential order is the same in all
   * @return [count], every number from 0 to count - 1 once
   */
  public int[] indices(int[] targets, long seed, int epoch) {
    int[] order = byClass(targets);
    if (this == SHUFFLED) {
      SplitMix64 random = new SplitMix64(seed, epoch);
      for (int i = order.length - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
      }
    }
    return order;
  }

  private static int[] byClass(int[] targets) {
    int classes = 0;
    for (int target : targets) {
      classes = Math.max(classes, target + 1);
    }
    int[] next = new int[classes + 1];
    for (int target : targets) {
      next[target + 1]++;
    }
    for (int c = 0; c < classes; c++) {
      next[c + 1] += next[c];
    }
    int[] order = new int[targets.length];
    for (int i = 0; i < targets.length; i++) {
      order[next[targets[i]]++] = i;
    }
    return order;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
