package zerofive.report.chart;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.DataSet;
import zerofive.data.ImageSet;
import zerofive.data.image.GreyImage;
import zerofive.data.image.ImageFile;

class ImageSheetTest {
  private static final int SIDE = 2;

  @TempDir Path folder;

  /** Images of class 0 are white above and black below, those of class 1 the other way round. */
  private static DataSet data(int side) {
    int[] targets = {0, 1, 0, 1, 0};
    byte[] pixels = new byte[targets.length * side * side];
    for (int i = 0; i < pixels.length; i++) {
      boolean upper = i / side % side < side / 2;
      pixels[i] = (byte) (upper == (targets[i / (side * side)] == 0) ? 255 : 0);
    }
    ImageSet images = new ImageSet(pixels, targets, side, side);
    return new DataSet("test", List.of("cat", "d\033og"), images, images, new TreeMap<>());
  }

  private static SampleGrid sheet(int side) {
    return new SampleGrid(data(side), 1);
  }

  @Test
  void aPngHasARowForEachClass() throws IOException {
    Path file = folder.resolve("sheet.png");
    Files.write(file, sheet(28).png(3));
    GreyImage png = ImageFile.read(file);
    assertEquals(3 * 60 + 4, png.width());
    assertEquals(2 * 60 + 4, png.height());
    assertEquals(64, png.at(0, 0), "the gap");
    assertEquals(255, png.at(4, 4), "a cat's upper half");
    assertEquals(0, png.at(4, 4 + 55), "a cat's lower half");
    assertEquals(0, png.at(4, 64), "a dog's upper half");
    assertEquals(64, png.at(4 + 2 * 60, 64), "there are only two dogs");
  }

  @Test
  void withoutColoursCharactersAreAsDenseAsPixelsAreBright() {
    assertEquals(
        List.of("cat", "@@@@ @@@@", "@@@@ @@@@", "", "", ""),
        sheet(8).lines(20, 0, 2).subList(0, 6).stream()
            .map(line -> line.replace("@@@@@@@@", "@@@@"))
            .toList());
    assertTrue(sheet(8).lines(20, 0, 2).contains("d?og"), "an escape code went through");
  }

  @Test
  void linesFitTheWidthAndMoreImagesGoBelow() {
    List<String> lines = sheet(28).lines(40, 0, 3);
    assertTrue(lines.stream().allMatch(line -> line.length() <= 40), lines.toString());
    assertEquals(1 + 2 * (7 + 1) + 1 + (7 + 1), lines.size(), "two abreast, seven lines each");
  }

  @Test
  void coloursPutTwoPixelsIntoACharacter() {
    String white = "\033[38;2;255;255;255;48;2;0;0;0m";
    assertEquals(white + "\u2580\u2580\033[0m", sheet(SIDE).lines(40, 256, 1).get(1));
    assertEquals("\033[38;5;255;48;5;232m\u2580\u2580\033[0m", sheet(SIDE).lines(40, 24, 1).get(1));
    String shrunk = sheet(28).lines(40, 256, 1).get(1);
    assertEquals(14, shrunk.chars().filter(c -> c == '\u2580').count());
  }

  @Test
  void theSeedChoosesTheImages() {
    assertArrayEquals(sheet(28).png(2), new SampleGrid(data(28), 1).png(2));
    ImageSet same = data(28).train();
    byte[] pixels = same.pixels().clone();
    pixels[0] = 77;
    ImageSet one = new ImageSet(pixels, same.targets(), 28, 28);
    DataSet marked = new DataSet("test", List.of("cat", "dog"), one, one, new TreeMap<>());
    byte[] first = new SampleGrid(marked, 1).png(1);
    boolean another = false;
    for (long seed = 2; seed < 40 && !another; seed++) {
      another = !Arrays.equals(first, new SampleGrid(marked, seed).png(1));
    }
    assertTrue(another, "no seed of forty takes another image");
  }
}
