package zerofive.backend.cuda;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Arrays;

/** What several runs of one thing took. */
@SuppressWarnings("ArrayRecordComponent")
record Timing(double... micros) {
  /** Runs {@code action} once to warm up and {@code times} more, each timed by the host's clock. */
  static Timing of(int times, Runnable action) {
    action.run();
    double[] micros = new double[times];
    for (int i = 0; i < times; i++) {
      long begin = System.nanoTime();
      action.run();
      micros[i] = (System.nanoTime() - begin) / 1e3;
    }
    return new Timing(micros);
  }

  double median() {
    double[] sorted = micros.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  /** Each divided by {@code count}, such as the steps in an epoch. */
  Timing per(double count) {
    return new Timing(Arrays.stream(micros).map(time -> time / count).toArray());
  }

  /** Median, extremes and number of runs, in microseconds. */
  JsonObject json() {
    JsonObject json = new JsonObject();
    json.addProperty("median_us", median());
    json.addProperty("least_us", Arrays.stream(micros).min().orElseThrow());
    json.addProperty("most_us", Arrays.stream(micros).max().orElseThrow());
    json.addProperty("runs", micros.length);
    return json;
  }

  /** Every run, in microseconds. */
  JsonArray all() {
    JsonArray all = new JsonArray();
    Arrays.stream(micros).forEach(all::add);
    return all;
  }
}
