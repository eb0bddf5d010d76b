package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.backend.DeviceException;
import zerofive.backend.Peaks;
import zerofive.backend.cuda.CudaOptions.SessionKind;

@ExtendWith(FreshDevice.class)
final class CudaPeaksTest {
  private static CudaBackend backend() {
    return CudaUnderTest.backend(CublasLibrary.NONE, SessionKind.GRAPH);
  }

  private static void assertNothingLeft() {
    assertEquals(List.of(), SimulatedDevice.liveObjects());
    assertEquals(List.of(), SimulatedDevice.violations());
  }

  @Test
  void aCardMeasuresItsPeaksAndKeepsNothing() {
    try (CudaBackend backend = backend()) {
      Peaks peaks = backend.peaks().orElseThrow();
      assertTrue(peaks.multiplyAddsPerSecond() > 0, peaks.toString());
      assertTrue(peaks.copyBytesPerSecond() > 0, peaks.toString());
    }
    assertTrue(SimulatedDevice.calls("cuMemcpyDtoDAsync") > 0);
    assertNothingLeft();
  }

  @ParameterizedTest
  @CsvSource({
    "cuStreamCreate, 1, 2",
    "cuMemHostAlloc, 1, 2",
    "cuMemAlloc, 1, 2",
    "cuMemAlloc, 3, 2",
    "cuLaunchKernel, 1, 719",
    "cuMemcpyDtoDAsync, 1, 719",
    "cuStreamSynchronize, 1, 700"
  })
  void aCardThatFailsIsOneSentenceAndLeavesNothing(String function, int call, int code) {
    try (CudaBackend backend = backend()) {
      SimulatedDevice.fail(function, call, code);
      DeviceException e = assertThrows(DeviceException.class, backend::peaks);
      assertTrue(e.getMessage().contains("failed with CUDA_ERROR_"), e.getMessage());
    }
    assertNothingLeft();
  }
}
