package zerofive.report.chart;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import zerofive.data.DataSet;
import zerofive.data.ExampleOrder;
import zerofive.data.ImageSet;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;

/** Some training images of each class, side by side: as a PNG, or as text for a terminal. */
public final class SampleGrid {
  /** Small images are drawn larger in a PNG, up to so many pixels. */
  private static final int SEEN_EASILY = 56;

  /** Larger images are drawn smaller in a terminal where colours make up for it. */
  private static final int FINE_ENOUGH = 14;

  private static final int GAP = 4;
  private static final int BACKGROUND = 64;
  private static final String CHARACTERS = " .:-=+*#%@";
  private static final String UPPER_HALF = "\u2580";
  private static final String RESET = "\033[0m";

  /** The first grey of the 24 in a terminal's palette of 256 colours. */
  private static final int FIRST_GREY = 232;

  private final DataSet data;
  private final ImageSet images;
  private final int[] order;

  /** Of the images that {@code seed} chooses. */
  public SampleGrid(DataSet data, long seed) {
    this.data = data;
    images = data.train();
    order = ExampleOrder.SHUFFLED.indices(images.targets(), seed, 1);
  }

  /** {@code count} images of a class, or as many as there are. */
  private int[] samples(int target, int count) {
    return Arrays.stream(order).filter(i -> images.targets()[i] == target).limit(count).toArray();
  }

  /** A row of at most {@code count} images for each class. */
  public byte[] png(int count) {
    int scale = Math.max(1, SEEN_EASILY / Math.max(images.width(), images.height()));
    int cellWidth = images.width() * scale + GAP;
    int cellHeight = images.height() * scale + GAP;
    int width = count * cellWidth + GAP;
    int height = data.classes().size() * cellHeight + GAP;
    byte[] sheet = new byte[Math.multiplyExact(width, height)];
    Arrays.fill(sheet, (byte) BACKGROUND);
    for (int target = 0; target < data.classes().size(); target++) {
      int[] samples = samples(target, count);
      for (int i = 0; i < samples.length; i++) {
        int corner = (GAP + target * cellHeight) * width + GAP + i * cellWidth;
        for (int y = 0; y < images.height() * scale; y++) {
          for (int x = 0; x < images.width() * scale; x++) {
            sheet[corner + y * width + x] = (byte) pixel(samples[i], x / scale, y / scale);
          }
        }
      }
    }
    return Png.grey(width, height, sheet);
  }

  private int pixel(int image, int x, int y) {
    return images.pixels()[image * images.imageSize() + y * images.width() + x] & 0xff;
  }

  /**
   * Prints the same: two pixels a character where the terminal has colours, else characters as
   * dense as the pixels are bright.
   *
   * @param count how many of each class; 0: as many as fit side by side
   */
  public void print(Terminal terminal, int count) {
    lines(terminal.width(), terminal.greyLevels(), count).forEach(terminal::picture);
  }

  /** For {@code width} columns and so many shades of grey, 0 where there are no colours. */
  List<String> lines(int width, int greyLevels, int count) {
    int side = Math.max(images.width(), images.height());
    int maxSide = greyLevels > 0 ? Math.min(FINE_ENOUGH, width) : Math.min(side, (width - 1) / 2);
    int shrink = Math.max(1, (side + maxSide - 1) / maxSide);
    int columns = (images.width() + shrink - 1) / shrink;
    int rows = ((images.height() + shrink - 1) / shrink + 1) / 2;
    int abreast = Math.max(1, (width + 1) / (columns + 1));
    List<String> lines = new ArrayList<>();
    for (int target = 0; target < data.classes().size(); target++) {
      lines.add(Format.printable(data.classes().get(target)));
      int[] samples = samples(target, count > 0 ? count : abreast);
      for (int from = 0; from < samples.length; from += abreast) {
        int[] row = Arrays.copyOfRange(samples, from, Math.min(samples.length, from + abreast));
        for (int y = 0; y < rows; y++) {
          List<String> parts = new ArrayList<>();
          for (int image : row) {
            parts.add(line(image, 2 * y, columns, shrink, greyLevels));
          }
          lines.add(String.join(" ", parts).stripTrailing());
        }
        lines.add("");
      }
    }
    return lines;
  }

  /** Two rows of (shrunk) pixels as one line of characters. */
  private String line(int image, int y, int columns, int shrink, int greyLevels) {
    StringBuilder line = new StringBuilder();
    String before = "";
    for (int x = 0; x < columns; x++) {
      int upper = mean(image, x, y, shrink);
      int lower = mean(image, x, y + 1, shrink);
      if (greyLevels == 0) {
        line.append(CHARACTERS.charAt((upper + lower) / 2 * CHARACTERS.length() / 256));
      } else {
        String colours =
            "\033[38;" + colour(upper, greyLevels) + ";48;" + colour(lower, greyLevels) + "m";
        line.append(colours.equals(before) ? "" : colours).append(UPPER_HALF);
        before = colours;
      }
    }
    return greyLevels == 0 ? line.toString() : line + RESET;
  }

  private static String colour(int grey, int greyLevels) {
    return greyLevels == 256
        ? "2;" + grey + ";" + grey + ";" + grey
        : "5;" + (FIRST_GREY + grey * greyLevels / 256);
  }

  /** The mean of a square of pixels; what lies beyond the image's edge is black. */
  private int mean(int image, int x, int y, int shrink) {
    int sum = 0;
    for (int dy = 0; dy < shrink; dy++) {
      for (int dx = 0; dx < shrink; dx++) {
        int column = x * shrink + dx;
        int row = y * shrink + dy;
        if (column < images.width() && row < images.height()) {
          sum += pixel(image, column, row);
        }
      }
    }
    return sum / (shrink * shrink);
  }
}
