package zerofive.train;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** A signal inside another program; the one of a process is tested through the launcher. */
class StopSignalTest {
  @Test
  void whoeverRunsTheTrainingIsAsked() {
    AtomicBoolean ends = new AtomicBoolean();
    try (StopSignal signal = StopSignal.asking(ends::get)) {
      assertFalse(signal.requested());
      ends.set(true);
      assertTrue(signal.requested());
    }
  }

  @Test
  void aRequestStays() {
    try (StopSignal signal = StopSignal.asking(() -> false)) {
      signal.request();
      assertTrue(signal.requested());
    }
  }
}
