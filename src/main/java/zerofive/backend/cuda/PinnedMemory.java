package zerofive.backend.cuda;

import static jcuda.driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY;
import static jcuda.driver.JCudaDriver.CU_MEMHOSTALLOC_DEVICEMAP;
import static jcuda.driver.JCudaDriver.CU_MEMHOSTALLOC_PORTABLE;

import java.nio.ByteBuffer;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;
import zerofive.backend.DeviceException;

/**
 * Pinned memory of the host: the GPU copies from and to it on its own, while the host goes on.
 * Java's arrays cannot be used for that, since JCuda pins them during its call only.
 */
final class PinnedMemory implements AutoCloseable {
  private final Pointer pointer = new Pointer();
  private final ByteBuffer bytes;

  PinnedMemory(int size) {
    String doing = "pinning " + size + " bytes of the host's memory";
    int result =
        JCudaDriver.cuMemHostAlloc(
            pointer, Math.max(1, size), CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP);
    if (result == CUDA_ERROR_OUT_OF_MEMORY) {
      throw new DeviceException(
          doing
              + " failed with CUDA_ERROR_OUT_OF_MEMORY: the host, not the GPU, has too little that can be pinned",
          "close other programs, give the container or the virtual machine more memory, or train"
              + " with --device cpu",
          null);
    }
    CudaFailure.check(result, doing);
    bytes = pointer.getByteBuffer(0, size);
  }

  /** All of it, in the machine's byte order; position and limit belong to the caller. */
  ByteBuffer bytes() {
    return bytes;
  }

  Pointer pointer() {
    return pointer;
  }

  /** Its address; one address space for GPU and host is what every 64-bit driver on Linux has. */
  long address() {
    DevicePointer seen = new DevicePointer();
    CudaFailure.check(
        JCudaDriver.cuMemHostGetDevicePointer(seen, pointer, 0), "addressing pinned memory");
    return seen.address();
  }

  /** Also where the GPU is lost: then there is nothing left to free. */
  @Override
  public void close() {
    JCudaDriver.cuMemFreeHost(pointer);
  }
}
