package zerofive.backend.cpu;

import java.util.Objects;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;

/**
 * A part of native memory.
 *
 * @param type what it holds
 * @param address of its first element
 * @param length in elements
 */
record NativeBuffer(ElementType type, long address, int length) implements Buffer {
  @Override
  public NativeBuffer slice(int from, int count) {
    Objects.checkFromIndexSize(from, count, length);
    return new NativeBuffer(type, address + (long) from * size(type), count);
  }

  /** In bytes. */
  long size() {
    return (long) length * size(type);
  }

  /** Bytes of an element. */
  static int size(ElementType type) {
    return switch (type) {
      case U8 -> Byte.BYTES;
      case I32 -> Integer.BYTES;
      case F32 -> Float.BYTES;
      case F64 -> Double.BYTES;
    };
  }

  /** The address of any implementation's buffer, which has to be ours. */
  static long address(Buffer buffer) {
    return ((NativeBuffer) buffer).address;
  }
}
