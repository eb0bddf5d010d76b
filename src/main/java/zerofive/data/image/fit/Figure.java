package zerofive.data.image.fit;

import java.util.Optional;
import zerofive.data.image.GreyImage;

/**
 * The ink of an image, looked for in two ways and in both directions: dark on bright and bright on
 * dark.
 *
 * @param dark whether the ink is darker than the paper
 * @param evidence for it; of two figures that were found in the same way the larger wins
 */
record Figure(Ink ink, boolean dark, long evidence) {
  /** Paper that strokes enclose or part stands out less than this from what is around it. */
  private static final int MIN_CONTRAST = 6;

  /** A plain sheet differs less than this part of its ink from the brightness of its border. */
  private static final int PLAIN = 6;

  /** Drawings have even paper; on others, ink that is clear of the frame goes first. */
  static Optional<Figure> find(GreyImage image) {
    GreyImage negative = image.inverted();
    Optional<Figure> plain = better(plain(image, true), plain(negative, false));
    if (plain.isPresent() && deviation(image) == 0) {
      return plain;
    }
    Optional<Figure> clear = better(clear(image, true), clear(negative, false));
    return plain
        .filter(figure -> clear.isEmpty() || figure.isAround(clear.get(), image))
        .or(() -> clear);
  }

  private static Optional<Figure> better(Optional<Figure> a, Optional<Figure> b) {
    return a.isEmpty() || (b.isPresent() && b.get().evidence > a.get().evidence) ? b : a;
  }

  private static Optional<Figure> clear(GreyImage image, boolean dark) {
    return Ink.clearOfFrame(InkMap.of(image))
        .map(ink -> new Figure(ink, dark, contrast(ink, image)))
        .filter(figure -> figure.evidence >= MIN_CONTRAST);
  }

  private static Optional<Figure> plain(GreyImage image, boolean dark) {
    return plainInk(image, Ink.FAINT)
        .filter(ink -> PLAIN * deviation(image) <= ink.full())
        .map(ink -> new Figure(ink, dark, ink.mass()));
  }

  private static Optional<Ink> plainInk(GreyImage image, int percent) {
    return Ink.anywhere(InkMap.of(image, Histogram.ofBorder(image).median()), percent);
  }

  /** The median difference from the brightness of the border. */
  private static int deviation(GreyImage image) {
    return Histogram.of(image.pixels()).deviation(Histogram.ofBorder(image).median());
  }

  /**
   * How much darker the strokes are, on average, than most of what is around them: paper that
   * strokes enclose looks like ink on the negative, but is as bright as other paper.
   */
  private static long contrast(Ink ink, GreyImage image) {
    LocalMedian around = LocalMedian.of(image);
    long count = 1;
    long sum = 0;
    for (int y = ink.box().top(); y < ink.box().bottom(); y++) {
      for (int x = ink.box().left(); x < ink.box().right(); x++) {
        if (2 * ink.strength().at(x, y) > ink.full()) {
          sum += around.at(x, y) - image.at(x, y);
          count++;
        }
      }
    }
    return sum / count;
  }

  /** Whether it is larger than {@code other}, and its strong part alone fills the image. */
  private boolean isAround(Figure other, GreyImage image) {
    if (ink.box().area() <= other.ink.box().area() || !ink.box().fills(image)) {
      return false;
    }
    return plainInk(dark ? image : image.inverted(), Ink.STRONG)
        .filter(strong -> strong.box().fills(image))
        .isPresent();
  }
}
