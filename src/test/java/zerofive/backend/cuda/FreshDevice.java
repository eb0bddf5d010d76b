package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A simulated device as new for each test, and as new after it: the other tests' backends, which
 * live as long as the process, give theirs up and open it again.
 */
final class FreshDevice implements BeforeEachCallback, AfterEachCallback {
  @Override
  public void beforeEach(ExtensionContext context) {
    assumeFalse(
        CudaUnderTest.REAL, "skipped: a real GPU cannot be made to fail, or asked what lives");
    CudaUnderTest.close();
    SimulatedDevice.start();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (SimulatedDevice.missing().isEmpty() && !CudaUnderTest.REAL) {
      SimulatedDevice.reset();
    }
  }
}
