package zerofive.backend.cuda;

import jcuda.driver.CUdeviceptr;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;

/**
 * A view of the GPU's memory.
 *
 * @param type of its elements
 * @param memory the allocation that it is a view of
 * @param offset elements before it
 * @param length elements
 */
record CudaBuffer(ElementType type, DevicePointer memory, int offset, int length)
    implements Buffer {
  /** The buffer as its own implementation sees it. */
  static CudaBuffer of(Buffer buffer) {
    return (CudaBuffer) buffer;
  }

  /** Where a buffer's first element stands on the GPU. */
  static long address(Buffer buffer) {
    CudaBuffer view = of(buffer);
    return view.memory.address() + view.bytesBefore();
  }

  /** The same, and 0 where there is no buffer. */
  static long addressOrNull(Buffer buffer) {
    return buffer == null ? 0 : address(buffer);
  }

  /** Bytes of {@code length} elements. */
  static long bytes(ElementType type, int length) {
    int size =
        switch (type) {
          case U8 -> 1;
          case I32, F32 -> 4;
          case F64 -> 8;
        };
    return (long) length * size;
  }

  @Override
  public Buffer slice(int from, int count) {
    return new CudaBuffer(type, memory, offset + from, count);
  }

  long bytes() {
    return bytes(type, length);
  }

  private long bytesBefore() {
    return bytes(type, offset);
  }

  /** Its first element, for JCuda's copies. */
  CUdeviceptr pointer() {
    return memory.withByteOffset(bytesBefore());
  }
}
