package zerofive.data.image.fit;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import zerofive.data.image.GreyImage;

/**
 * The strokes of one figure.
 *
 * @param strength [height, width], 0 where there is no stroke
 * @param box around the strokes
 * @param full strength in the middle of a stroke
 * @param floor strength that is still paper, less than {@code full}
 * @param mass sum of the strength
 */
record Ink(GreyImage strength, Box box, int full, int floor, long mass) {
  /** In percent of the level of ink: what is above it is ink. */
  static final int FAINT = 30;

  /** Parts ink from what is fainter and joins it to the frame, such as ruled lines. */
  static final int STRONG = 60;

  private static final List<Integer> THRESHOLDS = List.of(FAINT, 45, STRONG);

  /** One pixel of so many is above the level of ink. */
  private static final int PIXELS_PER_INK = 1000;

  /** Of the shorter side: anything shorter is a speck. */
  private static final int MAX_SPECK = 20;

  /** Of the mass of the largest component: what has less is no part of the figure. */
  private static final int MIN_PART = 20;

  /** Of the strength of the largest component: what is fainter is no part of the figure. */
  private static final int MIN_STRENGTH = 2;

  /** Of the length of the largest component: what is further away is no part of the figure. */
  private static final int MAX_GAP = 4;

  /** Where all of an image's ink belongs to specks and the frame, what is fainter is looked at. */
  private static final int ROUNDS = 4;

  /** Ink covers at most these percent of the frame's border; else it is a table or a shadow. */
  private static final int MAX_BORDER = 30;

  /** The figure without whatever touches the frame, at the threshold that leaves most of it. */
  static Optional<Ink> clearOfFrame(InkMap map) {
    InkMap rest = map;
    for (int round = 0; round < ROUNDS; round++) {
      int level = level(rest);
      if (level <= map.faintest()) {
        return Optional.empty();
      }
      Optional<Ink> largest = Optional.empty();
      for (int percent : THRESHOLDS) {
        Components components = components(rest, level, percent);
        largest = larger(largest, of(rest, components, components.clearOfFrame()));
      }
      if (largest.isPresent()) {
        return largest;
      }
      rest = rest.without(components(rest, level, FAINT));
    }
    return Optional.empty();
  }

  /** The figure wherever it is, unless much of the border is ink. */
  static Optional<Ink> anywhere(InkMap map, int percent) {
    int level = level(map);
    if (level <= map.faintest()) {
      return Optional.empty();
    }
    Components components = components(map, level, percent);
    return components.borderPercent() > MAX_BORDER
        ? Optional.empty()
        : of(map, components, components.all());
  }

  private static int level(InkMap map) {
    int pixels = map.smooth().pixels().length;
    return Histogram.of(map.smooth().pixels()).rank(pixels - pixels / PIXELS_PER_INK);
  }

  private static Components components(InkMap map, int level, int percent) {
    return Components.of(map.smooth(), Math.max(map.faintest(), level * percent / 100));
  }

  private static Optional<Ink> larger(Optional<Ink> a, Optional<Ink> b) {
    return a.isEmpty() || (b.isPresent() && b.get().mass > a.get().mass) ? b : a;
  }

  /** The largest of the candidates, with those near it that are not much smaller. */
  private static Optional<Ink> of(InkMap map, Components components, List<Component> candidates) {
    GreyImage sharp = map.sharp();
    int longest = Math.max(1, Math.min(sharp.width(), sharp.height()) / MAX_SPECK);
    return candidates.stream()
        .filter(component -> component.box().longerSide() > longest)
        .max(Comparator.comparingLong(one -> one.mass() * one.strength()))
        .map(
            largest ->
                ofParts(
                    map,
                    components,
                    candidates.stream()
                        .filter(part -> part.box().longerSide() > longest)
                        .filter(part -> part.mass() * MIN_PART >= largest.mass())
                        .filter(part -> part.strength() * MIN_STRENGTH >= largest.strength())
                        .filter(
                            part ->
                                part.box().gap(largest.box()) * MAX_GAP
                                    <= largest.box().longerSide())
                        .toList()));
  }

  private static Ink ofParts(InkMap map, Components components, List<Component> parts) {
    boolean[] selected = components.selection(parts);
    byte[] strength = new byte[components.labels().length];
    int[] strengths = new int[256];
    GreyImage sharp = map.sharp();
    for (int y = 0; y < sharp.height(); y++) {
      for (int x = 0; x < sharp.width(); x++) {
        int at = y * sharp.width() + x;
        if (selected[components.labels()[at]]) {
          strengths[map.smooth().at(x, y)]++;
        }
        if (components.isNear(selected, x, y)) {
          strength[at] = sharp.pixels()[at];
        }
      }
    }
    Histogram ink = new Histogram(strengths);
    return new Ink(
        new GreyImage(strength, sharp.width(), sharp.height()),
        parts.stream().map(Component::box).reduce(Box::with).orElseThrow(),
        ink.meanFrom(ink.meanFrom(0)),
        components.threshold() / 3,
        parts.stream().mapToLong(Component::mass).sum());
  }
}
