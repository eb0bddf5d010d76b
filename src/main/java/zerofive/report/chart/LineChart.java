package zerofive.report.chart;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import zerofive.report.console.Format;

/**
 * A line chart as SVG. Java's chart libraries draw through AWT, which costs a cold JVM a third of a
 * second and needs fonts; this needs neither.
 */
public final class LineChart {
  private static final int LEFT = 72;
  private static final int RIGHT = 24;
  private static final int TOP = 84;
  private static final int BOTTOM = 56;
  private static final int MARGIN = 24;
  private static final int TICKS = 6;
  private static final int MAX_POINTS = 2000;
  private static final String INK = "#0f172a";
  private static final String[] COLOURS = {"#2563eb", "#d9480f", "#0f766e", "#7c3aed"};

  private final String title;
  private final String xLabel;
  private final List<Series> series = new ArrayList<>();
  private int width = 760;
  private int height = 440;
  private boolean logarithmic;

  /** Points in the order of their x; those that are not finite leave a gap. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Series(String name, double[] x, double[] y, boolean line, int colour) {}

  /**
   * An axis from {@code low} to {@code high} with a tick every {@code step}; these are exponents of
   * ten where it is logarithmic.
   */
  private record Axis(double low, double high, double step, boolean logarithmic) {
    /** Every power of ten from the one below {@code min} to the one above {@code max}. */
    static Axis ofPowers(double min, double max) {
      double low = Math.floor(Math.log10(min) + 1e-9);
      double high = Math.ceil(Math.log10(max) - 1e-9);
      return new Axis(low, high > low ? high : low + 1, 1, true);
    }

    /** The 1-2-5 step that makes about {@link #TICKS} ticks, and ends that are multiples of it. */
    static Axis around(double min, double max, double finest) {
      double span = max > min ? max - min : Math.max(Math.abs(max), 1) * 0.1;
      double raw = span / TICKS;
      double power = Math.pow(10, Math.floor(Math.log10(raw)));
      double nice = power * (raw <= power ? 1 : raw <= 2 * power ? 2 : raw <= 5 * power ? 5 : 10);
      double step = Math.max(nice, finest);
      double low = Math.floor(min / step + 1e-9) * step;
      double high = Math.ceil(max / step - 1e-9) * step;
      return new Axis(low, high > low ? high : low + step, step, false);
    }

    int ticks() {
      return (int) Math.round((high - low) / step);
    }

    /** Where a value lies, 0 at the low end and 1 at the high one. */
    double fraction(double value) {
      return ((logarithmic ? Math.log10(value) : value) - low) / (high - low);
    }

    double value(int tick) {
      return logarithmic ? Math.pow(10, low + tick) : low + tick * step;
    }

    String label(int tick) {
      if (logarithmic) {
        return BigDecimal.valueOf(1, -(int) Math.round(low + tick)).toPlainString();
      }
      int decimals = (int) Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
      return Format.fixed(low + tick * step, decimals);
    }
  }

  /** An empty chart. */
  public LineChart(String title, String xLabel) {
    this.title = title;
    this.xLabel = xLabel;
  }

