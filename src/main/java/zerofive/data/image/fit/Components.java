package zerofive.data.image.fit;

import java.util.ArrayList;
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

  /** How much of the outermost rows and columns belongs to components. */
  int borderPercent() {
    int count = 0;
    for (int x = 0; x < ink.width(); x++) {
      count += (labels[x] > 0 ? 1 : 0) + (labels[labels.length - 1 - x] > 0 ? 1 : 0);
    }
    for (int at = 0; at < labels.length; at += ink.width()) {
      count += (labels[at] > 0 ? 1 : 0) + (labels[at + ink.width() - 1] > 0 ? 1 : 0);
    }
    return 100 * count / (2 * (ink.width() + ink.height()));
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
