package zerofive.data.image;

import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Set;
import zerofive.files.InputException;

/**
 * A JPEG file's segments (ITU-T T.81): what is needed of them before decoding.
 *
 * @param width as stored, before it is turned upright, in pixels
 * @param height as stored, in pixels
 * @param colours how its samples name a colour
 * @param orientation as EXIF says, upright without it
 * @param isFollowed whether something follows the picture's end
 * @param pixelSegments the picture without its APPn segments and comments, to be read once
 */
record JpegFile(
    int width,
    int height,
    Colours colours,
    ExifOrientation orientation,
    boolean isFollowed,
    InputStream pixelSegments) {
  /** What the components are; those of four come inverted, as Adobe writes them. */
  private enum Colours {
    GREY,
    YCC,
    RGB,
    CMYK,
    YCCK
  }

  private static final int RST0 = 0xd0;
  private static final int RST7 = 0xd7;
  private static final int SOI = 0xd8;
  private static final int EOI = 0xd9;
  private static final int SOS = 0xda;
  private static final int APP0 = 0xe0;
  private static final int APP1 = 0xe1;
  private static final int APP14 = 0xee;
  private static final int APP15 = 0xef;
  private static final int COMMENT = 0xfe;

  /** A progressive JPEG has about ten; each costs as much as a whole picture. */
  private static final int MAX_SCANS = 500;

  /** The same of the largest pictures: 4 KB can hold 400 scans, which would take minutes. */
  private static final int MAX_SCANS_OF_LARGEST = 16;

  /** Warnings after which all pixels are right; Samsung's cameras write zeros behind SOS. */
  private static final Set<String> HARMLESS =
      Set.of("extraneous bytes", "Invalid SOS parameters for sequential JPEG");

  static boolean isJpeg(byte[] bytes) {
    return BigEndian.startsWith(bytes, 0xff, SOI, 0xff);
  }

  static JpegFile parse(String file, byte[] bytes) {
    ByteBuffer copied = ByteBuffer.allocate(bytes.length);
    copied.put(bytes, 0, 2);
    boolean jfif = false;
    int adobeTransform = -1;
    ExifOrientation orientation = null;
    int frame = -1;
    int at = 2;
    while (true) {
      while (at + 1 < bytes.length && bytes[at] == (byte) 0xff && bytes[at + 1] == (byte) 0xff) {
        at++; // A marker may have fill bytes in front.
      }
      if (bytes.length - at < 4) {
        throw cutOff(file, "before its picture begins");
      }
      int marker = bytes[at + 1] & 0xff;
      int whole = 2 + BigEndian.u16(bytes, at + 2);
      if (bytes[at] != (byte) 0xff || marker < 0xc0 || marker == EOI || whole < 4) {
        throw new InputException(
            file
                + " is damaged: no JPEG segment at byte "
                + at
                + "; fetch or save the image again");
      }
      if (whole > bytes.length - at) {
        throw cutOff(file, "in the JPEG segment at byte " + at);
      }
      int content = at + 4;
      if (marker == SOS) {
        break;
      } else if (marker == APP0 && holds(bytes, at, whole, "JFIF\0", 5)) {
        jfif = true;
      } else if (marker == APP1
          && orientation == null // Of several the first counts.
          && holds(bytes, at, whole, "Exif\0\0", 6)) {
        orientation = ExifOrientation.read(ByteBuffer.wrap(bytes, content + 6, whole - 10).slice());
      } else if (marker == APP14 && holds(bytes, at, whole, "Adobe", 12)) {
        adobeTransform = bytes[content + 11] & 0xff;
      } else if (isFrame(marker)
          && frame < 0
          && whole >= 10
          && whole >= 10 + 3 * (bytes[at + 9] & 0xff)) {
        frame = content;
      }
      if ((marker < APP0 || marker > APP15) && marker != COMMENT) {
        copied.put(bytes, at, whole);
      }
      at += whole;
    }
    if (frame < 0) {
      throw new InputException(
          file + " is damaged: its JPEG header names no size; fetch or save the image again");
    }
    int width = BigEndian.u16(bytes, frame + 3);
    int height = BigEndian.u16(bytes, frame + 1);
    int end = end(file, bytes, at, maxScans((long) width * height));
    copied.put(bytes, at, end - at);
    return new JpegFile(
        width,
        height,
        colours(file, bytes, frame, jfif, adobeTransform),
        Objects.requireNonNullElse(orientation, ExifOrientation.UPRIGHT),
        end < bytes.length,
        new ByteArrayInputStream(copied.array(), 0, copied.position()));
  }

  private static InputException cutOff(String file, String where) {
    return new InputException(
        file + " is cut off: it ends " + where + "; fetch or save the image again");
  }

  /** Whether a segment begins with {@code name} and holds {@code minContent} bytes of content. */
  private static boolean holds(byte[] bytes, int at, int whole, String name, int minContent) {
    return whole - 4 >= minContent
        && new String(bytes, at + 4, name.length(), StandardCharsets.ISO_8859_1).equals(name);
  }

  /** SOF0 to SOF15, among which DHT, JPG and DAC have their codes. */
  private static boolean isFrame(int marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
  }

  private static long maxScans(long pixels) {
    long affordable = (long) MAX_SCANS_OF_LARGEST * ImageFile.MAX_PIXELS / Math.max(1, pixels);
    return Math.max(MAX_SCANS_OF_LARGEST, Math.min(MAX_SCANS, affordable));
  }

  /**
   * The byte behind the picture's end; the file's length where it has none. What follows is not of
   * this picture: phones put a video there, of tens of MB, or a second picture.
   *
   * @param at the first scan
   * @param maxScans the most it may have
   */
  private static int end(String file, byte[] bytes, int at, long maxScans) {
    int scans = 0;
    int next = at;
    while (next + 3 < bytes.length) {
      int marker = bytes[next] == (byte) 0xff ? bytes[next + 1] & 0xff : 0;
      if (marker == EOI) {
        return next + 2;
      }
      if (marker == SOS && ++scans > maxScans) {
        throw new InputException(
            file + " has over " + maxScans + " scans; save it as an ordinary JPEG or PNG");
      }
      // In a scan's own bytes 0xff is followed by 0, or by the marker of a restart.
      boolean isSegment = marker >= 0xc0 && marker != 0xff && (marker < RST0 || marker > RST7);
      next += isSegment ? 2 + BigEndian.u16(bytes, next + 2) : 1;
    }
    return bytes.length;
  }

  /** As libjpeg decides it: by JFIF, else by Adobe's segment, else by the components' names. */
  private static Colours colours(
      String file, byte[] bytes, int frame, boolean jfif, int adobeTransform) {
    int components = bytes[frame + 5] & 0xff;
    return switch (components) {
      case 1 -> Colours.GREY;
      case 3 -> {
        boolean namedRgb =
            bytes[frame + 6] == 'R' && bytes[frame + 9] == 'G' && bytes[frame + 12] == 'B';
        yield !jfif && (adobeTransform == 0 || (adobeTransform < 0 && namedRgb))
            ? Colours.RGB
            : Colours.YCC;
      }
      case 4 -> adobeTransform > 0 ? Colours.YCCK : Colours.CMYK;
      default ->
          throw new InputException(
              file
                  + " has "
                  + components
                  + " colour components, expected 1, 3 or 4; save it as an ordinary JPEG or PNG");
    };
  }

  /** The picture as stored; its samples come as they are, and colour is computed here. */
  GreyImage decode() throws IOException {
    Raster raster =
        ImageDecoder.decode(
            "jpeg",
            pixelSegments,
            width,
            height,
            reader -> {
              reader.addIIOReadWarningListener((source, warning) -> checkWarning(warning));
              return reader.readRaster(0, null);
            });
    int bands = raster.getNumBands();
    byte[] grey = new byte[width * height];
    int[] row = new int[width * bands];
    for (int y = 0; y < height; y++) {
      raster.getPixels(0, y, width, 1, row);
      for (int x = 0; x < width; x++) {
        grey[y * width + x] = (byte) luma(row, x * bands);
      }
    }
    return new GreyImage(grey, width, height);
  }

  /**
   * Ends the decoding by an exception where bytes are missing: the decoder would fill up with grey,
   * scan after scan, and only warn.
   */
  private static void checkWarning(String warning) {
    if (HARMLESS.stream().noneMatch(warning::contains)) {
      throw new UncheckedIOException(new IOException(warning));
    }
  }

  private int luma(int[] samples, int at) {
    int first = samples[at];
    return switch (colours) {
      case GREY -> first;
      case RGB -> Grey.luma(first, samples[at + 1], samples[at + 2]);
      case CMYK -> lumaWithBlack(first, samples[at + 1], samples[at + 2], samples[at + 3]);
      case YCC -> {
        int rgb = rgb(first, samples[at + 1], samples[at + 2]);
        yield Grey.luma(rgb >> 16, (rgb >> 8) & 0xff, rgb & 0xff);
      }
      case YCCK -> {
        int cmy = ~rgb(first, samples[at + 1], samples[at + 2]);
        yield lumaWithBlack((cmy >> 16) & 0xff, (cmy >> 8) & 0xff, cmy & 0xff, samples[at + 3]);
      }
    };
  }

  /**
   * Inks are stored as the light that they let through; rounded as Pillow's convert('RGB') does.
   */
  private static int lumaWithBlack(int cyan, int magenta, int yellow, int black) {
    return Grey.luma(
        (cyan * black + 127) / 255, (magenta * black + 127) / 255, (yellow * black + 127) / 255);
  }

  /** JFIF's equations, in libjpeg's sixteen-bit fixed point; 0xRRGGBB. */
  private static int rgb(int y, int cb, int cr) {
    int red = y + ((91881 * (cr - 128) + 0x8000) >> 16);
    int green = y + ((-22554 * (cb - 128) - 46802 * (cr - 128) + 0x8000) >> 16);
    int blue = y + ((116130 * (cb - 128) + 0x8000) >> 16);
    return (clamp(red) << 16) | (clamp(green) << 8) | clamp(blue);
  }

  private static int clamp(int value) {
    return Math.max(0, Math.min(255, value));
  }
}
