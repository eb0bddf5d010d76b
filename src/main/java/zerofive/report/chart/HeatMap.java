package zerofive.report.chart;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import zerofive.report.console.PairsTable;
import zerofive.study.PairsSummary;

/** The errors of many pairs as a picture: SVG, a square for each pair, the darker the more. */
public final class HeatMap {
  private static final int WIDTH = 760;
  private static final int LEFT = 96;
  private static final int RIGHT = 24;
  private static final int TOP = 108;
  private static final int BOTTOM = 76;
  private static final int LARGEST = 64;

  /** Below this the numbers do not fit; their squares tell them when pointed at. */
  private static final int MIN_CELL_WITH_NUMBERS = 26;

  private static final int SCALE_STEPS = 48;
  private static final int SCALE_WIDTH = 240;
  private static final int LONGEST_LABEL = 12;

  /** From few errors to many, in even steps. */
  private static final int[][] COLOURS = {
    {0xf1, 0xf5, 0xf9}, {0x93, 0xc5, 0xfd}, {0x25, 0x63, 0xeb}, {0x1e, 0x1b, 0x4b}
  };

  private final StringBuilder svg = new StringBuilder();
  private final PairsSummary summary;
  private final double max;
  private final double size;

  private HeatMap(PairsSummary summary) {
    this.summary = summary;
    max =
        Math.max(
            1, summary.cells().stream().mapToDouble(cell -> cell.errors().mean()).max().orElse(1));
    size = Math.min(LARGEST, (double) (WIDTH - LEFT - RIGHT) / (summary.classes().size() - 1));
  }

  /** The picture. */
  public static String toSvg(String title, String subtitle, PairsSummary summary) {
    return new HeatMap(summary).draw(title, subtitle);
  }

  private String draw(String title, String subtitle) {
    List<String> classes = summary.classes();
    int columns = classes.size() - 1;
    double bottom = TOP + columns * size;
    int height = (int) Math.ceil(bottom) + BOTTOM;
    add(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\""
            + " height=\"%d\" role=\"img\" font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans',"
            + " sans-serif\" font-size=\"13\" fill=\"#475569\">",
        WIDTH, height, WIDTH, height);
    add("<title>%s</title>", escaped(title));
    add(
        "<rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"10\" fill=\"#ffffff\""
            + " stroke=\"#e2e8f0\"/>",
        WIDTH - 1, height - 1);
    add(
        "<text x=\"24\" y=\"34\" font-size=\"17\" font-weight=\"600\" fill=\"#0f172a\">%s</text>",
        escaped(title));
    add("<text x=\"24\" y=\"58\">%s</text>", escaped(subtitle));
    for (int j = 1; j <= columns; j++) {
      add(
          "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#0f172a\">%s</text>",
          LEFT + (j - 0.5) * size, TOP - 10, escaped(fitted(classes.get(j))));
    }
    for (int i = 0; i < columns; i++) {
      add(
          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" fill=\"#0f172a\">%s</text>",
          LEFT + i * size - 10,
          TOP + (i + 0.5) * size + 4.5,
          escaped(shortened(classes.get(i), LONGEST_LABEL)));
      for (int j = i + 1; j <= columns; j++) {
        square(i, j, summary.cell(classes.get(i), classes.get(j)));
      }
    }
    scale(bottom + 28);
    return svg.append("</svg>\n").toString();
  }

  private void square(int row, int column, Optional<PairsSummary.Cell> cell) {
    double x = LEFT + (column - 1) * size;
    double y = TOP + row * size;
    double fraction = cell.map(pair -> pair.errors().mean() / max).orElse(0.0);
    add(
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"3\" fill=\"%s\"%s>"
            + "<title>%s</title></rect>",
        x + 1,
        y + 1,
        size - 2,
        size - 2,
        cell.isPresent() ? colour(fraction) : "none",
        cell.isPresent() ? "" : " stroke=\"#e2e8f0\"",
        escaped(cell.map(PairsTable::describe).orElse("not trained")));
    if (size >= MIN_CELL_WITH_NUMBERS) {
      add(
          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"%s\""
              + " pointer-events=\"none\">%s</text>",
          x + size / 2,
          y + size / 2 + 4.5,
          fraction > 0.45 ? "#ffffff" : "#0f172a",
          cell.map(pair -> PairsTable.errors(pair.errors())).orElse("-"));
    }
  }

  private void scale(double y) {
    double step = (double) SCALE_WIDTH / SCALE_STEPS;
    for (int i = 0; i < SCALE_STEPS; i++) {
      add(
          "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"12\" fill=\"%s\"/>",
          LEFT + i * step, y, step + 0.3, colour((double) i / (SCALE_STEPS - 1)));
    }
    List<Double> ticks = new ArrayList<>(List.of(0.0, max / 2, max));
    for (double tick : ticks) {
      add(
          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>",
          LEFT + tick / max * SCALE_WIDTH,
          y + 29,
          String.format(Locale.ROOT, tick == Math.rint(tick) ? "%.0f" : "%.1f", tick));
    }
    add("<text x=\"%d\" y=\"%.1f\">validation errors</text>", LEFT + SCALE_WIDTH + 24, y + 10.5);
  }

  private static String colour(double fraction) {
    double at = fraction * (COLOURS.length - 1);
    int from = Math.min((int) at, COLOURS.length - 2);
    StringBuilder colour = new StringBuilder("#");
    for (int channel = 0; channel < 3; channel++) {
      double low = COLOURS[from][channel];
      double high = COLOURS[from + 1][channel];
      colour.append(
          String.format(Locale.ROOT, "%02x", Math.round(low + (high - low) * (at - from))));
    }
    return colour.toString();
  }

  /** A column's label is no wider than its column, at about 8 units a letter. */
  private String fitted(String name) {
    return shortened(name, Math.max(1, (int) (size / 8)));
  }

  private static String shortened(String name, int length) {
    return name.length() <= length ? name : name.substring(0, Math.max(0, length - 1)) + "\u2026";
  }

  private void add(String format, Object... arguments) {
    svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
