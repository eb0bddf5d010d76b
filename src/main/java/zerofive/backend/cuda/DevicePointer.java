package zerofive.backend.cuda;

import jcuda.driver.CUdeviceptr;

/**
 * A pointer into the GPU's memory that knows its address, so that a kernel's argument can be
 * written as a number.
 */
final class DevicePointer extends CUdeviceptr {
  /** To be filled in by an allocation. */
  DevicePointer() {}

  /** As the GPU sees it. */
  long address() {
    return getNativePointer();
  }
}
