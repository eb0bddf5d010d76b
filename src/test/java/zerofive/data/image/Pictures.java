package zerofive.data.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Image files for tests: PNG written by hand, so that it may lie, and JPEG by Java's encoder. */
public final class Pictures {
  public static final int GREY = 0;
  public static final int RGB = 2;
  public static final int PALETTE = 3;
  public static final int GREY_ALPHA = 4;
  public static final int RGBA = 6;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private Pictures() {
    bytes.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10});
  }

  /** A PNG's beginning. */
  public static Pictures png(int width, int height, int bitDepth, int colourType) {
    return png(width, height, bitDepth, colourType, 0);
  }

  /** A PNG's beginning; {@code interlace} 1 is Adam7. */
  public static Pictures png(int width, int height, int bitDepth, int colourType, int interlace) {
    return new Pictures()
        .chunk(
            "IHDR",
            ByteBuffer.allocate(13)
                .putInt(width)
                .putInt(height)
                .put((byte) bitDepth)
                .put((byte) colourType)
                .putShort((short) 0)
                .put((byte) interlace)
                .array());
  }

  /** A chunk with its right CRC-32. */
  public Pictures chunk(String type, byte[] data) {
    byte[] name = type.getBytes(StandardCharsets.ISO_8859_1);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data);
    bytes.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    bytes.writeBytes(name);
    bytes.writeBytes(data);
    bytes.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
    return this;
  }

  /** The picture's data, rows of {@code rowBytes} unfiltered bytes, and the end. */
  public byte[] rows(int rowBytes, byte... samples) {
    ByteArrayOutputStream filtered = new ByteArrayOutputStream();
    for (int at = 0; at < samples.length; at += rowBytes) {
      filtered.write(0);
      filtered.write(samples, at, rowBytes);
    }
    return data(filtered.toByteArray());
  }

  /** The picture's data, rows that begin with their filter's number, and the end. */
  public byte[] data(byte... filteredRows) {
    return chunk("IDAT", deflated(filteredRows)).chunk("IEND", new byte[0]).bytes.toByteArray();
  }

  public static byte[] deflated(byte[] data) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (DeflaterOutputStream deflater = new DeflaterOutputStream(packed)) {
      deflater.write(data);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  /** A grey PNG of eight bits. */
  public static byte[] png(GreyImage image) {
    return png(image.width(), image.height(), 8, GREY).rows(image.width(), image.pixels());
  }

  /** A grey JPEG; {@code quality} from 0 to 1. */
  public static byte[] jpeg(GreyImage image, float quality) {
    BufferedImage picture =
        new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_BYTE_GRAY);
    picture.getRaster().setDataElements(0, 0, image.width(), image.height(), image.pixels());
    return jpeg(picture, quality);
  }

  public static byte[] jpeg(BufferedImage picture, float quality) {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    ByteArrayOutputStream encoded = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream output = new MemoryCacheImageOutputStream(encoded)) {
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionQuality(quality);
      writer.setOutput(output);
      writer.write(null, new IIOImage(picture, null, null), param);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      writer.dispose();
    }
    return encoded.toByteArray();
  }

  /** Writes a file, and the folders above it. */
  public static Path write(Path file, byte[] content) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      return Files.write(file, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
