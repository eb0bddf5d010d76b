package zerofive.data.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.data.Refusal;
import zerofive.files.InputException;

class ImageFileTest {
  @TempDir Path folder;

  private GreyImage read(byte[] content) {
    return ImageFile.read(Pictures.write(folder.resolve("picture"), content));
  }

  private Refusal refused(byte[] content) {
    Path file = Pictures.write(folder.resolve("picture"), content);
    return Refusal.of(() -> ImageFile.read(file)).saying(file.toString());
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  private static byte[] ramp() {
    byte[] ramp = new byte[256];
    for (int i = 0; i < ramp.length; i++) {
      ramp[i] = (byte) i;
    }
    return ramp;
  }

  @Test
  void greyKeepsItsBytes() {
    GreyImage image = read(Pictures.png(new GreyImage(ramp(), 32, 8)));
    assertEquals(32, image.width());
    assertEquals(8, image.height());
    assertArrayEquals(ramp(), image.pixels());
  }

  @Test
  void greyOfOneTwoAndFourBitsIsSpreadOverAllShades() {
    assertArrayEquals(
        bytes(0, 255, 255, 0, 255),
        read(Pictures.png(5, 1, 1, Pictures.GREY).rows(1, bytes(0x68))).pixels());
    assertArrayEquals(
        bytes(0, 85, 170, 255),
        read(Pictures.png(4, 1, 2, Pictures.GREY).rows(1, bytes(0x1b))).pixels());
    assertArrayEquals(
        bytes(0, 17, 238, 255),
        read(Pictures.png(4, 1, 4, Pictures.GREY).rows(2, bytes(0x01, 0xef))).pixels());
  }

  @Test
  void sixteenBitsAreRoundedToEight() {
    byte[] samples = bytes(0, 0, 0, 128, 0, 129, 0xff, 0x7e, 0xff, 0x7f, 0xff, 0xff);
    assertArrayEquals(
        bytes(0, 0, 1, 254, 255, 255),
        read(Pictures.png(6, 1, 16, Pictures.GREY).rows(12, samples)).pixels());
  }

  /** The values are those of Pillow 12.3's convert('L'). */
  @Test
  void coloursBecomeTheirLuma() {
    byte[] colours = bytes(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 30, 77, 77, 77);
    byte[] luma = bytes(76, 150, 29, 124, 77);
    assertArrayEquals(luma, read(Pictures.png(5, 1, 8, Pictures.RGB).rows(15, colours)).pixels());
    byte[] palette =
        Pictures.png(5, 1, 8, Pictures.PALETTE)
            .chunk("PLTE", colours)
            .rows(5, bytes(0, 1, 2, 3, 4));
    assertArrayEquals(luma, read(palette).pixels());
  }

  @Test
  void transparentPixelsAreBackground() {
    byte[] darkInk = bytes(40, 255, 40, 0, 40, 128);
    assertArrayEquals(
        bytes(40, 255, 147),
        read(Pictures.png(3, 1, 8, Pictures.GREY_ALPHA).rows(6, darkInk)).pixels());
    byte[] lightInk = bytes(200, 255, 200, 0, 200, 128);
    assertArrayEquals(
        bytes(200, 0, 100),
        read(Pictures.png(3, 1, 8, Pictures.GREY_ALPHA).rows(6, lightInk)).pixels());
    byte[] rgba = bytes(9, 9, 9, 255, 9, 9, 9, 0);
    assertArrayEquals(
        bytes(9, 255), read(Pictures.png(2, 1, 8, Pictures.RGBA).rows(8, rgba)).pixels());
    byte[] palette =
        Pictures.png(2, 1, 8, Pictures.PALETTE)
            .chunk("PLTE", bytes(7, 7, 7, 8, 8, 8))
            .chunk("tRNS", bytes(255, 0))
            .rows(2, bytes(0, 1));
    assertArrayEquals(bytes(7, 255), read(palette).pixels());
    byte[] oneGrey =
        Pictures.png(2, 1, 8, Pictures.GREY).chunk("tRNS", bytes(0, 8)).rows(2, bytes(7, 8));
    assertArrayEquals(bytes(7, 255), read(oneGrey).pixels());
    byte[] oneColour =
        Pictures.png(2, 1, 8, Pictures.RGB)
            .chunk("tRNS", bytes(0, 8, 0, 8, 0, 8))
            .rows(6, bytes(7, 7, 7, 8, 8, 8));
    assertArrayEquals(bytes(7, 255), read(oneColour).pixels());
  }

  @Test
  void anInterlacedPictureIsPutTogether() {
    // Pass 1 holds pixel (0, 0), pass 6 pixel (1, 0), pass 7 the second row.
    byte[] picture = Pictures.png(2, 2, 8, Pictures.GREY, 1).data(bytes(0, 1, 0, 2, 0, 3, 4));
    assertArrayEquals(bytes(1, 2, 3, 4), read(picture).pixels());
  }

  @Test
  void jpegIsReadNearlyAsItWas() {
    BufferedImage colours = new BufferedImage(48, 32, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < 32; y++) {
      for (int x = 0; x < 48; x++) {
        colours.setRGB(x, y, (x < 24 ? 0xc83214 : 0x1464c8));
      }
    }
    GreyImage image = read(Pictures.jpeg(colours, 0.95f));
    assertEquals(Grey.luma(0xc8, 0x32, 0x14), image.at(5, 5), 2);
    assertEquals(Grey.luma(0x14, 0x64, 0xc8), image.at(40, 20), 2);
    assertEquals(100, read(Pictures.jpeg(flat(100), 0.9f)).at(3, 3), 1);
  }

  private static GreyImage flat(int brightness) {
    byte[] pixels = new byte[16 * 16];
    Arrays.fill(pixels, (byte) brightness);
    return new GreyImage(pixels, 16, 16);
  }

  /** A JPEG's pixels are those of Pillow's convert('L'); src/test/pictures made both files. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "ycc",
        "ycc-half-colour",
        "ycc-progressive",
        "ycc-no-marker",
        "ycc-jfif-before-adobe",
        "ycc-zeros-behind-scan",
        "rgb-adobe",
        "rgb-named",
        "cmyk",
        "cmyk-no-marker",
        "ycck",
        "ycck-half-colour",
        "ycck-other-transform"
      })
  void aJpegHasThePixelsThatPillowReads(String name) {
    assertArrayEquals(
        read(resource(name + ".png")).pixels(), read(resource(name + ".jpg")).pixels());
  }

  private static byte[] resource(String name) {
    try (InputStream file = ImageFileTest.class.getResourceAsStream("pictures/" + name)) {
      return file.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final int SHORT = 3;
  private static final int LONG = 4;

  /** EXIF with one entry, the orientation. */
  private static byte[] exif(int orientation, int type, ByteOrder order) {
    ByteBuffer tiff = ByteBuffer.allocate(26).order(order);
    tiff.putShort((short) (order == ByteOrder.LITTLE_ENDIAN ? 0x4949 : 0x4d4d));
    tiff.putShort((short) 42).putInt(8).putShort((short) 1);
    tiff.putShort((short) 0x0112).putShort((short) type).putInt(1);
    if (type == SHORT) {
      tiff.putShort((short) orientation);
    } else {
      tiff.putInt(orientation);
    }
    return tiff.array();
  }

  private static byte[] oriented(byte[] jpeg, byte[] exif) {
    return withSegment(jpeg, 0xe1, "Exif\0\0", exif);
  }

  private static byte[] withSegment(byte[] jpeg, int marker, String name, byte[] content) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    int length = 2 + name.length() + content.length;
    all.writeBytes(bytes(0xff, 0xd8, 0xff, marker, length >> 8, length));
    all.writeBytes(name.getBytes(StandardCharsets.ISO_8859_1));
    all.writeBytes(content);
    all.write(jpeg, 2, jpeg.length - 2);
    return all.toByteArray();
  }

