package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ExampleOrderTest {
  private static final int[] TARGETS = {1, 0, 2, 0, 1, 1, 0, 2};

  @Test
  void sequentialTakesEachClassInTurnInFileOrder() {
    assertArrayEquals(
        new int[] {1, 3, 6, 0, 4, 5, 2, 7}, ExampleOrder.SEQUENTIAL.indices(TARGETS, 42, 1));
  }

  @Test
  void sequentialIsTheSameForEverySeedAndEpoch() {
    assertArrayEquals(
        ExampleOrder.SEQUENTIAL.indices(TARGETS, 42, 1),
        ExampleOrder.SEQUENTIAL.indices(TARGETS, 7, 40));
  }

  @Test
  void sequentialSkipsAClassThatHasNoImage() {
    assertArrayEquals(
        new int[] {1, 0, 2}, ExampleOrder.SEQUENTIAL.indices(new int[] {5, 0, 5}, 0, 1));
  }

  @ParameterizedTest
  @EnumSource
  void everyOrderVisitsEveryImageOnce(ExampleOrder order) {
    for (int count : new int[] {0, 1, 2, 3, 31, 256, 257, 11_344}) {
      int[] targets = IntStream.range(0, count).map(i -> i * 7 % 10).toArray();
      int[] indices = order.indices(targets, 42, 3);
      Arrays.sort(indices);
      assertArrayEquals(IntStream.range(0, count).toArray(), indices, count + " images");
    }
  }

  @ParameterizedTest
  @EnumSource
  void targetsAreNotChanged(ExampleOrder order) {
    int[] targets = TARGETS.clone();
    order.indices(targets, 42, 1);
    assertArrayEquals(TARGETS, targets);
  }

  /** Computed apart, in Python: swaps from the last place down. */
  @Test
  void shuffledIsPinned() {
    int[] ten = new int[10];
    assertArrayEquals(new int[] {0, 9, 5, 1, 2, 6, 4, 3, 7, 8}, shuffled(ten, 42, 1));
    assertArrayEquals(new int[] {2, 9, 5, 0, 7, 3, 6, 8, 4, 1}, shuffled(ten, 42, 2));
    assertArrayEquals(new int[] {2, 5, 8, 3, 0, 6, 9, 7, 4, 1}, shuffled(ten, 43, 1));
    assertArrayEquals(
        new int[] {3622, 425, 10748, 9153, 3030, 11122, 4468, 9024},
        Arrays.copyOf(shuffled(new int[11_344], 42, 1), 8));
  }

  @Test
  void shuffledIsAPureFunctionOfSeedAndEpoch() {
    int[] targets = new int[300];
    int[] first = shuffled(targets, 42, 5);
    shuffled(targets, 1, 1);
    assertArrayEquals(first, shuffled(targets, 42, 5));
    assertFalse(Arrays.equals(first, shuffled(targets, 42, 6)), "another epoch");
    assertFalse(Arrays.equals(first, shuffled(targets, 43, 5)), "another seed");
  }

  @Test
  void shuffledPermutesTheSequentialOrder() {
    int[] byClass = ExampleOrder.SEQUENTIAL.indices(TARGETS, 42, 1);
    int[] places = shuffled(new int[TARGETS.length], 42, 1);
    assertArrayEquals(
        Arrays.stream(places).map(place -> byClass[place]).toArray(), shuffled(TARGETS, 42, 1));
  }

  /**
   * Each of n images comes to each of n places once in n epochs; over e epochs the count is
   * binomial with variance e (1 - 1/n) / n. All n^2 of them stay within 6 standard deviations.
   */
  @Test
  void everyImageComesToEveryPlaceEquallyOften() {
    int n = 11;
    int epochs = 20_000;
    int[][] seen = new int[n][n];
    for (int epoch = 1; epoch <= epochs; epoch++) {
      int[] order = shuffled(new int[n], 42, epoch);
      for (int place = 0; place < n; place++) {
        seen[place][order[place]]++;
      }
    }
    double expected = (double) epochs / n;
    double tolerance = 6 * Math.sqrt(expected * (1 - 1.0 / n));
    for (int place = 0; place < n; place++) {
      for (int image = 0; image < n; image++) {
        assertEquals(
            expected, seen[place][image], tolerance, "image " + image + " at place " + place);
      }
    }
  }

  private static int[] shuffled(int[] targets, long seed, int epoch) {
    return ExampleOrder.SHUFFLED.indices(targets, seed, epoch);
  }
}
