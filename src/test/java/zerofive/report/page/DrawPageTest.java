package zerofive.report.page;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import zerofive.data.DataSet;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.files.Json;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Normalisation;

/** {@link DrawPage}, read as the XML that it is too; a browser runs it in DrawPageBrowserTest. */
class DrawPageTest {
  private static DrawPage page(ModelFile model, int samples) {
    ImageShape shape = model.shape().orElseThrow();
    Random random = new Random(7);
    byte[] pixels = new byte[samples * shape.pixels()];
    random.nextBytes(pixels);
    int[] targets = IntStream.range(0, samples).map(i -> i % model.classes().size()).toArray();
    ImageSet set = new ImageSet(pixels, targets, shape.height(), shape.width());
    float[] logits = new float[samples * model.parameters().architecture().outputs()];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) random.nextGaussian();
    }
    DataSet data = new DataSet("mnist", model.classes(), set, set, new TreeMap<>());
    return new DrawPage(
        model,
        shape,
        "5ha",
        samples == 0 ? Optional.empty() : Optional.of(new DrawPage.Validation(data, logits)),
        "zerofive 1 (test)");
  }

  private static ModelFile model(List<String> classes, ImageShape shape, Integer... hidden) {
    Architecture architecture =
        new Architecture(shape.pixels(), List.of(hidden), Loss.outputs(classes.size()));
    return new ModelFile(
        Initializer.PYTORCH.create(architecture, 1),
        classes,
        Loss.defaultFor(classes.size()),
        shape);
  }

  private static Document parsed(String html) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(html)));
  }

  /** Text of the one element of that name, or of the one with that id. */
  private static String text(Document page, String name) {
    List<String> found = new ArrayList<>();
    NodeList all = page.getElementsByTagName("*");
    for (int i = 0; i < all.getLength(); i++) {
      Element element = (Element) all.item(i);
      if (element.getTagName().equals(name) || element.getAttribute("id").equals(name)) {
        found.add(element.getTextContent());
      }
    }
    assertEquals(1, found.size(), name);
    return found.get(0);
  }

  @Test
  void theDefaultModelsPageIsSmallAndNeedsNothingElse() throws Exception {
    String html = page(model(List.of("0", "5"), new ImageShape(28, 28), 30), 100).toHtml();
    assertTrue(html.length() < 250_000, html.length() + " characters");
    Document page = parsed(html);
    assertEquals("Draw 0 or 5", text(page, "h1"));
    NodeList all = page.getElementsByTagName("*");
    for (int i = 0; i < all.getLength(); i++) {
      for (String name : List.of("src", "href", "srcset", "action", "style", "onclick")) {
        assertFalse(((Element) all.item(i)).hasAttribute(name), name);
      }
    }
    String script = text(page, "script");
    for (String word :
        List.of(
            "eval(",
            "Function(",
            "fetch(",
            "XMLHttp",
            "WebSocket",
            "import",
            "innerHTML",
            "//www")) {
      assertFalse(script.contains(word), word);
    }
    assertFalse(text(page, "style").contains("url("), "a style that loads something");
  }

  /** The policy allows this script and this style alone: their digests, computed from the page. */
  @Test
  void thePolicyNamesTheDigestsOfItsScriptAndStyle() throws Exception {
    String html = page(model(List.of("a", "b", "c"), new ImageShape(4, 6)), 9).toHtml();
    String policy = html.replaceAll("(?s).*Content-Security-Policy\" content=\"([^\"]*)\".*", "$1");
    assertEquals(
        "default-src 'none'; script-src '"
            + digest(html, "script")
            + "'; style-src '"
            + digest(html, "style")
            + "'; base-uri 'none'; form-action 'none'",
        policy);
  }

  private static String digest(String html, String tag) throws Exception {
    int start = html.indexOf("<" + tag + ">") + tag.length() + 2;
    String text = html.substring(start, html.indexOf("</" + tag + ">"));
    byte[] sha256 =
        MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    return "sha256-" + Base64.getEncoder().encodeToString(sha256);
  }

  @Test
  void theScriptFindsEveryLayerAndWeight() throws Exception {
    ModelFile model =
        model(List.of("a", "b", "c"), new ImageShape(4, 6), 5, 7)
            .with(new Normalisation(0.25f, 0.5f));
    Document page = parsed(page(model, 0).toHtml());
    JsonObject json = Json.parse(text(page, "model"));
    assertEquals(4, json.get("height").getAsInt());
    assertEquals(6, json.get("width").getAsInt());
    assertEquals("[]", json.get("samples").toString());
    List<String> layers = new ArrayList<>();
    json.getAsJsonArray("layers").forEach(layer -> layers.add(layer.toString()));
    assertEquals(
        List.of(
            "{\"kind\":\"linear\",\"inputs\":24,\"outputs\":5,\"weights\":0,\"biases\":120,"
                + "\"activation\":\"relu\"}",
            "{\"kind\":\"linear\",\"inputs\":5,\"outputs\":7,\"weights\":125,\"biases\":160,"
                + "\"activation\":\"relu\"}",
            "{\"kind\":\"linear\",\"inputs\":7,\"outputs\":3,\"weights\":167,\"biases\":188,"
                + "\"activation\":\"identity\"}"),
        layers);
    byte[] bytes = Base64.getDecoder().decode(text(page, "weights"));
    Parameters folded = model.foldedParameters();
    float[] weights = new float[folded.values().length];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(weights);
    assertEquals(Float.BYTES * weights.length, bytes.length);
    assertArrayEquals(folded.values(), weights);
    assertTrue(text(page, "main").contains("(pixel / 255 - 0.25) / 0.5"));
  }

  @Test
  void namesFromOutsideStayText() throws Exception {
    List<String> names =
        List.of("</script><script>alert(1)</script>", "{{weights}}", "'\"&amp;", "]]>", "\u05d0\n");
    String html = page(model(names, new ImageShape(2, 2)), 10).toHtml();
    Document page = parsed(html);
    List<String> read = new ArrayList<>();
    for (JsonElement name : Json.parse(text(page, "model")).getAsJsonArray("classes")) {
      read.add(name.getAsString());
    }
    assertEquals(names, read);
    assertEquals(1, html.split("<script", -1).length - 1, "scripts");
    assertEquals("Draw one of 5 classes", text(page, "h1"));
    assertEquals(
        "Draw {{program}} or <b>",
        text(
            parsed(page(model(List.of("{{program}}", "<b>"), new ImageShape(2, 2)), 4).toHtml()),
            "h1"));
  }

  @ParameterizedTest
  @CsvSource({"28, 200, 60, 12", "28, 7, 7, 2", "64, 200, 24, 5", "300, 3, 1, 1", "400, 3, 0, 0"})
  void samplesAreBoundedByNumberAndSize(int side, int images, int count, int hard)
      throws Exception {
    ModelFile model = model(List.of("a", "b", "c"), new ImageShape(side, side));
    DrawPage page = page(model, images);
    assertEquals(count, page.samples());
    PageSamples samples =
        PageSamples.of(page.validation().orElseThrow().data(), page.validation().get().logits())
            .orElse(null);
    assertEquals(count == 0, samples == null);
    if (samples == null) {
      return;
    }
    assertEquals(hard, samples.hard());
    List<Integer> numbers = samples.samples().stream().map(PageSamples.Sample::number).toList();
    assertEquals(count, new HashSet<>(numbers).size());
    ImageSet set = page.validation().get().data().valid();
    byte[] inside = Base64.getDecoder().decode(text(parsed(page.toHtml()), "pixels"));
    assertEquals(count * side * side, inside.length);
    for (int i = 0; i < count; i++) {
      PageSamples.Sample sample = samples.samples().get(i);
      int from = (sample.number() - 1) * side * side;
      assertEquals(set.targets()[sample.number() - 1], sample.target());
      assertEquals(set.pixels()[from + 5], inside[i * side * side + 5]);
    }
    int[] perClass = new int[3];
    samples.samples().subList(hard, count).forEach(sample -> perClass[sample.target()]++);
    assertTrue(
        images < 10 || Math.abs(perClass[0] - perClass[2]) <= 1, perClass[0] + ", " + perClass[2]);
  }

  @Test
  void theHardestStandFirst() {
    ModelFile model = model(List.of("a", "b"), new ImageShape(2, 2));
    ImageSet set = new ImageSet(new byte[40], new int[] {0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, 2, 2);
    DataSet data = new DataSet("mnist", model.classes(), set, set, new TreeMap<>());
    float[] logits = {5, -5, 5, 9, 5, -5, -1, -5, 5, -5};
    PageSamples samples = PageSamples.of(data, logits).orElseThrow();
    assertEquals(2, samples.errors());
    assertEquals(2, samples.hard());
    assertEquals(4, samples.samples().get(0).number());
    assertEquals(7, samples.samples().get(1).number());
  }
}
