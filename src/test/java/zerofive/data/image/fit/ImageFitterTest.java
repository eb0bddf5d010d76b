package zerofive.data.image.fit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import zerofive.data.Refusal;
import zerofive.data.image.GreyImage;
import zerofive.data.image.fit.ImageFitter.Remark;
import zerofive.files.InputException;

class ImageFitterTest {
  private static final ImageFitter FITTER = new ImageFitter(28, 28, false);

  /** What photographs add to a page, each of which once made another image of the figure. */
  @SuppressWarnings("ImmutableEnumChecker") // The lights have no state.
  private enum Disturbance {
    SPECK(3, (x, y) -> x == 7 && y == 20 ? 80 : Photos.page(x, y)),
    DUST(3, (x, y) -> x % 29 < 2 && y % 37 < 2 ? 90 : Photos.page(x, y)),
    SHADOW(3, (x, y) -> Photos.page(x, y) * (x * 2 + y > 260 ? 0.8 : 1)),
    DEEP_SHADOW(3, (x, y) -> Photos.page(x, y) * (x * 2 + y > 250 ? 0.5 : 1)),
    RULED(3, (x, y) -> Photos.page(x, y) * (y % 20 < 2 ? 0.88 : 1)),
    SQUARED(3, (x, y) -> Photos.page(x, y) * (x % 17 == 0 || y % 17 == 0 ? 0.85 : 1)),
    DARK_EDGE(1, (x, y) -> x == Photos.WIDTH - 1 ? 20 : Photos.page(x, y)),
    BLACK_FRAME(1, (x, y) -> x < 6 || x > 142 || y < 9 || y > 194 ? 5 : Photos.page(x, y)),
    TABLE_BELOW(3, (x, y) -> y > 175 ? 20 : Photos.page(x, y)),
    TABLE(3, (x, y) -> x < 20 + y / 20 ? 70 : Photos.page(x, y)),
    BRIGHT_TABLE(3, (x, y) -> x < 20 + y / 20 ? 250 : 0.75 * Photos.page(x, y)),
    VIGNETTE(3, (x, y) -> Photos.page(x, y) * (1 - 0.5 * Photos.radius(x, y))),
    PENCIL(4, (x, y) -> 215 - 60 * Photos.five(x, y)),
    CHALK(8, (x, y) -> 30 + 190 * Photos.five(x, y)),
    DARK_ROOM(3, (x, y) -> 0.35 * Photos.page(x, y) * (1 - 0.4 * x / Photos.WIDTH));

    private final double noise;
    private final Photos.Light light;

    Disturbance(double noise, Photos.Light light) {
      this.noise = noise;
      this.light = light;
    }
  }

  private static GreyImage plain() {
    return Photos.of(0, Photos::page);
  }

  /** The mean difference, in grey levels, of two fitted images where either has ink. */
  private static double difference(byte[] a, byte[] b) {
    double sum = 0;
    int count = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.abs((a[i] & 0xff) - (b[i] & 0xff));
      count += a[i] != 0 || b[i] != 0 ? 1 : 0;
    }
    return sum / count;
  }

  @ParameterizedTest
  @EnumSource
  void aPhotographIsFittedAsThePlainImageIs(Disturbance disturbance) {
    byte[] expected = FITTER.fit("plain", plain()).pixels();
    ImageFitter.Fitted fitted =
        FITTER.fit("photo", Photos.of(disturbance.noise, disturbance.light));
    assertEquals(
        disturbance == Disturbance.CHALK ? Set.of() : Set.of(Remark.INVERTED), fitted.remarks());
    double difference = difference(expected, fitted.pixels());
    assertTrue(difference < 24, () -> "differs by " + difference + " on average");
  }

  @Test
  void theBoxIsTwentyLongAndTheCentreOfMassInTheMiddle() {
    byte[] pixels = FITTER.fit("plain", plain()).pixels();
    double mass = 0;
    double massX = 0;
    double massY = 0;
    int top = 28;
    int bottom = 0;
    for (int i = 0; i < pixels.length; i++) {
      int value = pixels[i] & 0xff;
      int row = i / 28;
      mass += value;
      massX += value * (i % 28 + 0.5);
      massY += value * (row + 0.5);
      top = value > 0 ? Math.min(top, row) : top;
      bottom = value > 0 ? row + 1 : bottom;
    }
    assertEquals(20, bottom - top);
    assertEquals(14, massX / mass, 1);
    assertEquals(14, massY / mass, 1);
  }

  @Test
  void inkThatTouchesTheFrameIsFittedAndRemarkedOn() {
    byte[] pixels = new byte[93 * 75];
    for (int y = 0; y < 93; y++) {
      for (int x = 0; x < 75; x++) {
        pixels[y * 75 + x] = (byte) Photos.page(x + 40, y + 55);
      }
    }
    ImageFitter.Fitted fitted = FITTER.fit("tight", new GreyImage(pixels, 75, 93));
    assertTrue(fitted.remarks().contains(Remark.TOUCHES_FRAME), fitted.remarks().toString());
    assertTrue(difference(FITTER.fit("plain", plain()).pixels(), fitted.pixels()) < 40);
  }

  @Test
  void paperWithoutInkIsRefused() {
    for (Photos.Light light :
        new Photos.Light[] {
          (x, y) -> 220,
          (x, y) -> 220 * (y % 20 < 2 ? 0.88 : 1),
          (x, y) -> 220 * (1 - 0.5 * Photos.radius(x, y))
        }) {
      Refusal.of(() -> FITTER.fit("blank.png", Photos.of(3, light)))
          .saying("blank.png shows no ink that stands out from its paper; take it nearer");
    }
  }

  private static GreyImage small(int left, int top, int size) {
    byte[] pixels = new byte[784];
    for (int y = 0; y < size; y++) {
      Arrays.fill(pixels, (top + y) * 28 + left, (top + y) * 28 + left + 3, (byte) 250);
    }
    return new GreyImage(pixels, 28, 28);
  }

  @Test
  void oneOfTheModelsSizeStaysUnlessAlwaysIsAsked() {
    GreyImage centred = small(12, 4, 20);
    ImageFitter.Fitted kept = FITTER.fit("centred", centred);
    assertArrayEquals(centred.pixels(), kept.pixels());
    assertEquals(Set.of(), kept.remarks());
    assertEquals(Set.of(Remark.NOT_AS_MNIST), FITTER.fit("aside", small(3, 4, 20)).remarks());
    assertEquals(Set.of(Remark.NOT_AS_MNIST), FITTER.fit("long", small(12, 2, 24)).remarks());
    ImageFitter always = new ImageFitter(28, 28, true);
    assertArrayEquals(
        always.fit("centred", centred).pixels(), always.fit("aside", small(3, 5, 20)).pixels());
  }

  /** Warm or not, on a busy machine: the bound is far above what it takes. */
  @Test
  void imagesOfEveryShapeTakeLittleTime() {
    Random random = new Random(5);
    for (int[] size :
        new int[][] {{1, 1}, {1, 40}, {3, 2}, {100_000, 3}, {3, 400_000}, {4000, 3000}}) {
      byte[] pixels = new byte[size[0] * size[1]];
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = (byte) random.nextInt(256);
      }
      GreyImage image = new GreyImage(pixels, size[0], size[1]);
      Assertions.assertTimeout(
          Duration.ofSeconds(5),
          () -> {
            try {
              FITTER.fit("noise", image);
            } catch (InputException e) {
              assertTrue(e.getMessage().startsWith("noise "), e.getMessage());
            }
          });
    }
  }
}
