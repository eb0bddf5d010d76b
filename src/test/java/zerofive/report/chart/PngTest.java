package zerofive.report.chart;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@link Png} writes, the JDK's reader reads. */
class PngTest {
  @ParameterizedTest
  @CsvSource({"1, 1", "28, 28", "100, 80", "1, 300", "70000, 1", "401, 307"})
  void everyGreyPixelComesBack(int width, int height) throws IOException {
    byte[] pixels = random(width * height);
    BufferedImage image = decode(Png.grey(width, height, pixels));
    assertEquals(BufferedImage.TYPE_BYTE_GRAY, image.getType());
    assertEquals(width, image.getWidth());
    assertEquals(height, image.getHeight());
    assertArrayEquals(
        unsigned(pixels), image.getRaster().getPixels(0, 0, width, height, (int[]) null));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "28, 28", "3, 200", "401, 307"})
  void everyColouredPixelComesBack(int width, int height) throws IOException {
    byte[] pixels = random(width * height * 3);
    BufferedImage image = decode(Png.rgb(width, height, pixels));
    int[] colours = image.getRGB(0, 0, width, height, null, 0, width);
    for (int i = 0; i < colours.length; i++) {
      int expected =
          0xff << 24
              | (pixels[3 * i] & 0xff) << 16
              | (pixels[3 * i + 1] & 0xff) << 8
              | (pixels[3 * i + 2] & 0xff);
      assertEquals(expected, colours[i], "pixel " + i);
    }
  }

  @Test
  void flatAreasTakeLittleRoom() {
    assertTrue(Png.grey(2000, 2000, new byte[4_000_000]).length < 10_000);
  }

  @Test
  void lengthsThatDisagreeAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> Png.grey(2, 2, new byte[3]));
    assertThrows(IllegalArgumentException.class, () -> Png.rgb(2, 2, new byte[4]));
    assertThrows(IllegalArgumentException.class, () -> Png.grey(0, 5, new byte[0]));
    assertThrows(IllegalArgumentException.class, () -> Png.grey(1 << 16, 1 << 16, new byte[0]));
  }

  private static BufferedImage decode(byte[] png) throws IOException {
    ImageIO.setUseCache(false);
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private static int[] unsigned(byte[] bytes) {
    int[] values = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      values[i] = bytes[i] & 0xff;
    }
    return values;
  }
}
