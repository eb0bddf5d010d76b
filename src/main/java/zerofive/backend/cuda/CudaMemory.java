package zerofive.backend.cuda;

import zerofive.backend.ops.ElementType;

/**
 * An allocation that buffers are views of.
 *
 * @param type of its elements
 * @param address on the GPU, 0 where it is streamed
 * @param pointer the same for JCuda's copies, null where it is streamed
 * @param mirror what the host knows of I32 elements, by which a streamed set is staged; else null
 * @param streamed where the elements are pixels that stay on the host; else null
 */
record CudaMemory(
    ElementType type,
    long address,
    DevicePointer pointer,
    HostMirror mirror,
    StreamedPixels streamed) {
  /** Bytes of an element. */
  static int size(ElementType type) {
    return switch (type) {
      case U8 -> 1;
      case I32, F32 -> 4;
      case F64 -> 8;
    };
  }
}
