package zerofive.report.chart;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * Writes pictures of 8-bit samples as PNG (ISO/IEC 15948), without interlacing or palette. The
 * JDK's own writer would bring its window system along, which costs more than a whole training.
 */
public final class Png {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final int BITS_PER_SAMPLE = 8;
  private static final int GREY = 0;
  private static final int RGB = 2;

  /** Length, type and checksum of a chunk. */
  private static final int CHUNK_FRAME = 12;

  private static final int HEADER_LENGTH = 13;

  private Png() {}

  /**
   * A grey picture.
   *
   * @param pixels [height, width] row-major, 0 is black and 255 is white
   * @throws IllegalArgumentException where the lengths disagree
   */
  public static byte[] grey(int width, int height, byte[] pixels) {
    return write(width, height, GREY, 1, pixels);
  }

  /**
   * A picture in colours (sRGB).
   *
   * @param pixels [height, width, 3] row-major: red, green, blue
   * @throws IllegalArgumentException where the lengths disagree
   */
  public static byte[] rgb(int width, int height, byte[] pixels) {
    return write(width, height, RGB, 3, pixels);
  }

  private static byte[] write(
      int width, int height, int colourType, int samplesPerPixel, byte[] pixels) {
    long samples = (long) width * height * samplesPerPixel;
    if (width < 1 || height < 1 || samples != pixels.length) {
      throw new IllegalArgumentException(
          pixels.length + " samples do not make " + height + " x " + width + " pixels");
    }
    byte[] header =
        ByteBuffer.allocate(HEADER_LENGTH)
            .putInt(width)
            .putInt(height)
            .put((byte) BITS_PER_SAMPLE)
            .put((byte) colourType)
            .array();
    byte[] data = deflated(pixels, width * samplesPerPixel);
    ByteBuffer file =
        ByteBuffer.allocate(SIGNATURE.length + 3 * CHUNK_FRAME + header.length + data.length);
    file.put(SIGNATURE);
    putChunk(file, "IHDR", header);
    putChunk(file, "IDAT", data);
    putChunk(file, "IEND", new byte[0]);
    return file.array();
  }

  /** The rows, each behind a byte that says it is not filtered, compressed. */
  private static byte[] deflated(byte[] pixels, int rowLength) {
    Deflater deflater = new Deflater();
    try {
      ByteArrayOutputStream compressed = new ByteArrayOutputStream();
      byte[] row = new byte[1 + rowLength];
      byte[] chunk = new byte[1 << 13];
      for (int start = 0; start < pixels.length; start += rowLength) {
        System.arraycopy(pixels, start, row, 1, rowLength);
        deflater.setInput(row);
        while (!deflater.needsInput()) {
          compressed.write(chunk, 0, deflater.deflate(chunk));
        }
      }
      deflater.finish();
      while (!deflater.finished()) {
        compressed.write(chunk, 0, deflater.deflate(chunk));
      }
      return compressed.toByteArray();
    } finally {
      deflater.end();
    }
  }

  private static void putChunk(ByteBuffer file, String type, byte[] data) {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 checksum = new CRC32();
    checksum.update(name);
    checksum.update(data);
    file.putInt(data.length).put(name).put(data).putInt((int) checksum.getValue());
  }
}
