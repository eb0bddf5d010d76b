package zerofive.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A line chart as SVG. Java's chart libraries draw through AWT, which costs a cold JVM a third of a
 * second and needs fonts; this needs neither.
 */
public final class LineChart {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 440;
  private static final int LEFT = 72;
  private static final int RIGHT = 24;
  private static final int TOP = 84;
  private static final int BOTTOM = 56;
  private static final int TICKS = 6;
  private static final String[] COLOURS = {"#2563eb", "#d9480f", "#0f766e", "#7c3aed"};

  private final String title;
  private final String xLabel;
  private final List<Series> series = new ArrayList<>();

  /** Points in the order of their x; those that are not finite leave a gap. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Series(String name, double[] x, double[] y, boolean line, int colour) {}

  /** An axis from {@code low} to {@code high} with a tick every {@code step}. */
  private record Axis(double low, double high, double step) {
    /** The 1-2-5 step that makes about {@link #TICKS} ticks, and ends that are multiples of it. */
    static Axis around(double least, double most, double finest) {
      double span = most > least ? most - least : Math.max(Math.abs(most), 1) * 0.1;
      double raw = span / TICKS;
      double power = Math.pow(10, Math.floor(Math.log10(raw)));
      double nice = power * (raw <= power ? 1 : raw <= 2 * power ? 2 : raw <= 5 * power ? 5 : 10);
      double step = Math.max(nice, finest);
      double low = Math.floor(least / step + 1e-9) * step;
      double high = Math.ceil(most / step - 1e-9) * step;
      return new Axis(low, high > low ? high : low + step, step);
    }

    int ticks() {
      return (int) Math.round((high - low) / step);
    }

    String label(int tick) {
      int decimals = (int) Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
      return String.format(Locale.ROOT, "%." + decimals + "f", low + tick * step);
    }
  }

  /** An empty chart. */
  public LineChart(String title, String xLabel) {
    this.title = title;
    this.xLabel = xLabel;
  }

  /** Adds a line. */
  public LineChart line(String name, double[] x, double[] y) {
    series.add(new Series(name, x, y, true, lines() % COLOURS.length));
    return this;
  }

  /** Adds open circles in the colour of line {@code like}, counted from 0. */
  public LineChart points(String name, double[] x, double[] y, int like) {
    series.add(new Series(name, x, y, false, like % COLOURS.length));
    return this;
  }

  private int lines() {
    return (int) series.stream().filter(Series::line).count();
  }

  /** The picture. */
  public String toSvg() {
    Axis x = axis(true);
    Axis y = axis(false);
    StringBuilder svg = new StringBuilder();
    add(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\""
            + " height=\"%d\" role=\"img\" font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans',"
            + " sans-serif\" font-size=\"13\" fill=\"#475569\">",
        WIDTH,
        HEIGHT,
        WIDTH,
        HEIGHT);
    add(svg, "<title>%s</title>", escaped(title));
    add(
        svg,
        "<rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"10\" fill=\"#ffffff\""
            + " stroke=\"#e2e8f0\"/>",
        WIDTH - 1,
        HEIGHT - 1);
    add(
        svg,
        "<text x=\"%d\" y=\"34\" font-size=\"17\" font-weight=\"600\" fill=\"#0f172a\">%s</text>",
        24,
        escaped(title));
    grid(svg, x, y);
    legend(svg);
    for (Series one : series) {
      if (one.line()) {
        drawLine(svg, one, x, y);
      } else {
        drawPoints(svg, one, x, y);
      }
    }
    return svg.append("</svg>\n").toString();
  }

  private Axis axis(boolean horizontal) {
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    for (Series one : series) {
      for (double value : horizontal ? one.x() : one.y()) {
        if (Double.isFinite(value)) {
          least = Math.min(least, value);
          most = Math.max(most, value);
        }
      }
    }
    if (!(least <= most)) {
      return Axis.around(0, 1, 0);
    }
    return horizontal ? Axis.around(0, most, 1) : Axis.around(least, most, 0);
  }

  private void grid(StringBuilder svg, Axis x, Axis y) {
    for (int tick = 0; tick <= y.ticks(); tick++) {
      double at = vertical(y.low() + tick * y.step(), y);
      add(
          svg,
          "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#e2e8f0\"/>",
          LEFT,
          at,
          WIDTH - RIGHT,
          at);
      add(
          svg,
          "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
          LEFT - 10,
          at + 4.5,
          y.label(tick));
    }
    for (int tick = 0; tick <= x.ticks(); tick++) {
      double at = horizontal(x.low() + tick * x.step(), x);
      add(
          svg,
          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
          at,
          HEIGHT - BOTTOM + 22,
          x.label(tick));
    }
    add(
        svg,
        "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#94a3b8\"/>",
        LEFT,
        HEIGHT - BOTTOM,
        WIDTH - RIGHT,
        HEIGHT - BOTTOM);
    add(
        svg,
        "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 14,
        escaped(xLabel));
  }

  private void legend(StringBuilder svg) {
    int at = 24;
    for (Series one : series) {
      String colour = COLOURS[one.colour()];
      if (one.line()) {
        add(
            svg,
            "<line x1=\"%d\" y1=\"57\" x2=\"%d\" y2=\"57\" stroke=\"%s\" stroke-width=\"2.5\""
                + " stroke-linecap=\"round\"/>",
            at,
            at + 18,
            colour);
      } else {
        add(
            svg,
            "<circle cx=\"%d\" cy=\"57\" r=\"4\" fill=\"#ffffff\" stroke=\"%s\""
                + " stroke-width=\"1.8\"/>",
            at + 9,
            colour);
      }
      add(
          svg,
          "<text x=\"%d\" y=\"61.5\" fill=\"#0f172a\">%s</text>",
          at + 25,
          escaped(one.name()));
      at += 25 + (int) (7.2 * one.name().length()) + 22;
    }
  }

  private static void drawLine(StringBuilder svg, Series one, Axis x, Axis y) {
    StringBuilder path = new StringBuilder();
    int last = -1;
    for (int i = 0; i < one.x().length; i++) {
      if (Double.isFinite(one.y()[i])) {
        boolean joined = last == i - 1 && last >= 0;
        add(
            path,
            "%s%.1f %.1f",
            joined ? "L" : "M",
            horizontal(one.x()[i], x),
            vertical(one.y()[i], y));
        last = i;
      }
    }
    add(
        svg,
        "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2.5\" stroke-linejoin=\"round\""
            + " stroke-linecap=\"round\"/>",
        path.toString().replace("\n", ""),
        COLOURS[one.colour()]);
    if (last >= 0) {
      add(
          svg,
          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>",
          horizontal(one.x()[last], x),
          vertical(one.y()[last], y),
          COLOURS[one.colour()]);
    }
  }

  private static void drawPoints(StringBuilder svg, Series one, Axis x, Axis y) {
    for (int i = 0; i < one.x().length; i++) {
      if (Double.isFinite(one.y()[i])) {
        add(
            svg,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\" fill=\"none\" stroke=\"%s\""
                + " stroke-width=\"1.8\"/>",
            horizontal(one.x()[i], x),
            vertical(one.y()[i], y),
            COLOURS[one.colour()]);
      }
    }
  }

  private static double horizontal(double value, Axis x) {
    return LEFT + (value - x.low()) / (x.high() - x.low()) * (WIDTH - RIGHT - LEFT);
  }

  private static double vertical(double value, Axis y) {
    return HEIGHT - BOTTOM - (value - y.low()) / (y.high() - y.low()) * (HEIGHT - BOTTOM - TOP);
  }

  private static void add(StringBuilder svg, String format, Object... arguments) {
    svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
