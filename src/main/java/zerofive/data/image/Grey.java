package zerofive.data.image;

/** Grey values of colours and of transparent pixels, as {@link ImageFile} describes them. */
final class Grey {
  private Grey() {}

  /** Rec. 601 luma of values from 0 to 255, as Pillow rounds it. */
  static int luma(int red, int green, int blue) {
    return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
  }

  /** Lays a picture with an alpha channel over its background; both arrays [pixels]. */
  static void layOver(byte[] grey, byte[] alpha) {
    long visible = 0;
    long light = 0;
    for (int i = 0; i < grey.length; i++) {
      visible += alpha[i] & 0xff;
      light += (grey[i] & 0xffL) * (alpha[i] & 0xff);
    }
    int background = 2 * light > 255 * visible ? 0 : 255;
    for (int i = 0; i < grey.length; i++) {
      int opacity = alpha[i] & 0xff;
      grey[i] = (byte) (((grey[i] & 0xff) * opacity + background * (255 - opacity) + 127) / 255);
    }
  }
}