  /** Makes the picture this large, in pixels; letters stay as they are. */
  public LineChart size(int pixelsWide, int pixelsHigh) {
    width = pixelsWide;
    height = pixelsHigh;
    return this;
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

  /** Makes the horizontal axis logarithmic; every x has to be above 0. */
  public LineChart logarithmic() {
    logarithmic = true;
    return this;
  }

  private int lines() {
    return (int) series.stream().filter(Series::line).count();
  }

  /** The picture. Its class names let a page that it is part of choose other colours. */
  public String toSvg() {
    Axis x = axis(true);
    Axis y = axis(false);
    Svg svg = new Svg();
    svg.open("svg")
        .with("xmlns", "http://www.w3.org/2000/svg")
        .with("viewBox", "0 0 " + width + " " + height)
        .with("width", width)
        .with("height", height)
        .with("role", "img")
        .with("font-family", "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif")
        .with("font-size", 13)
        .with("fill", "#475569")
        .content();
    svg.open("title").text(title);
    svg.open("rect")
        .with("class", "paper")
        .with("x", "0.5")
        .with("y", "0.5")
        .with("width", width - 1)
        .with("height", height - 1)
        .with("rx", 10)
        .with("fill", "#ffffff")
        .with("stroke", "#e2e8f0")
        .close();
    svg.open("text")
        .with("class", "heading")
        .with("x", MARGIN)
        .with("y", 34)
        .with("font-size", 17)
        .with("font-weight", 600)
        .with("fill", INK)
        .text(title);
    grid(svg, x, y);
    legend(svg);
    for (Series one : series) {
      if (one.line()) {
        drawLine(svg, one, x, y);
      } else {
        drawPoints(svg, one, x, y);
      }
    }
    return svg.end("svg");
  }

  private Axis axis(boolean horizontal) {
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (Series one : series) {
      for (double value : horizontal ? one.x() : one.y()) {
        if (Double.isFinite(value)) {
          min = Math.min(min, value);
          max = Math.max(max, value);
        }
      }
    }
    if (!(min <= max)) {
      return Axis.around(0, 1, 0);
    }
    if (horizontal && logarithmic) {
      return Axis.ofPowers(min, max);
    }
    return horizontal ? Axis.around(0, max, 1) : Axis.around(min, max, 0);
  }

  private void grid(Svg svg, Axis x, Axis y) {
    for (int tick = 0; tick <= y.ticks(); tick++) {
      double at = vertical(y.value(tick), y);
      svg.open("line")
          .with("class", "grid")
          .with("x1", LEFT)
          .with("y1", at)
          .with("x2", width - RIGHT)
          .with("y2", at)
          .with("stroke", "#e2e8f0")
          .close();
      svg.open("text")
          .with("x", LEFT - 10)
          .with("y", at + 4.5)
          .with("text-anchor", "end")
          .text(y.label(tick));
    }
    for (int tick = 0; tick <= x.ticks(); tick++) {
      svg.open("text")
          .with("x", horizontal(x.value(tick), x))
          .with("y", height - BOTTOM + 22)
          .with("text-anchor", "middle")
          .text(x.label(tick));
    }
    svg.open("line")
        .with("x1", LEFT)
        .with("y1", height - BOTTOM)
        .with("x2", width - RIGHT)
        .with("y2", height - BOTTOM)
        .with("stroke", "#94a3b8")
        .close();
    svg.open("text")
        .with("x", (LEFT + width - RIGHT) / 2.0)
        .with("y", height - 14)
        .with("text-anchor", "middle")
        .text(xLabel);
  }

  private void legend(Svg svg) {
    int at = MARGIN;
    for (Series one : series) {
      String colour = COLOURS[one.colour()];
      if (one.line()) {
        svg.open("line").with("x1", at).with("y1", 57).with("x2", at + 18).with("y2", 57);
        stroke(svg, colour);
      } else {
        svg.open("circle").with("cx", at + 9).with("cy", 57).with("r", 4).with("fill", "#ffffff");
        svg.with("stroke", colour).with("stroke-width", "1.8").close();
      }
      svg.open("text")
          .with("class", "name")
          .with("x", at + 25)
          .with("y", "61.5")
          .with("fill", INK)
          .text(one.name());
      at += 25 + (int) (7.2 * one.name().length()) + 22;
    }
  }

  private void drawLine(Svg svg, Series one, Axis x, Axis y) {
    StringBuilder path = new StringBuilder();
    int last = -1;
    boolean joined = false;
    for (int i : drawn(one.y())) {
      boolean finite = Double.isFinite(one.y()[i]);
      if (finite) {
        path.append(joined ? 'L' : 'M')
            .append(Format.fixed(horizontal(one.x()[i], x), 1))
            .append(' ')
            .append(Format.fixed(vertical(one.y()[i], y), 1));
        last = i;
      }
      joined = finite;
    }
    svg.open("path").with("d", path.toString()).with("fill", "none");
    stroke(svg.with("stroke-linejoin", "round"), COLOURS[one.colour()]);
    if (last >= 0) {
      svg.open("circle")
          .with("cx", horizontal(one.x()[last], x))
          .with("cy", vertical(one.y()[last], y))
          .with("r", 4)
          .with("fill", COLOURS[one.colour()])
          .close();
    }
  }

  /**
   * The points of a line that are drawn: all, or where there are more than the eye can tell apart,
   * the lowest and the highest of each stretch.
   */
  private static int[] drawn(double[] y) {
    if (y.length <= MAX_POINTS) {
      return IntStream.range(0, y.length).toArray();
    }
    int stretches = MAX_POINTS / 2;
    int[] drawn = new int[2 * stretches];
    for (int stretch = 0; stretch < stretches; stretch++) {
      int start = (int) ((long) y.length * stretch / stretches);
      int end = (int) ((long) y.length * (stretch + 1) / stretches);
      int lowest = start;
      int highest = start;
      for (int i = start; i < end; i++) {
        lowest = y[i] < y[lowest] ? i : lowest;
        highest = y[i] > y[highest] ? i : highest;
      }
      drawn[2 * stretch] = Math.min(lowest, highest);
      drawn[2 * stretch + 1] = Math.max(lowest, highest);
    }
    drawn[drawn.length - 1] = y.length - 1;
    return drawn;
  }

  private static void stroke(Svg svg, String colour) {
    svg.with("stroke", colour).with("stroke-width", "2.5").with("stroke-linecap", "round").close();
  }

  private void drawPoints(Svg svg, Series one, Axis x, Axis y) {
    for (int i = 0; i < one.x().length; i++) {
      if (Double.isFinite(one.y()[i])) {
        svg.open("circle")
            .with("cx", horizontal(one.x()[i], x))
            .with("cy", vertical(one.y()[i], y))
            .with("r", "4.5")
            .with("fill", "none")
            .with("stroke", COLOURS[one.colour()])
            .with("stroke-width", "1.8")
            .close();
      }
    }
  }

  private double horizontal(double value, Axis x) {
    return LEFT + x.fraction(value) * (width - RIGHT - LEFT);
  }

  private double vertical(double value, Axis y) {
    return height - BOTTOM - y.fraction(value) * (height - BOTTOM - TOP);
  }

  /** Elements of a picture, one a line; of lengths one decimal is kept. */
  private static final class Svg {
    private final StringBuilder text = new StringBuilder();
    private String name = "";

    Svg open(String element) {
      name = element;
      text.append('<').append(element);
      return this;
    }

    Svg with(String attribute, String value) {
      text.append(' ').append(attribute).append("=\"").append(value).append('"');
      return this;
    }

    Svg with(String attribute, int value) {
      return with(attribute, String.valueOf(value));
    }

    Svg with(String attribute, double value) {
      return with(attribute, Format.fixed(value, 1));
    }

    void content() {
      text.append(">\n");
    }

    void text(String content) {
      text.append('>').append(Html.escaped(content)).append("</").append(name).append(">\n");
    }

    void close() {
      text.append("/>\n");
    }

    String end(String element) {
      return text.append("</").append(element).append(">\n").toString();
    }
  }
}