  /** Where the stored picture's corners go: upper left, upper right, lower left, lower right. */
  @Test
  void aPhotoIsTurnedUpright() {
    byte[] pixels = new byte[32 * 16];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) ((i / 32 < 8 ? 0 : 120) + (i % 32 < 16 ? 0 : 60));
    }
    byte[] jpeg = Pictures.jpeg(new GreyImage(pixels, 32, 16), 0.95f);
    String[] corners = {
      "0 1 2 3", "1 0 3 2", "3 2 1 0", "2 3 0 1", "0 2 1 3", "2 0 3 1", "3 1 2 0", "1 3 0 2"
    };
    for (int orientation = 1; orientation <= 8; orientation++) {
      ByteOrder order = orientation % 2 == 0 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
      GreyImage image = read(oriented(jpeg, exif(orientation, SHORT, order)));
      int right = image.width() - 3;
      int bottom = image.height() - 3;
      assertEquals(orientation < 5 ? 32 : 16, image.width());
      assertEquals(
          corners[orientation - 1],
          shade(image.at(2, 2))
              + (" " + shade(image.at(right, 2)))
              + (" " + shade(image.at(2, bottom)))
              + (" " + shade(image.at(right, bottom))));
    }
    byte[] onASide = exif(6, LONG, ByteOrder.BIG_ENDIAN);
    assertEquals(16, read(oriented(jpeg, onASide)).width());
    assertEquals(16, read(oriented(jpeg, exif(6, LONG, ByteOrder.LITTLE_ENDIAN))).width());
    byte[] upsideDown = oriented(jpeg, exif(3, SHORT, ByteOrder.BIG_ENDIAN));
    assertEquals(16, read(oriented(upsideDown, onASide)).width(), "the first EXIF counts");
    byte[] wild = {'I', 'I', 42, 0, -1, -1, -1, -1};
    byte[] unknown = exif(9, SHORT, ByteOrder.BIG_ENDIAN);
    for (byte[] upright : new byte[][] {wild, unknown, Arrays.copyOf(onASide, 18), new byte[0]}) {
      assertEquals(32, read(oriented(jpeg, upright)).width());
    }
  }

  @Test
  void aPngIsTurnedUprightToo() {
    for (int type : new int[] {SHORT, LONG}) {
      byte[] png =
          Pictures.png(2, 1, 8, Pictures.GREY)
              .chunk("eXIf", exif(8, type, ByteOrder.LITTLE_ENDIAN))
              .rows(2, bytes(10, 20));
      GreyImage image = read(png);
      assertEquals(1, image.width());
      assertArrayEquals(bytes(20, 10), image.pixels());
    }
  }

  private static int shade(int brightness) {
    return Math.round(brightness / 60f);
  }

  @Test
  void aFileThatIsNoPicture() {
    refused(new byte[0]).saying("is empty; save");
    refused("cat".getBytes(StandardCharsets.UTF_8)).saying("something else, not a PNG or JPEG");
    refused("GIF89a".getBytes(StandardCharsets.UTF_8)).saying("is a GIF,");
    refused("RIFF1234WEBPVP8 ".getBytes(StandardCharsets.UTF_8)).saying("is a WebP,");
    Refusal.of(() -> ImageFile.read(folder)).saying("is not a regular file");
    Refusal.of(() -> ImageFile.read(folder.resolve("none.png"))).saying("none.png is missing");
  }

  @Test
  void anImageBombIsRefusedByItsHeader() {
    byte[] png = Pictures.png(30_000, 30_000, 1, Pictures.GREY).data(new byte[1000]);
    refused(png)
        .saying("has 30000 x 30000 pixels, expected at most 50 megapixels; make it smaller");
    refused(Pictures.png(-1, -1, 16, Pictures.RGBA).data()).saying("4294967295 x 4294967295");
    refused(Pictures.png(0, 5, 8, Pictures.GREY).data()).saying("5 x 0 pixels (height x width)");
    byte[] jpeg = Pictures.jpeg(flat(9), 0.9f);
    Arrays.fill(jpeg, sizeOfJpeg(jpeg), sizeOfJpeg(jpeg) + 4, (byte) 0xff);
    refused(jpeg).saying("65535 x 65535 pixels");
  }

  private static int sizeOfJpeg(byte[] jpeg) {
    for (int i = 0; true; i++) {
      if (jpeg[i] == (byte) 0xff && jpeg[i + 1] == (byte) 0xc0) {
        return i + 5;
      }
    }
  }

  /** Format, profiles and thumbnails unpack to anything; nobody unpacks them. */
  @Test
  void whatIsNoPixelIsNotUnpacked() {
    byte[] bomb = Pictures.deflated(new byte[64 << 20]);
    byte[] png =
        Pictures.png(1, 1, 8, Pictures.PALETTE)
            .chunk("zTXt", concat(bytes('a', 0, 0), bomb))
            .chunk("iCCP", concat(bytes('a', 0, 0), bomb))
            .chunk("PLTE", bytes(5, 5, 5))
            .rows(1, bytes(0));
    assertArrayEquals(bytes(5), read(png).pixels());
    byte[] jpeg = Pictures.jpeg(flat(9), 0.9f);
    byte[] profile = withSegment(jpeg, 0xe2, "ICC_PROFILE\0\1\1", new byte[300]);
    assertArrayEquals(read(jpeg).pixels(), read(profile).pixels());
  }

  private static byte[] concat(byte[] first, byte[] second) {
    return ByteBuffer.allocate(first.length + second.length).put(first).put(second).array();
  }

  /** At every length, also by the last bytes, which hold no pixels. */
  @Test
  void aFileThatIsCutOff() {
    byte[] png = Pictures.png(new GreyImage(ramp(), 32, 8));
    byte[] jpeg = Pictures.jpeg(new GreyImage(ramp(), 16, 16), 0.9f);
    for (byte[] whole : new byte[][] {png, jpeg}) {
      for (int length = 0; length < whole.length; length += 7) {
        refused(Arrays.copyOf(whole, length));
      }
      refused(Arrays.copyOf(whole, whole.length - 1));
    }
    refused(Arrays.copyOf(png, png.length - 1)).saying("cut off", "before the PNG's end; fetch");
    refused(Arrays.copyOf(jpeg, jpeg.length - 2)).saying("cannot be decoded as JPEG (Truncated");
  }

  @Test
  void pixelsThatAreMissingOrDamaged() {
    refused(Pictures.png(9, 9, 8, Pictures.GREY).data(new byte[30])).saying("decoded as PNG");
    refused(Pictures.png(2, 2, 8, Pictures.PALETTE).data(new byte[6])).saying("decoded as PNG");
    refused(Pictures.png(2, 2, 7, Pictures.RGB).data(new byte[6])).saying("decoded as PNG");
    byte[] flipped = Pictures.png(new GreyImage(ramp(), 32, 8));
    flipped[60] ^= 1;
    refused(flipped).saying("damaged: the CRC-32 of the PNG chunk at byte 33 is wrong");
    byte[] jpeg = Pictures.jpeg(new GreyImage(ramp(), 16, 16), 0.9f);
    byte[] noSegment = jpeg.clone();
    noSegment[20] = 7;
    refused(noSegment).saying("no JPEG segment at byte 20");
  }

  /** Whatever the bytes are, there is a picture or one sentence. */
  @Test
  void anyDamageGivesPixelsOrASentence() {
    Random random = new Random(1);
    int pictures = 0;
    for (String name : List.of("ycc-half-colour.jpg", "ycc-progressive.jpg", "ycck.jpg")) {
      byte[] whole = resource(name);
      for (int i = 0; i < 30; i++) {
        byte[] damaged = whole.clone();
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
        try {
          assertTrue(read(damaged).pixels().length > 0);
          pictures++;
        } catch (InputException e) {
          Refusal.of(
              () -> {
                throw e;
              });
        }
      }
    }
    assertTrue(pictures > 10 && pictures < 80, pictures + " of 90 can be read");
  }

  /**
   * Phones put a video behind the picture, in which the bytes of a scan's marker occur by chance.
   */
  @Test
  void whatFollowsAJpegsEndIsNotRead() {
    byte[] jpeg = Pictures.jpeg(flat(9), 0.9f);
    byte[] video = new byte[ImageFile.MAX_BYTES];
    for (int i = 0; i + 1 < 4096; i += 2) {
      video[i] = (byte) 0xff;
      video[i + 1] = (byte) 0xda;
    }
    ByteArrayOutputStream motion = new ByteArrayOutputStream();
    motion.writeBytes(jpeg);
    motion.writeBytes(video);
    assertArrayEquals(read(jpeg).pixels(), read(motion.toByteArray()).pixels());
    assertArrayEquals(read(jpeg).pixels(), pipe(motion.toByteArray()).pixels());
    ByteArrayOutputStream endless = new ByteArrayOutputStream();
    endless.write(jpeg, 0, jpeg.length - 2);
    endless.writeBytes(new byte[ImageFile.MAX_BYTES]);
    refused(endless.toByteArray()).saying("has more than 64 MiB");
  }

  private static GreyImage pipe(byte[] content) {
    return ImageFile.read(Path.of("-"), new ByteArrayInputStream(content));
  }

  @Test
  void bytesAreReadAsTheirFileIs() {
    String name = "hdfs://host/a.png";
    byte[] png = Pictures.png(new GreyImage(ramp(), 32, 8));
    assertArrayEquals(ramp(), ImageFile.read(name, png).pixels());
    byte[] jpeg = Pictures.jpeg(flat(9), 0.9f);
    assertArrayEquals(read(jpeg).pixels(), ImageFile.read(name, jpeg).pixels());
    Refusal.of(() -> ImageFile.read(name, new byte[0])).saying(name + " is empty");
    byte[] cut = Arrays.copyOf(png, 50);
    Refusal.of(() -> ImageFile.read(name, cut)).saying(name + " ");
    byte[] large = new byte[ImageFile.MAX_BYTES + 1];
    Refusal.of(() -> ImageFile.read(name, large)).saying(name + " has more than 64 MiB");
  }

  @Test
  void aPipeIsReadAsAFileIs() {
    byte[] png = Pictures.png(new GreyImage(ramp(), 32, 8));
    assertArrayEquals(ramp(), pipe(png).pixels());
    byte[] jpeg = Pictures.jpeg(flat(9), 0.9f);
    assertArrayEquals(read(jpeg).pixels(), pipe(jpeg).pixels());
    Refusal.of(() -> pipe(new byte[0])).saying("- is empty");
    Refusal.of(() -> pipe("GIF89a".getBytes(StandardCharsets.US_ASCII))).saying("- is a GIF");
    Refusal.of(() -> pipe(Arrays.copyOf(png, png.length / 2))).saying("- is cut off");
    Refusal.of(() -> pipe(new byte[ImageFile.MAX_BYTES + 1])).saying("has more than 64 MiB");
  }

  /** Each scan of a progressive JPEG goes over the whole picture. */
  @Test
  void aJpegOfVeryManyScans() {
    ByteArrayOutputStream scans = new ByteArrayOutputStream();
    byte[] jpeg = Pictures.jpeg(flat(9), 0.9f);
    scans.write(jpeg, 0, jpeg.length - 2);
    for (int i = 0; i < 501; i++) {
      scans.writeBytes(bytes(0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0));
    }
    refused(scans.toByteArray()).saying("has over 500 scans");
  }

  /**
   * With 400 scans 5 KB took a minute and a half to be refused, and as valid ones half a minute.
   */
  @Test
  void aLargeJpegOfManyScans() {
    byte[] jpeg = Pictures.jpeg(flat(9), 0.9f);
    ByteBuffer.wrap(jpeg).putShort(sizeOfJpeg(jpeg), (short) 7000);
    ByteBuffer.wrap(jpeg).putShort(sizeOfJpeg(jpeg) + 2, (short) 7000);
    ByteArrayOutputStream scans = new ByteArrayOutputStream();
    scans.write(jpeg, 0, jpeg.length - 2);
    for (int i = 0; i < 16; i++) {
      scans.writeBytes(bytes(0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0));
    }
    refused(scans.toByteArray()).saying("has over 16 scans");
  }
}
