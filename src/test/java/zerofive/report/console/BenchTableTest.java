package zerofive.report.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import zerofive.backend.Peaks;
import zerofive.backend.reference.ReferenceBackend;
import zerofive.study.benchmark.Benchmark;
import zerofive.study.benchmark.EpochWork;

class BenchTableTest {
  private static final EpochWork WORK = new EpochWork(11_344, 1.07e9, 0.24e9, 0.221, 9.17e6);

  private static Benchmark.Result result(String name, Optional<Peaks> peaks, double... seconds) {
    ReferenceBackend backend = new ReferenceBackend();
    return new Benchmark.Result(
        new Benchmark.Candidate(name, backend, backend),
        new Benchmark.FirstEpoch(0.1, 0.1, 7),
        seconds,
        peaks);
  }

  @Test
  void aRowTellsTimesRatesSpeedUpAndShare() {
    List<String> rows =
        BenchTable.rows(
            List.of(
                result("reference", Optional.empty(), 0.054, 0.055, 0.056),
                result("cpu, 16 threads", Optional.of(new Peaks(1e11, 2e10)), 0.0055)),
            WORK);
    assertEquals(3, rows.size());
    assertTrue(rows.stream().allMatch(row -> row.length() <= 96), rows.toString());
    assertEquals(
        List.of("reference", "55.0 ms", "54.5 .. 55.5", "206 k", "1.00 x", "19.5", "4.36", "-"),
        List.of(rows.get(1).strip().split("  +", -1)));
    assertEquals(
        List.of(
            "cpu, 16 threads",
            "5.50 ms",
            "5.50 .. 5.50",
            "2.06 M",
            "10.0 x",
            "195",
            "43.6",
            "21.8 % compute"),
        List.of(rows.get(2).strip().split("  +", -1)));
  }

  @Test
  void limitsThatAreSharedAreToldOnce() {
    Optional<Peaks> peaks = Optional.of(new Peaks(8.6e10, 1.12e10));
    List<String> limits =
        BenchTable.limits(
            List.of(
                result("cuda", Optional.empty(), 1),
                result("reference", peaks, 1),
                result("cpu, 1 thread", peaks, 1)));
    assertEquals(
        List.of(
            "cuda: not known, for native code has to measure them",
            "reference and cpu, 1 thread: 172 GFLOP/s by float32 multiply-adds,"
                + " 11.2 GB/s read and written in a copy"),
        limits);
  }

  @Test
  void figuresHaveThreeDigits() {
    assertEquals(
        List.of("0.00", "2.59", "10.0", "54.3", "100", "1640"),
        List.of(0.0, 2.59, 9.996, 54.31, 99.96, 1640.2).stream().map(BenchTable::figure).toList());
    assertEquals(
        List.of("12.0 ", "1.00 k", "4.38 M", "120 T"),
        List.of(12.0, 999.6, 4.38e6, 1.2e14).stream().map(BenchTable::metric).toList());
  }
}
