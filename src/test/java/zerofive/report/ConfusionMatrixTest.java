package zerofive.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import zerofive.data.ImageSet;

class ConfusionMatrixTest {
  @Test
  void oneLogitCountsPositiveAsTheFirstClassAndNanAsNone() {
    ImageSet images = new ImageSet(new byte[5], new int[] {0, 0, 1, 1, 1}, 1, 1);
    ConfusionMatrix matrix =
        ConfusionMatrix.of(List.of("0", "5"), images, new float[] {1, -1, 0, 2, Float.NaN});
    assertEquals("true\\predicted,0,5,none\n0,1,1,0\n5,1,1,1\n", matrix.toCsv());
    assertEquals("[[1,1,0],[1,1,1]]", matrix.toJson().toString());
    assertEquals(1, matrix.counts()[1][2]);
  }

  @Test
  void namesWithCommasAreQuoted() {
    ImageSet images = new ImageSet(new byte[1], new int[] {0}, 1, 1);
    ConfusionMatrix matrix = ConfusionMatrix.of(List.of("a,b", "c\"d"), images, new float[] {1});
    assertEquals(
        "true\\predicted,\"a,b\",\"c\"\"d\"\n\"a,b\",1,0\n\"c\"\"d\",0,0\n", matrix.toCsv());
  }
}
