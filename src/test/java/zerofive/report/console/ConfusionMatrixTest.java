package zerofive.report.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import zerofive.data.ImageSet;
import zerofive.files.Json;

class ConfusionMatrixTest {
  @Test
  void oneLogitCountsPositiveAsTheFirstClassAndNanAsNone() {
    ImageSet images = new ImageSet(new byte[5], new int[] {0, 0, 1, 1, 1}, 1, 1);
    ConfusionMatrix matrix =
        ConfusionMatrix.of(List.of("0", "5"), images, new float[] {1, -1, 0, 2, Float.NaN});
    assertEquals("true\\predicted,0,5,none\n0,1,1,0\n5,1,1,1\n", matrix.toCsv());
    assertEquals("[[1,1,0],[1,1,1]]", Json.of(matrix.rows()).toString());
    assertEquals(1, matrix.counts()[1][2]);
  }

  @Test
  void namesWithCommasAreQuoted() {
    ImageSet images = new ImageSet(new byte[1], new int[] {0}, 1, 1);
    ConfusionMatrix matrix = ConfusionMatrix.of(List.of("a,b", "c\"d"), images, new float[] {1});
    assertEquals(
        "true\\predicted,\"a,b\",\"c\"\"d\"\n\"a,b\",1,0\n\"c\"\"d\",0,0\n", matrix.toCsv());
  }

  @Test
  void whatIsTooWideForTheTerminalIsToldByItsErrors() {
    int[][] counts = new int[3][4];
    counts[0][0] = 9;
    counts[0][1] = 2;
    counts[2][3] = 30;
    ConfusionMatrix matrix = new ConfusionMatrix(List.of("a", "b", "c"), counts);
    assertEquals(
        List.of(
            "                a     b     c  none",
            "true      a     9     2     0     0",
            "true      b     0     0     0     0",
            "true      c     0     0     0    30"),
        matrix.toLines(96));
    assertEquals(
        List.of("true      c as   none     30", "true      a as      b      2"),
        matrix.toLines(34));
  }

  @Test
  void ofManyErrorsTheMostFrequentAreTold() {
    List<String> classes = IntStream.range(0, 26).mapToObj(i -> "class " + i).toList();
    int[][] counts = new int[26][27];
    for (int i = 0; i < 25; i++) {
      counts[i][i + 1] = i + 1;
    }
    List<String> lines = new ConfusionMatrix(classes, counts).toLines(96);
    assertEquals(11, lines.size());
    assertTrue(lines.get(0).endsWith("class 25     25"), lines.get(0));
    assertEquals("and 15 other pairs; --json has them all", lines.get(10));
  }
}
