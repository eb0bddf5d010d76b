package zerofive.report.console;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import zerofive.backend.Peaks;
import zerofive.study.Quartiles;
import zerofive.study.benchmark.Benchmark;
import zerofive.study.benchmark.EpochWork;

/** What a benchmark found, as lines to be read. */
public final class BenchTable {
  private static final List<String> HEADER =
      List.of(
          "", "epoch", "quartiles", "images/s", "speed-up", "GFLOP/s", "nonzero", "share of limit");

  private BenchTable() {}

  /** A row for each result; the speed-up is relative to the first. */
  public static List<String> rows(List<Benchmark.Result> results, EpochWork work) {
    List<List<String>> cells = new ArrayList<>();
    cells.add(HEADER);
    double base = results.get(0).quartiles().median();
    for (Benchmark.Result result : results) {
      Quartiles times = result.quartiles();
      Unit unit = Unit.of(times.median());
      cells.add(
          List.of(
              result.candidate().name(),
              unit.figure(times.median()) + " " + unit.name(),
              unit.figure(times.lower()) + " .. " + unit.figure(times.upper()),
              metric(work.images() / times.median()).strip(),
              figure(base / times.median()) + " x",
              figure(work.operations() / times.median() / 1e9),
              figure(work.nonzeroOperations() / times.median() / 1e9),
              result.peaks().map(peaks -> share(work.share(times.median(), peaks))).orElse("-")));
    }
    int[] widths =
        IntStream.range(0, HEADER.size())
            .map(column -> cells.stream().mapToInt(row -> row.get(column).length()).max().orElse(0))
            .toArray();
    return cells.stream().map(row -> line(row, widths)).toList();
  }

  private static String line(List<String> row, int[] widths) {
    StringBuilder line =
        new StringBuilder(String.format(Locale.ROOT, "%-" + widths[0] + "s", row.get(0)));
    for (int column = 1; column < widths.length; column++) {
      line.append(String.format(Locale.ROOT, "  %" + widths[column] + "s", row.get(column)));
    }
    return line.toString();
  }

  private static String share(EpochWork.Share ofLimit) {
    return figure(100 * ofLimit.larger()) + " % " + ofLimit.bound();
  }

  /** The limits, and who was measured by them: {@code cpu, 1 thread: 172 GFLOP/s, ...}. */
  public static List<String> limits(List<Benchmark.Result> results) {
    Map<Peaks, String> names = new LinkedHashMap<>();
    for (Benchmark.Result result : results) {
      result
          .peaks()
          .ifPresent(
              peaks -> names.merge(peaks, result.candidate().name(), (a, b) -> a + " and " + b));
    }
    List<String> lines = new ArrayList<>();
    for (Benchmark.Result result : results) {
      if (result.peaks().isEmpty()) {
        lines.add(result.candidate().name() + ": not known, for native code has to measure them");
      }
    }
    names.forEach(
        (peaks, name) ->
            lines.add(
                name
                    + ": "
                    + metric(2 * peaks.multiplyAddsPerSecond())
                    + "FLOP/s by float32 multiply-adds, "
                    + metric(peaks.copyBytesPerSecond())
                    + "B/s read and written in a copy"));
    return lines;
  }

  /** What was compared, in words. */
  public static String work(EpochWork work) {
    return "an epoch is "
        + Format.count(work.images())
        + " images, "
        + metric(work.operations())
        + "FLOP on all pixels, "
        + metric(work.nonzeroOperations())
        + "FLOP where the first layer takes only those that are not 0 ("
        + figure(100 * work.nonzeroFraction())
        + " %), "
        + metric(work.bytes())
        + "B to move at least";
  }

  /** What the share means. */
  public static String shareMeaning() {
    return "of the time that the nonzero pixels' operations take at the peak (compute),"
        + " or the bytes (memory), whichever is longer;"
        + " images that stay in a cache are moved faster than the peak,"
        + " and GFLOP/s count all pixels, though native code may leave out those that are 0";
  }

  /** A unit of time. */
  private record Unit(String name, double seconds) {
    static Unit of(double seconds) {
      return seconds < 1e-3
          ? new Unit("us", 1e-6)
          : seconds < 1 ? new Unit("ms", 1e-3) : new Unit("s", 1);
    }

    String figure(double time) {
      return BenchTable.figure(time / seconds);
    }
  }

  /** With three digits, or all before the point: {@code 2.59}, {@code 54.3}, {@code 1640}. */
  static String figure(double value) {
    return String.format(
        Locale.ROOT, value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f", value);
  }

  /** With the metric system's prefix: {@code 4.38 M}. */
  static String metric(double value) {
    String[] prefixes = {"", "k", "M", "G", "T", "P"};
    int prefix = 0;
    double scaled = value;
    while (scaled >= 999.5 && prefix < prefixes.length - 1) {
      scaled /= 1000;
      prefix++;
    }
    return figure(scaled) + " " + prefixes[prefix];
  }
}
