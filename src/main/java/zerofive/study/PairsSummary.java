package zerofive.study;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What the trainings of many pairs came to.
 *
 * @param classes whose pairs they are
 * @param cells the pairs that have a result, each over all its seeds, in the classes' order
 * @param accuracy over the seeds: the mean over all pairs
 */
public record PairsSummary(List<String> classes, List<Cell> cells, Spread accuracy) {
  /**
   * A mean and how far single values lie from it.
   *
   * @param count of the values
   * @param deviation standard deviation, over count - 1; 0 for a single value
   */
  public record Spread(int count, double mean, double deviation) {
    static Spread of(double[] values) {
      double sum = 0;
      for (double value : values) {
        sum += value;
      }
      double mean = sum / values.length;
      double squares = 0;
      for (double value : values) {
        squares += (value - mean) * (value - mean);
      }
      return new Spread(
          values.length, mean, values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)));
    }
  }

  /**
   * One pair.
   *
   * @param first the positive class
   * @param second the other
   * @param images validation images
   * @param errors over the seeds
   */
  public record Cell(String first, String second, int images, Spread errors) {
    /** Share of the images predicted rightly, mean over the seeds. */
    public double accuracy() {
      return 1 - errors.mean() / images;
    }
  }

  /** Throws IllegalArgumentException where there is no result. */
  public static PairsSummary of(List<String> classes, Collection<PairResult> results) {
    Map<List<String>, List<PairResult>> byPair = new LinkedHashMap<>();
    Map<Long, List<PairResult>> bySeed = new LinkedHashMap<>();
    for (PairResult result : results) {
      byPair.computeIfAbsent(result.pair().classes(), pair -> new ArrayList<>()).add(result);
      bySeed.computeIfAbsent(result.pair().seed(), seed -> new ArrayList<>()).add(result);
    }
    List<Cell> cells = new ArrayList<>();
    for (int i = 0; i < classes.size(); i++) {
      for (int j = i + 1; j < classes.size(); j++) {
        List<PairResult> seeds = byPair.get(List.of(classes.get(i), classes.get(j)));
        if (seeds != null) {
          cells.add(
              new Cell(
                  classes.get(i),
                  classes.get(j),
                  seeds.get(0).images(),
                  Spread.of(seeds.stream().mapToDouble(PairResult::errors).toArray())));
        }
      }
    }
    double[] means =
        bySeed.values().stream()
            .map(pairs -> pairs.stream().mapToDouble(PairResult::accuracy).average())
            .mapToDouble(OptionalDouble::getAsDouble)
            .toArray();
    if (means.length == 0) {
      throw new IllegalArgumentException("no pair has a result");
    }
    return new PairsSummary(List.copyOf(classes), List.copyOf(cells), Spread.of(means));
  }

  /** The pair of two classes, in the classes' order, if it has a result. */
  public Optional<Cell> cell(String first, String second) {
    return cells.stream()
        .filter(cell -> cell.first().equals(first) && cell.second().equals(second))
        .findFirst();
  }

  /** The pairs from the least accurate on. */
  public List<Cell> hardest() {
    return cells.stream().sorted(Comparator.comparingDouble(Cell::accuracy)).toList();
  }
}
