package zerofive.backend.cuda;

import jcuda.driver.CUdeviceptr;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;

/**
 * A view of the GPU's memory.
 *
 * @param memory what it is a view of
 * @param offset elements before it
 * @param length elements
 */
record CudaBuffer(CudaMemory memory, int offset, int length) implements Buffer {
  /** The buffer as its own implementation sees it. */
  static CudaBuffer of(Buffer buffer) {
    return (CudaBuffer) buffer;
  }

  /** Where a buffer's first element stands on the GPU. */
  static long address(Buffer buffer) {
    CudaBuffer view = of(buffer);
    return view.memory.address() + (long) view.offset * CudaMemory.size(view.type());
  }

  @Override
  public ElementType type() {
    return memory.type();
  }

  @Override
  public Buffer slice(int from, int count) {
    return new CudaBuffer(memory, offset + from, count);
  }

  long bytes() {
    return (long) length * CudaMemory.size(type());
  }

  /** Its first element, for JCuda's copies. */
  CUdeviceptr pointer() {
    return memory.pointer().withByteOffset((long) offset * CudaMemory.size(type()));
  }
}
