package zerofive.report.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class LineChartTest {
  private static Document parse(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(svg)));
  }

  private static String path(String svg) {
    Matcher matcher = Pattern.compile("<path d=\"([^\"]*)\"").matcher(svg);
    assertTrue(matcher.find(), svg);
    return matcher.group(1);
  }

  @Test
  void aLineRunsFromTheAxisEndsOfItsValues() throws Exception {
    String svg =
        new LineChart("t", "epoch").line("a", new double[] {0, 10}, new double[] {0, 1}).toSvg();
    parse(svg);
    assertEquals("M72.0 384.0L736.0 84.0", path(svg));
  }

  @Test
  void textIsEscaped() throws Exception {
    String svg = new LineChart("<&>", "x").line("a<b", new double[] {1}, new double[] {1}).toSvg();
    assertEquals("<&>", parse(svg).getElementsByTagName("title").item(0).getTextContent());
  }

  @Test
  void valuesThatAreNotFiniteLeaveAGap() throws Exception {
    String svg =
        new LineChart("t", "x")
            .line(
                "a",
                new double[] {0, 1, 2, 3, 4},
                new double[] {1, 2, Double.NaN, 3, Double.POSITIVE_INFINITY})
            .toSvg();
    parse(svg);
    assertEquals(2, path(svg).chars().filter(c -> c == 'M').count());
    assertFalse(svg.contains("NaN") || svg.contains("Infinity"), svg);
  }

  @Test
  void constantValuesAndNoValuesStillHaveAxes() throws Exception {
    parse(new LineChart("t", "x").line("a", new double[] {1, 2}, new double[] {5, 5}).toSvg());
    parse(new LineChart("t", "x").line("a", new double[0], new double[0]).toSvg());
  }

  @Test
  void aLongLineKeepsItsPeaksInLittleRoom() {
    double[] x = IntStream.rangeClosed(1, 1_000_000).asDoubleStream().toArray();
    double[] y = IntStream.range(0, x.length).mapToDouble(i -> i % 7).toArray();
    y[123_456] = 100;
    y[654_321] = -100;
    String path = path(new LineChart("t", "x").line("a", x, y).toSvg());
    assertTrue(path.length() < 40_000, path.length() + " characters");
    assertTrue(path.contains(" 84.0") && path.contains(" 384.0"), path);
    assertTrue(path.contains("L736.0 "), "the last point is drawn");
  }
}
