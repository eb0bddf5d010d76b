package zerofive.model.format;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Safetensors files put together by hand, as another program would or as no program should. */
final class SafetensorsBytes {
  private final List<String> entries = new ArrayList<>();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();

  /** Appends a float32 tensor. */
  SafetensorsBytes tensor(String name, List<Integer> shape, float... values) {
    int begin = data.size();
    data.writeBytes(floats(values));
    entries.add(
        String.format(
            "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}",
            name, shape, begin, data.size()));
    return this;
  }

  /** Appends a float32 tensor of that shape full of 1, 2, 3 and so on from {@code first}. */
  SafetensorsBytes counting(String name, int first, Integer... shape) {
    int length = 1;
    for (int size : shape) {
      length *= size;
    }
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = first + i;
    }
    return tensor(name, List.of(shape), values);
  }

  /** Appends {@code __metadata__} with this JSON. */
  SafetensorsBytes metadata(String json) {
    entries.add("\"__metadata__\":" + json);
    return this;
  }

  /** The whole file. */
  byte[] file() {
    return file("{" + String.join(",", entries) + "}", data.toByteArray());
  }

  /** A file of this header and these bytes behind it. */
  static byte[] file(String header, byte[] data) {
    return file(header.getBytes(StandardCharsets.UTF_8), data);
  }

  /** A file of this header and these bytes behind it. */
  static byte[] file(byte[] header, byte[] data) {
    return withLength(header.length, header, data);
  }

  /** A file that claims a header of {@code length} bytes. */
  static byte[] withLength(long length, byte[] header, byte[] data) {
    return ByteBuffer.allocate(8 + header.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(length)
        .put(header)
        .put(data)
        .array();
  }

  /** Each value as four bytes, little-endian. */
  static byte[] floats(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return bytes.array();
  }
}
