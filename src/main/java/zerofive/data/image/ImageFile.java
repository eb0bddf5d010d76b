package zerofive.data.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Semaphore;
import zerofive.files.InputException;
import zerofive.files.JavaHeap;
import zerofive.files.RegularFile;

/**
 * Reads PNG and JPEG files as greyscale; the content says which a file is. The file's own header is
 * checked before anything is decoded, and the decoder sees only what makes pixels: no text, colour
 * profile or thumbnail.
 *
 * <p>Grey is Rec. 601 luma of the sRGB values, L = (299 R + 587 G + 114 B) / 1000, in the fixed
 * point of Pillow's {@code convert('L')}. Grey images keep their bytes; sixteen bits are rounded to
 * eight; colour profiles and gamma are not applied. Transparent pixels are background: white, or
 * black where what is visible is brighter than middle grey. Pictures are turned upright as their
 * EXIF orientation says.
 */
public final class ImageFile {
  /** Larger pictures are refused by their header; a phone's camera takes 12 to 50 megapixels. */
  public static final int MAX_PIXELS = 50_000_000;

  /** Larger files are refused unread. */
  public static final int MAX_BYTES = 64 << 20;

  /** All threads together: files that are in memory, in bytes, and pictures being decoded. */
  private static final Semaphore BYTES = new Semaphore(2 * MAX_BYTES, true);

  private static final Semaphore PIXELS = new Semaphore(MAX_PIXELS, true);

  /** What other files begin with. */
  private static final Map<String, String> OTHERS = new LinkedHashMap<>();

  static {
    OTHERS.put("GIF8", "a GIF");
    OTHERS.put("BM", "a BMP");
    OTHERS.put("II*\0", "a TIFF");
    OTHERS.put("MM\0*", "a TIFF");
    OTHERS.put("%PDF", "a PDF");
    OTHERS.put("<svg", "an SVG");
    OTHERS.put("P5", "a PGM");
    OTHERS.put("P6", "a PPM");
  }

  private ImageFile() {}

  /**
   * Decodes a PNG or JPEG file.
   *
   * @throws InputException where it is missing, something else, damaged, cut off or too large
   */
  public static GreyImage read(Path file) {
    try {
      long size = RegularFile.size(file, "name a PNG or JPEG file");
      int reserved = (int) Math.max(1, Math.min(size, MAX_BYTES));
      BYTES.acquireUninterruptibly(reserved);
      try (InputStream stream = Files.newInputStream(file)) {
        return decode(file.toString(), stream.readNBytes(reserved), size > MAX_BYTES);
      } finally {
        BYTES.release(reserved);
      }
    } catch (IOException e) {
      throw new InputException(file, e);
    }
  }

  /**
   * Decodes the PNG or JPEG that comes out of a pipe.
   *
   * @param name how messages call it
   * @throws InputException as for a file
   */
  public static GreyImage read(Path name, InputStream pipe) {
    BYTES.acquireUninterruptibly(MAX_BYTES);
    try {
      byte[] bytes = pipe.readNBytes(MAX_BYTES);
      return decode(name.toString(), bytes, bytes.length == MAX_BYTES && pipe.read() >= 0);
    } catch (IOException e) {
      throw new InputException(name, e);
    } finally {
      BYTES.release(MAX_BYTES);
    }
  }

  /**
   * Decodes a PNG or JPEG that is in memory.
   *
   * @param name how messages call it
   * @throws InputException as for a file
   */
  public static GreyImage read(String name, byte[] bytes) {
    return decode(name, bytes, bytes.length > MAX_BYTES);
  }

  /**
   * Decodes what was read of a file.
   *
   * @param isCut whether there is more of it
   */
  private static GreyImage decode(String file, byte[] bytes, boolean isCut) {
    if (bytes.length == 0) {
      throw new InputException(file + " is empty; save the image again");
    }
    if (JpegFile.isJpeg(bytes)) {
      JpegFile jpeg = JpegFile.parse(file, bytes);
      if (isCut && !jpeg.isFollowed()) {
        throw tooManyBytes(file);
      }
      return bounded(
          file, "JPEG", jpeg.width(), jpeg.height(), () -> jpeg.orientation().turn(jpeg.decode()));
    }
    if (isCut) {
      throw tooManyBytes(file);
    }
    if (PngFile.isPng(bytes)) {
      PngFile png = PngFile.parse(file, bytes);
      return bounded(
          file, "PNG", png.width(), png.height(), () -> png.orientation().turn(png.decode()));
    }
    throw new InputException(
        file + " is " + kind(bytes) + ", not a PNG or JPEG image; save it as one of these");
  }

  private static InputException tooManyBytes(String file) {
    return new InputException(
        file
            + " has more than "
            + (MAX_BYTES >> 20)
            + " MiB, the most it may have; save it smaller");
  }

  /** A decoder's work. */
  private interface Decoding {
    GreyImage run() throws IOException;
  }

  private static GreyImage bounded(
      String file, String format, long width, long height, Decoding decoding) {
    if (width < 1 || height < 1) {
      throw new InputException(
          file + " says it has " + ImageShape.describe(height, width) + "; save the image again");
    }
    if (width > MAX_PIXELS || width * height > MAX_PIXELS) {
      throw new InputException(
          file
              + " has "
              + ImageShape.describe(height, width)
              + ", expected at most "
              + MAX_PIXELS / 1_000_000
              + " megapixels; make it smaller");
    }
    int pixels = (int) (width * height);
    PIXELS.acquireUninterruptibly(pixels);
    try {
      return decoding.run();
    } catch (InputException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      Throwable innermost = innermost(e);
      if (innermost instanceof OutOfMemoryError) {
        throw tooLargeForHeap(file, e); // Some decoders wrap it; the picture may be whole.
      }
      // The decoders meet damage with exceptions of many kinds, indices out of bounds among them.
      throw new InputException(
          file
              + " cannot be decoded as "
              + format
              + " ("
              + reason(innermost)
              + "); save the image again, as an ordinary PNG",
          e);
    } catch (OutOfMemoryError e) {
      throw tooLargeForHeap(file, e);
    } catch (LinkageError e) {
      throw new InputException(
          file
              + " cannot be decoded, since this Java lacks its "
              + format
              + " decoder ("
              + e.getMessage()
              + "); install a whole JRE",
          e);
    } finally {
      PIXELS.release(pixels);
    }
  }

  private static InputException tooLargeForHeap(String file, Throwable cause) {
    return new InputException(
        file
            + " needs more than is left of the Java heap of "
            + JavaHeap.mebibytes()
            + " MiB; make it smaller, or "
            + JavaHeap.remedy(),
        cause);
  }

  private static Throwable innermost(Exception e) {
    Throwable innermost = e;
    while (innermost.getCause() != null) {
      innermost = innermost.getCause();
    }
    return innermost;
  }

  private static String reason(Throwable innermost) {
    return innermost instanceof IOException && innermost.getMessage() != null
        ? innermost.getMessage()
        : "its data are damaged";
  }

  private static String kind(byte[] bytes) {
    String start = new String(bytes, 0, Math.min(bytes.length, 16), StandardCharsets.ISO_8859_1);
    if (start.startsWith("RIFF") && start.startsWith("WEBP", 8)) {
      return "a WebP";
    }
    if (start.startsWith("ftyp", 4)) {
      return "a HEIC, AVIF or video";
    }
    return OTHERS.entrySet().stream()
        .filter(known -> start.startsWith(known.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElse("something else");
  }
}
