package zerofive.spark;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.util.AccumulatorV2;

/**
 * What tasks report. Spark hands it to the driver as each task ends, while the job still runs; a
 * task that runs twice may report twice.
 */
final class Arrivals<T> extends AccumulatorV2<T, List<T>> {
  private static final long serialVersionUID = 1;

  private final ArrayList<T> items = new ArrayList<>();

  /** What arrived since the last call. */
  synchronized List<T> drain() {
    List<T> drained = List.copyOf(items);
    items.clear();
    return drained;
  }

  @Override
  public synchronized boolean isZero() {
    return items.isEmpty();
  }

  @Override
  public synchronized AccumulatorV2<T, List<T>> copy() {
    Arrivals<T> copy = new Arrivals<>();
    copy.items.addAll(items);
    return copy;
  }

  @Override
  public synchronized void reset() {
    items.clear();
  }

  @Override
  public synchronized void add(T item) {
    items.add(item);
  }

  @Override
  public synchronized void merge(AccumulatorV2<T, List<T>> other) {
    items.addAll(other.value());
  }

  @Override
  public synchronized List<T> value() {
    return List.copyOf(items);
  }
}
