package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import zerofive.backend.cpu.CpuForTests;
import zerofive.backend.reference.ReferenceBackend;

@Tag("jni")
@ExtendWith(JniCheck.class)
class PeaksTest {
  @Test
  void theLargerOfEachFigureIsKept() {
    assertEquals(new Peaks(5, 7), new Peaks(5, 3).max(new Peaks(4, 7)));
  }

  @Test
  void aRateIsTakenFromRunsThatAreLongEnough() {
    List<Long> times = new ArrayList<>();
    double rate =
        Peaks.rate(
            repeats -> {
              times.add(repeats);
              long end = System.nanoTime() + repeats * 4_000_000;
              while (System.nanoTime() < end) {
                LockSupport.parkNanos(100_000);
              }
              return repeats;
            });
    assertEquals(List.of(1L, 2L), times.subList(0, 2));
    assertTrue(rate > 0 && rate <= 250, rate + " a second");
  }

  @Test
  void nativeCodeMeasuresItsPeaksAndPlainJavaDoesNot() {
    assertTrue(new ReferenceBackend().peaks().isEmpty());
    assumeTrue(CpuForTests.isUsable(), "skipped: this build has no native library");
    Peaks peaks = CpuForTests.backend().peaks().orElseThrow();
    assertTrue(peaks.multiplyAddsPerSecond() > 0, peaks.toString());
    assertTrue(peaks.copyBytesPerSecond() > 0, peaks.toString());
  }
}
