package zerofive.study;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.function.BiPredicate;
import zerofive.data.DataSet;
import zerofive.data.ImageSet;

/**
 * The trainings that several devices have yet to do, all of a pair's seeds one after the other:
 * they share its images.
 */
final class PairsQueue {
  /** What a training keeps for each of its images beside the images: orders and shifts, twice. */
  private static final long BYTES_AN_IMAGE = 16;

  private final Deque<Pair> waiting;
  private final int mostAtOnce;
  private final long heap;

  /**
   * All wait.
   *
   * @param devices that share them
   */
  PairsQueue(List<Pair> pairs, int devices) {
    waiting =
        new ArrayDeque<>(
            pairs.stream()
                .sorted(Comparator.comparing(Pair::first).thenComparing(Pair::second))
                .toList());
    mostAtOnce = (pairs.size() + devices - 1) / devices;
    heap = Runtime.getRuntime().maxMemory() / 2 / devices;
  }

  /**
   * Hands on trainings with their images until the taker refuses one, which goes on waiting, a
   * device has its share of them, or its share of half of Java's heap is taken.
   *
   * @param bytes that each keeps beside its images
   * @param taker whether it takes one; of the same pair it is given the same images
   */
  synchronized void take(DataSet data, long bytes, BiPredicate<Pair, DataSet> taker) {
    long left = heap;
    DataSet two = null;
    List<String> classes = List.of();
    for (int taken = 0; taken < mostAtOnce && !waiting.isEmpty(); taken++) {
      Pair next = waiting.peek();
      if (!next.classes().equals(classes)) {
        classes = next.classes();
        two = data.only(classes);
        left -= bytes(two.train()) + bytes(two.valid());
      }
      left -= bytes + BYTES_AN_IMAGE * two.train().count();
      if ((left < 0 && taken > 0) || !taker.test(next, two)) {
        return;
      }
      waiting.remove();
    }
  }

  private static long bytes(ImageSet images) {
    return images.pixels().length + (long) Integer.BYTES * images.count();
  }
}
