package zerofive.report.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.LOSS;
import static zerofive.train.Settings.MODEL;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;
import zerofive.report.chart.Downsampler;
import zerofive.report.console.Format;
import zerofive.run.Receipt;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;
import zerofive.train.Trainer;

/** {@link RunReport} of random models and images, read as the XML that it is too. */
class RunReportTest {
  private static final int MOST_BYTES = 2_000_000;
  private static final int HARD_IMAGES = 24;

  private static final List<EpochRecord> HISTORY =
      List.of(
          new EpochRecord(1, 0.5, 0.4, 0.25, 3, 0.1, 0.01),
          new EpochRecord(2, 0.4, 0.3, 0.5, 2, 0.1, 0.01));

  @TempDir Path folder;

  /** Everything a report is made of. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Run(DataSet data, Parameters model, float[] logits, RunReport report) {
    Document page() throws Exception {
      Document page =
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(new InputSource(new StringReader(report.toHtml())));
      assertEquals("html", page.getDocumentElement().getTagName());
      return page;
    }
  }

  private Run run(List<String> classes, String model, int images, int height, int width) {
    Random random = new Random(7);
    byte[] pixels = new byte[images * height * width];
    random.nextBytes(pixels);
    int[] targets = IntStream.range(0, images).map(i -> i % classes.size()).toArray();
    ImageSet set = new ImageSet(pixels, targets, height, width);
    DataSet data = new DataSet("mnist", classes, set, set, new TreeMap<>(Map.of("a", "5ha")));
    Recipe config =
        Recipe.DEFAULTS
            .with(CLASSES, new ClassFilter(classes))
            .with(MODEL, model)
            .with(LOSS, Loss.defaultFor(classes.size()));
    Architecture architecture = config.architecture(new ImageShape(height, width));
    Parameters parameters =
        new Parameters(architecture, normal(random, architecture.parameterCount()));
    float[] logits = normal(random, images * Loss.outputs(classes.size()));
    Receipt receipt = Receipt.begin(folder.resolve("receipt.json"), data, config);
    return new Run(
        data,
        parameters,
        logits,
        new RunReport(
            "a title",
            config,
            data,
            new Trainer.Outcome(HISTORY, Optional.of(HISTORY.get(1)), parameters, logits, false, 0),
            receipt,
            "f00d",
            Map.of("training", 0.2),
            "zerofive train --classes '<b>'"));
  }

  private static float[] normal(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static List<String> names(int count) {
    return IntStream.range(0, count).mapToObj(String::valueOf).toList();
  }

  private static List<Element> elements(Document page, String tag, String classes) {
    List<Element> found = new ArrayList<>();
    for (int i = 0; i < page.getElementsByTagName(tag).getLength(); i++) {
      Element element = (Element) page.getElementsByTagName(tag).item(i);
      if (element.getAttribute("class").equals(classes)) {
        found.add(element);
      }
    }
    return found;
  }

  private static List<Element> children(Element parent, String tag) {
    List<Element> found = new ArrayList<>();
    for (int i = 0; i < parent.getElementsByTagName(tag).getLength(); i++) {
      found.add((Element) parent.getElementsByTagName(tag).item(i));
    }
    return found;
  }

  private static BufferedImage picture(Element item) throws IOException {
    Element image = item.getTagName().equals("img") ? item : children(item, "img").get(0);
    String source = image.getAttribute("src");
    String prefix = "data:image/png;base64,";
    assertTrue(source.startsWith(prefix), source);
    ImageIO.setUseCache(false);
    byte[] png = Base64.getDecoder().decode(source.substring(prefix.length()));
    return ImageIO.read(new ByteArrayInputStream(png));
  }

  /** Softmax in the plainest way; of one logit, with 0 for the second class. */
  private static double probability(Run run, int image, int target) {
    int outputs = run.logits().length / run.data().valid().count();
    double[] logits = new double[Math.max(2, outputs)];
    for (int j = 0; j < outputs; j++) {
      logits[j] = run.logits()[image * outputs + j];
    }
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp(logit);
    }
    return Math.exp(logits[target]) / sum;
  }

  private static int predicted(Run run, int image) {
    return IntStream.range(0, run.data().classes().size())
        .boxed()
        .max(Comparator.comparingDouble(target -> probability(run, image, target)))
        .orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"2, 300", "2, 7", "10, 40", "10, 900", "62, 200"})
  void theHardestImagesAreWhatASortOfAllFinds(int classes, int images) throws Exception {
    Run run = run(names(classes), "linear", images, 5, 4);
    int[] targets = run.data().valid().targets();
    int[] named = IntStream.range(0, images).map(i -> predicted(run, i)).toArray();
    double[] surely =
        IntStream.range(0, images).mapToDouble(i -> probability(run, i, targets[i])).toArray();
    List<Integer> sorted =
        IntStream.range(0, images)
            .boxed()
            .sorted(
                Comparator.<Integer, Boolean>comparing(i -> named[i] == targets[i])
                    .thenComparing(i -> surely[i]))
            .limit(HARD_IMAGES)
            .toList();
    List<Element> items = children(elements(run.page(), "ol", "pictures").get(0), "li");
    assertEquals(Math.min(images, HARD_IMAGES), items.size());
    for (int place = 0; place < items.size(); place++) {
      int image = sorted.get(place);
      boolean wrong = named[image] != targets[image];
      String text = items.get(place).getTextContent();
      double percent = 100 * probability(run, image, named[image]);
      assertEquals(
          (wrong ? "wrong" : "")
              + "true "
              + targets[image]
              + "predicted "
              + named[image]
              + (percent >= 99.95 ? "> 99.9" : Format.fixed(percent, 1))
              + " %no. "
              + (image + 1),
          text);
      BufferedImage picture = picture(items.get(place));
      for (int i = 0; i < 20; i++) {
        assertEquals(
            run.data().valid().pixels()[image * 20 + i] & 0xff,
            picture.getRaster().getSample(i % 4, i / 4, 0));
      }
    }
  }

  @Test
  void aWeightsColourIsItsSign() throws Exception {
    Run run = run(names(3), "mlp:6", 9, 7, 5);
    List<Element> items = children(elements(run.page(), "ol", "pictures weights").get(0), "li");
    assertEquals(6, items.size());
    for (int unit = 0; unit < 6; unit++) {
      BufferedImage picture = picture(items.get(unit));
      for (int pixel = 0; pixel < 35; pixel++) {
        int colour = picture.getRGB(pixel % 5, pixel / 5);
        int warmth = (colour >> 16 & 0xff) - (colour & 0xff);
        float weight = run.model().values()[unit * 35 + pixel];
        // Half a step of the scale of 69 reds and more is white.
        if (Math.abs(weight) > 0.03) {
          assertEquals(Math.signum(weight), Math.signum(warmth), unit + " " + pixel);
        }
      }
    }
    int output = 6 * 36;
    for (int unit = 0; unit < 6; unit++) {
      int best = 0;
      for (int j = 1; j < 3; j++) {
        float[] values = run.model().values();
        best = values[output + j * 6 + unit] > values[output + best * 6 + unit] ? j : best;
      }
      assertTrue(items.get(unit).getTextContent().endsWith("for " + best), "unit " + unit);
    }
  }

  /** A filter of a single weight, in its middle, responds to the image itself. */
  @Test
  void aFilterIsShownWithItsResponseToAnImage() throws Exception {
    Run run = run(names(3), "cnn:2/1,4", 9, 5, 4);
    float[] values = run.model().values();
    Arrays.fill(values, 0, 20, 0);
    values[4] = 0.5f;
    List<Element> items = children(elements(run.page(), "ol", "pictures weights").get(0), "li");
    assertEquals(3, items.size());
    BufferedImage image = picture(items.get(0));
    assertEquals(5, image.getHeight());
    BufferedImage weights = picture(items.get(1));
    assertEquals(3, weights.getHeight());
    assertTrue((weights.getRGB(1, 1) & 0xff) < 0x80, "not red");
    BufferedImage response = picture(children(items.get(1), "img").get(1));
    assertEquals(7, response.getHeight());
    int highest = 0;
    for (int i = 0; i < 20; i++) {
      highest = Math.max(highest, run.data().valid().pixels()[i] & 0xff);
    }
    for (int y = 0; y < 7; y++) {
      for (int x = 0; x < 6; x++) {
        boolean inside = y > 0 && y < 6 && x > 0 && x < 5;
        int pixel = inside ? run.data().valid().pixels()[(y - 1) * 4 + x - 1] & 0xff : 0;
        assertEquals(
            255 - 255.0 * pixel / highest, response.getRaster().getSample(x, y, 0), 1, x + " " + y);
      }
    }
    BufferedImage nothing = picture(children(items.get(2), "img").get(1));
    assertEquals(255, nothing.getRaster().getSample(3, 3, 0));
  }

  @Test
  void ofManyUnitsThoseWithTheLargestWeightsAreShown() throws Exception {
    Run run = run(names(2), "mlp:70,3", 9, 3, 3);
    for (int unit : new int[] {0, 7, 31, 32, 68, 69}) {
      for (int i = 0; i < 9; i++) {
        run.model().values()[unit * 9 + i] *= 1e-3f;
      }
    }
    Document page = run.page();
    List<String> units =
        children(elements(page, "ol", "pictures weights").get(0), "b").stream()
            .map(Element::getTextContent)
            .toList();
    assertEquals(64, units.size());
    assertEquals(List.of("unit 2", "unit 3"), units.subList(0, 2));
    assertFalse(units.contains("unit 8") || units.contains("unit 69") || units.contains("unit 70"));
    assertTrue(page.getDocumentElement().getTextContent().contains("; 6 are left out."));
  }

  @Test
  void namesFromOutsideStayText() throws Exception {
    String hostile = "<script>alert('&\"')</script>\u0001\u202e\ufffe\ud800]]>";
    Run run = run(List.of(hostile, "--><img src=x>", "ok"), "linear", 12, 3, 3);
    String html = run.report().toHtml();
    Document page = run.page();
    assertEquals(0, page.getElementsByTagName("script").getLength());
    assertFalse(html.contains("<script") || html.contains("\u202e") || html.contains("src=x>\""));
    String shown = "<script>alert('&\"')</script>\ufffd\ufffd\ufffd\ufffd]]>";
    assertTrue(page.getDocumentElement().getTextContent().contains(shown));
    assertTrue(html.contains("--classes &#39;&lt;b&gt;&#39;"));
    for (String outside : List.of("http://", "https://", "url(", "@import", "<link", " on")) {
      String alone = html.replace("http://www.w3.org/", "").replaceAll(">[^<]*<", "><");
      assertFalse(alone.contains(outside + "="), outside);
      assertFalse(!outside.equals(" on") && alone.contains(outside), outside);
    }
    for (int i = 0; i < page.getElementsByTagName("img").getLength(); i++) {
      Element image = (Element) page.getElementsByTagName("img").item(i);
      assertTrue(image.getAttribute("src").startsWith("data:image/png;base64,"));
      assertFalse(image.getAttribute("alt").isEmpty());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2, mlp:64, 30, 100, 80",
    "2, cnn, 30, 100, 80",
    "2, linear, 25, 1, 9000",
    "62, mlp:66, 70, 57, 113"
  })
  void thePageStaysSmallWhateverTheImages(
      int classes, String model, int images, int height, int width) throws Exception {
    Run run = run(names(classes), model, images, height, width);
    assertTrue(run.report().toHtml().length() < MOST_BYTES);
    Element first = children(elements(run.page(), "ol", "pictures").get(0), "li").get(0);
    BufferedImage picture = picture(first);
    assertTrue(Math.max(picture.getWidth(), picture.getHeight()) <= 112, picture.toString());
    assertEquals(classes, elements(run.page(), "td", "share").size());
  }

  @Test
  void aLargeImageIsShownAsTheMeansOfItsSquares() {
    Downsampler mosaic = Downsampler.within(2, 3, 4);
    assertEquals(new Downsampler(3, 4, 2), mosaic);
    double[] means = mosaic.means(pixel -> pixel);
    assertEquals(
        List.of(2.5, 4.5, 8.5, 10.5), IntStream.range(0, 4).mapToObj(i -> means[i]).toList());
    assertEquals(1, Downsampler.within(28, 28, 28).side());
  }

  @Test
  void theSameRunGivesTheSameBytes() {
    String html = run(names(4), "mlp:5", 50, 6, 6).report().toHtml();
    assertEquals(html, run(names(4), "mlp:5", 50, 6, 6).report().toHtml());
    assertTrue(html.getBytes(StandardCharsets.UTF_8).length > 10_000);
  }

  @Test
  void theErrorsAreThoseOfTheModel() throws Exception {
    Run run = run(names(5), "linear", 60, 3, 3);
    int[] targets = run.data().valid().targets();
    long errors = IntStream.range(0, 60).filter(i -> predicted(run, i) != targets[i]).count();
    Element figures = elements(run.page(), "dl", "figures").get(0);
    assertTrue(figures.getTextContent().contains("Errors" + errors + "of 60 images"));
  }
}
