package zerofive.data.image.fit;

import zerofive.data.image.GreyImage;

/** Columns [left, right) and rows [top, bottom). */
record Box(int left, int top, int right, int bottom) {
  int width() {
    return right - left;
  }

  int height() {
    return bottom - top;
  }

  long area() {
    return (long) width() * height();
  }

  int longerSide() {
    return Math.max(width(), height());
  }

  /** Whether it reaches into the outermost {@code margin} pixels of an image. */
  boolean touches(GreyImage image, int margin) {
    return left < margin
        || top < margin
        || right > image.width() - margin
        || bottom > image.height() - margin;
  }

  /** Whether it takes at least four fifths of an image's width or height. */
  boolean fills(GreyImage image) {
    return 5 * width() >= 4 * image.width() || 5 * height() >= 4 * image.height();
  }

  /** How far apart they are, along the axis on which they are further apart; 0 where they meet. */
  int gap(Box other) {
    int across = Math.max(other.left - right, left - other.right);
    int along = Math.max(other.top - bottom, top - other.bottom);
    return Math.max(0, Math.max(across, along));
  }

  /** The smallest box that holds both. */
  Box with(Box other) {
    return new Box(
        Math.min(left, other.left),
        Math.min(top, other.top),
        Math.max(right, other.right),
        Math.max(bottom, other.bottom));
  }
}
