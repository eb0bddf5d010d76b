package zerofive.data.image.fit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import zerofive.data.image.GreyImage;

/** The connected components of the pixels of {@code ink} that are above a threshold. */
final class Components {
  private final GreyImage ink;
  private final int threshold;
  private final int[] labels;
  private final int[] stack;
  private final List<Component> all = new ArrayList<>();

  private Components(GreyImage ink, int threshold) {
    this.ink = ink;
    this.threshold = threshold;
    labels = new int[ink.pixels().length];
    stack = new int[labels.length];
  }

  static Components of(GreyImage ink, int threshold) {
    Components components = new Components(ink, threshold);
    for (int at = 0; at < components.labels.length; at++) {
      if (components.isNew(at)) {
        components.fill(at);
      }
    }
    return components;
  }

  private boolean isNew(int at) {
    return labels[at] == 0 && (ink.pixels()[at] & 0xff) > threshold;
  }

  private void fill(int start) {
    int label = all.size() + 1;
    int left = ink.width();
    int right = 0;
    int top = ink.height();
    int bottom = 0;
    int pixels = 0;
    long mass = 0;
    int depth = 0;
    stack[depth++] = start;
    labels[start] = label;
    while (depth > 0) {
      int at = stack[--depth];
      int x = at % ink.width();
      int y = at / ink.width();
      pixels++;
      mass += ink.pixels()[at] & 0xff;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y + 1);
      for (int row = Math.max(0, y - 1); row < Math.min(ink.height(), y + 2); row++) {
        for (int column = Math.max(0, x - 1); column < Math.min(ink.width(), x + 2); column++) {
          int next = row * ink.width() + column;
          if (isNew(next)) {
            labels[next] = label;
            stack[depth++] = next;
          }
        }
      }
    }
    all.add(new Component(label, new Box(left, top, right, bottom), pixels, mass));
  }

  int threshold() {
    return threshold;
  }

  /** Of the component of every pixel, [height, width]; 0 where there is none. */
  int[] labels() {
    return labels;
  }

  List<Component> all() {
    return all;
  }

  /** Those that do not touch the frame; smoothing may have moved an edge by a pixel. */
  List<Component> clearOfFrame() {
    int margin = Math.min(ink.width(), ink.height()) > 100 ? 2 : 1;
    return all.stream().filter(component -> !component.box().touches(ink, margin)).toList();
  }

  /** Percent of the outermost rows and columns that belong to components; 100 if a side does. */
  int borderPercent() {
    int width = ink.width();
    int height = ink.height();
    int last = labels.length - width;
    int[] sides = {
      count(0, 1, width),
      count(last, 1, width),
      count(0, width, height),
      count(width - 1, width, height)
    };
    boolean whole =
        10 * Math.max(sides[0], sides[1]) >= 9 * width
            || 10 * Math.max(sides[2], sides[3]) >= 9 * height;
    return whole ? 100 : 100 * Arrays.stream(sides).sum() / (2 * (width + height));
  }

  private int count(int start, int step, int length) {
    int count = 0;
    for (int i = 0; i < length; i++) {
      count += labels[start + i * step] > 0 ? 1 : 0;
    }
    return count;
  }

  /** Which labels are those of {@code parts}. */
  boolean[] selection(List<Component> parts) {
    boolean[] selected = new boolean[all.size() + 1];
    parts.forEach(part -> selected[part.label()] = true);
    return selected;
  }

  /** Whether a pixel or one of its neighbours has a selected label: an edge is part of a stroke. */
  boolean isNear(boolean[] selected, int x, int y) {
    for (int row = Math.max(0, y - 1); row < Math.min(ink.height(), y + 2); row++) {
      for (int column = Math.max(0, x - 1); column < Math.min(ink.width(), x + 2); column++) {
        if (selected[labels[row * ink.width() + column]]) {
          return true;
        }
      }
    }
    return false;
  }
}
