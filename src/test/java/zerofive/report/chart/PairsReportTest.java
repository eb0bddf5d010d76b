package zerofive.report.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;
import zerofive.report.console.PairsTable;
import zerofive.study.Pair;
import zerofive.study.PairResult;
import zerofive.study.PairsSummary;

/** Table and picture of pairs of few and many classes. */
class PairsReportTest {
  /** The classes' pairs; the errors of i and j are 100 i + j, and one more a seed. */
  private static PairsSummary summary(List<String> classes, int seeds) {
    List<PairResult> results = new ArrayList<>();
    for (int seed = 0; seed < seeds; seed++) {
      for (int i = 0; i < classes.size(); i++) {
        for (int j = i + 1; j < classes.size(); j++) {
          Pair pair = new Pair(classes.get(i), classes.get(j), seed);
          results.add(new PairResult(pair, 100 * i + j + seed, 10_000, 0, 0, 1, "0".repeat(64)));
        }
      }
    }
    return PairsSummary.of(classes, results);
  }

  private static List<String> digits(int count) {
    return IntStream.range(0, count).mapToObj(String::valueOf).toList();
  }

  @Test
  void threeClassesMakeATriangle() {
    assertEquals(
        List.of("       1      2", "0      1      2", "1           102"),
        PairsTable.lines(summary(digits(3), 1), 96));
    assertEquals(
        List.of("       1      2", "0    2.0    3.0", "1         103.0"),
        PairsTable.lines(summary(digits(3), 3), 96));
  }

  @Test
  void tenClassesFitAndFortySevenAreToldByTheirWorst() {
    List<String> ten = PairsTable.lines(summary(digits(10), 5), 96);
    assertEquals(10, ten.size());
    assertTrue(ten.stream().allMatch(line -> line.length() <= 96), ten.toString());
    List<String> many = PairsTable.lines(summary(digits(47), 1), 96);
    assertEquals(11, many.size());
    assertEquals("45,46: 4546 errors of 10,000, accuracy 54.54 %", many.get(1));
  }

  @Test
  void aMissingPairIsADash() {
    PairResult one = new PairResult(new Pair("0", "1", 1), 3, 10, 0, 0, 1, "0".repeat(64));
    PairsSummary part = PairsSummary.of(digits(3), List.of(one));
    assertEquals(
        List.of("       1      2", "0      3      -", "1             -"),
        PairsTable.lines(part, 96));
    assertTrue(HeatMap.toSvg("t", "s", part).contains("not trained"));
  }

  @Test
  void thePictureIsXmlWithASquareForEachPair() throws Exception {
    for (List<String> classes :
        List.of(
            digits(2), digits(10), digits(47), List.of("<a&b>", "a long name, of a class", "c"))) {
      String svg = HeatMap.toSvg("a < b & c", "d > e", summary(classes, 2));
      Document picture =
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(new InputSource(new StringReader(svg)));
      int squares = 0;
      for (int i = 0; i < picture.getElementsByTagName("rect").getLength(); i++) {
        squares += picture.getElementsByTagName("rect").item(i).hasChildNodes() ? 1 : 0;
      }
      assertEquals(classes.size() * (classes.size() - 1) / 2, squares);
      assertFalse(svg.contains("NaN"), svg);
    }
  }

  @Test
  void noErrorsAtAllAreNoDivisionByZero() {
    PairResult perfect = new PairResult(new Pair("0", "1", 1), 0, 10, 0, 0, 1, "0".repeat(64));
    String svg = HeatMap.toSvg("t", "s", PairsSummary.of(digits(2), List.of(perfect)));
    assertFalse(svg.contains("NaN") || svg.contains("Infinity"), svg);
  }
}
