package zerofive.backend.cuda;

import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/** A point in a stream that the host can wait for. */
final class CudaEvent implements AutoCloseable {
  private final CUevent event = new CUevent();

  CudaEvent() {
    CudaFailure.check(
        JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING),
        "creating an event");
  }

  /** Marks what {@code stream} was given so far. */
  void record(CUstream stream) {
    CudaFailure.check(JCudaDriver.cuEventRecord(event, stream), "recording an event");
  }

  /** Returns when what was marked is done; at once where nothing was. */
  void await() {
    CudaFailure.check(JCudaDriver.cuEventSynchronize(event), "waiting for the GPU");
  }

  @Override
  public void close() {
    JCudaDriver.cuEventDestroy(event);
  }
}
