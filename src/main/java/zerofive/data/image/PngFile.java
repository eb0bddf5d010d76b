package zerofive.data.image;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.zip.CRC32;
import zerofive.files.InputException;

/**
 * A PNG file's chunks (ISO/IEC 15948): length, type, data, CRC-32, all of them checked.
 *
 * @param width as stored, before it is turned upright, in pixels
 * @param height as stored, in pixels
 * @param orientation as EXIF says, upright without it
 * @param pixelChunks the file without the chunks that say nothing of pixels, to be read once
 */
record PngFile(long width, long height, ExifOrientation orientation, InputStream pixelChunks) {
  private static final int[] SIGNATURE = {0x89, 'P', 'N', 'G', 13, 10, 26, 10};
  private static final Set<String> OF_PIXELS = Set.of("IHDR", "PLTE", "tRNS", "IEND");
  private static final int OVERHEAD = 12;

  static boolean isPng(byte[] bytes) {
    return BigEndian.startsWith(bytes, SIGNATURE);
  }

  static PngFile parse(String file, byte[] bytes) {
    ByteBuffer copied = ByteBuffer.allocate(bytes.length);
    copied.put(bytes, 0, SIGNATURE.length);
    DataChunk data = new DataChunk(copied);
    ExifOrientation orientation = ExifOrientation.UPRIGHT;
    int at = SIGNATURE.length;
    String type = "";
    while (!type.equals("IEND")) {
      if (bytes.length - at < OVERHEAD) {
        throw cutOff(file, bytes.length);
      }
      long length = BigEndian.u32(bytes, at);
      type = new String(bytes, at + 4, 4, StandardCharsets.ISO_8859_1);
      if (at == SIGNATURE.length && !(type.equals("IHDR") && length == 13)) {
        throw new InputException(
            file + " has no PNG header at byte " + at + "; save the image again");
      }
      if (length > bytes.length - at - OVERHEAD) {
        throw cutOff(file, bytes.length);
      }
      int whole = OVERHEAD + (int) length;
      CRC32 crc = new CRC32();
      crc.update(bytes, at + 4, whole - 8);
      if (crc.getValue() != BigEndian.u32(bytes, at + whole - 4)) {
        throw new InputException(
            file
                + " is damaged: the CRC-32 of the PNG chunk at byte "
                + at
                + " is wrong; fetch or save the image again");
      }
      if (type.equals("IDAT")) {
        data.append(bytes, at + 8, (int) length);
      } else if (OF_PIXELS.contains(type)) {
        data.end();
        copied.put(bytes, at, whole);
      } else if (type.equals("eXIf")) {
        orientation = ExifOrientation.read(ByteBuffer.wrap(bytes, at + 8, (int) length).slice());
      }
      at += whole;
    }
    int header = SIGNATURE.length + 8;
    return new PngFile(
        BigEndian.u32(bytes, header),
        BigEndian.u32(bytes, header + 4),
        orientation,
        new ByteArrayInputStream(copied.array(), 0, copied.position()));
  }

  /**
   * Chunks of compressed pixels that follow each other, as one: the decoder takes 8 KB for each,
   * which of 36 MB of empty ones made 25 GB.
   */
  private static final class DataChunk {
    private static final byte[] TYPE = {'I', 'D', 'A', 'T'};

    private final ByteBuffer copied;
    private final CRC32 crc = new CRC32();
    private int start = -1;

    DataChunk(ByteBuffer copied) {
      this.copied = copied;
    }

    void append(byte[] bytes, int from, int length) {
      if (start < 0) {
        start = copied.position();
        copied.putInt(0).put(TYPE);
        crc.reset();
        crc.update(TYPE);
      }
      copied.put(bytes, from, length);
      crc.update(bytes, from, length);
    }

    void end() {
      if (start >= 0) {
        copied.putInt(start, copied.position() - start - 8).putInt((int) crc.getValue());
        start = -1;
      }
    }
  }

  private static InputException cutOff(String file, int length) {
    return new InputException(
        file
            + " is cut off: it ends at byte "
            + length
            + " before the PNG's end; fetch or save the image again");
  }

  /** The picture as stored. */
  GreyImage decode() throws IOException {
    BufferedImage image =
        ImageDecoder.decode("png", pixelChunks, width, height, reader -> reader.read(0));
    return image.getColorModel() instanceof IndexColorModel palette
        ? indexed(image.getRaster(), palette)
        : direct(image.getRaster(), image.getColorModel().hasAlpha());
  }

  /** A palette, or grey of fewer than eight bits, which the decoder reports in the same way. */
  private static GreyImage indexed(Raster raster, IndexColorModel palette) {
    byte[] greyOf = new byte[256];
    byte[] alphaOf = new byte[256];
    for (int i = 0; i < palette.getMapSize(); i++) {
      greyOf[i] = (byte) Grey.luma(palette.getRed(i), palette.getGreen(i), palette.getBlue(i));
      alphaOf[i] = (byte) palette.getAlpha(i);
    }
    int width = raster.getWidth();
    byte[] grey = new byte[width * raster.getHeight()];
    byte[] alpha = palette.hasAlpha() ? new byte[grey.length] : null;
    int[] row = new int[width];
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, width, 1, row);
      for (int x = 0; x < width; x++) {
        grey[y * width + x] = greyOf[row[x]];
        if (alpha != null) {
          alpha[y * width + x] = alphaOf[row[x]];
        }
      }
    }
    return image(grey, alpha, raster);
  }

  /** One or three samples a pixel, of eight or sixteen bits, and perhaps alpha behind them. */
  private static GreyImage direct(Raster raster, boolean hasAlpha) {
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    boolean wide = raster.getSampleModel().getSampleSize(0) == 16;
    byte[] grey = new byte[width * raster.getHeight()];
    byte[] alpha = hasAlpha ? new byte[grey.length] : null;
    int[] row = new int[width * bands];
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, width, 1, row);
      if (wide) {
        for (int i = 0; i < row.length; i++) {
          row[i] = (row[i] + 128) / 257;
        }
      }
      for (int x = 0; x < width; x++) {
        int at = x * bands;
        grey[y * width + x] =
            (byte) (bands < 3 ? row[at] : Grey.luma(row[at], row[at + 1], row[at + 2]));
        if (alpha != null) {
          alpha[y * width + x] = (byte) row[at + bands - 1];
        }
      }
    }
    return image(grey, alpha, raster);
  }

  private static GreyImage image(byte[] grey, byte[] alpha, Raster raster) {
    if (alpha != null) {
      Grey.layOver(grey, alpha);
    }
    return new GreyImage(grey, raster.getWidth(), raster.getHeight());
  }
}
