package zerofive.data.image.fit;

import java.util.Random;
import zerofive.data.image.GreyImage;

/** A drawn figure on paper, and what photographs add to it; brightness in grey levels. */
final class Photos {
  static final int WIDTH = 150;
  static final int HEIGHT = 200;
  static final double PAPER = 225;
  static final double INK = 60;

  /** The brightness at column {@code x} of row {@code y}. */
  interface Light {
    double at(int x, int y);
  }

  private Photos() {}

  /** How much ink of a thick 5 there is, from 0 to 1: two bars and a bow, 60 x 90. */
  static double five(int x, int y) {
    boolean top = x >= 50 && x < 105 && y >= 55 && y < 68;
    boolean stem = x >= 50 && x < 63 && y >= 55 && y < 98;
    double radius = Math.sqrt((x - 72.0) * (x - 72) + (y - 115.0) * (y - 115));
    boolean bow = radius >= 20 && radius < 33 && (x > 62 || y > 132);
    return top || stem || bow ? 1 : 0;
  }

  /** Dark ink on paper. */
  static double page(int x, int y) {
    return PAPER - five(x, y) * (PAPER - INK);
  }

  /** The photograph with the noise of a camera, of standard deviation {@code noise}. */
  static GreyImage of(double noise, Light light) {
    Random random = new Random(5);
    byte[] pixels = new byte[WIDTH * HEIGHT];
    for (int i = 0; i < pixels.length; i++) {
      double value = light.at(i % WIDTH, i / WIDTH) + noise * random.nextGaussian();
      pixels[i] = (byte) Math.max(0, Math.min(255, Math.round(value)));
    }
    return new GreyImage(pixels, WIDTH, HEIGHT);
  }

  /** How far from the centre, 1 in the corners. */
  static double radius(int x, int y) {
    double across = 2.0 * x / WIDTH - 1;
    double down = 2.0 * y / HEIGHT - 1;
    return (across * across + down * down) / 2;
  }
}
