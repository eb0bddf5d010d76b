package zerofive.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A model file as versions wrote it whose metadata had no height and width; all else is the same.
 */
final class EarlierModel {
  private EarlierModel() {}

  /**
   * The bytes of {@code model} without these two, as an earlier version would have written them.
   */
  static byte[] of(Path model) throws IOException {
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(model)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] header = new byte[(int) file.getLong()];
    file.get(header);
    String earlier =
        new String(header, StandardCharsets.UTF_8)
            .replaceFirst(",\"height\":\"\\d+\",\"width\":\"\\d+\"", "")
            .strip();
    byte[] unpadded = earlier.getBytes(StandardCharsets.UTF_8);
    byte[] padded =
        (earlier + " ".repeat(-unpadded.length & Long.BYTES - 1)).getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(Long.BYTES + padded.length + file.remaining())
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(padded.length)
        .put(padded)
        .put(file)
        .array();
  }
}
