package zerofive.backend.reference;

import java.util.Objects;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;

/**
 * A part of a Java array.
 *
 * @param type what the array holds; decides which of the typed views may be asked for
 * @param array byte[], int[], float[] or double[]
 * @param offset of this part's first element in the array
 * @param length of this part, in elements
 */
record ReferenceBuffer(ElementType type, Object array, int offset, int length) implements Buffer {
  static ReferenceBuffer allocate(ElementType type, int length) {
    Object array =
        switch (type) {
          case U8 -> new byte[length];
          case I32 -> new int[length];
          case F32 -> new float[length];
          case F64 -> new double[length];
        };
    return new ReferenceBuffer(type, array, 0, length);
  }

  @Override
  public ReferenceBuffer slice(int from, int count) {
    Objects.checkFromIndexSize(from, count, length);
    return new ReferenceBuffer(type, array, offset + from, count);
  }

  byte[] bytes() {
    return (byte[]) array;
  }

  int[] ints() {
    return (int[]) array;
  }

  float[] floats() {
    return (float[]) array;
  }

  double[] doubles() {
    return (double[]) array;
  }
}
