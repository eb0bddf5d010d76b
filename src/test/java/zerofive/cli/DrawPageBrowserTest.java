package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.data.image.GreyImage;
import zerofive.data.image.ImageFile;
import zerofive.data.image.ImageShape;
import zerofive.data.image.fit.ImageFitter;
import zerofive.files.Json;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Normalisation;

/**
 * The page that {@code export --format html} writes, in a real browser. Screenshots for people stay
 * in target/draw-page, and times from a pointer's event to the bars in its times.csv.
 */
@Tag("slow")
class DrawPageBrowserTest {
  private static final Path SEEN_BY_PEOPLE = Path.of("target", "draw-page");
  private static final double TOLERANCE = 1e-5;

  private static final double[][] ZERO =
      IntStream.rangeClosed(0, 40)
          .mapToObj(
              i ->
                  new double[] {
                    0.5 - 0.2 * StrictMath.sin(i * StrictMath.PI / 20),
                    0.5 - 0.3 * StrictMath.cos(i * StrictMath.PI / 20)
                  })
          .toArray(double[][]::new);

  private static final double[][] FIVE = {
    {0.66, 0.20}, {0.55, 0.20}, {0.45, 0.20}, {0.38, 0.20}, {0.37, 0.30}, {0.36, 0.40},
    {0.35, 0.45}, {0.42, 0.42}, {0.50, 0.42}, {0.58, 0.45}, {0.64, 0.53}, {0.65, 0.62},
    {0.60, 0.72}, {0.52, 0.78}, {0.43, 0.78}, {0.35, 0.73}
  };

  @TempDir static Path folder;
  private static Browser browser;
  private static Path trained;

  @BeforeAll
  static void trainAModel() throws IOException {
    browser = Browser.start(folder);
    trained = folder.resolve("run/model.safetensors");
    run("train", "--epochs", "5", "--quiet", "--out", folder.resolve("run").toString());
    Files.createDirectories(SEEN_BY_PEOPLE);
  }

  @AfterAll
  static void end() {
    if (browser != null) {
      browser.close();
    }
  }

  @BeforeEach
  void beginAnew() {
    browser.console().clear();
    browser.screen(1280, 900, false, false);
  }

  private static Launcher.Result run(String... arguments) {
    Launcher.Result result = InProcess.run(arguments);
    assertEquals(0, result.code(), result.err());
    return result;
  }

  /** Exports and opens a model's page. */
  private static Path open(Path model, String... options) throws IOException {
    Path page = model.resolveSibling("page.html");
    Files.deleteIfExists(page);
    List<String> words = new ArrayList<>(List.of("export", "--model", model.toString()));
    words.addAll(List.of("--format", "html", "--out", page.toString()));
    words.addAll(List.of(options));
    run(words.toArray(String[]::new));
    browser.requests().clear();
    browser.open(page);
    return page;
  }

  private static double[] shown() {
    return doubles(
        browser.evaluate("[...document.querySelectorAll('#bars li')].map(bar => +bar.title)"));
  }

  private static double[] doubles(JsonElement array) {
    return StreamSupport.stream(array.getAsJsonArray().spliterator(), false)
        .mapToDouble(JsonElement::getAsDouble)
        .toArray();
  }

  private static byte[] bytes(String expression) {
    double[] values = doubles(browser.evaluate("Array.from(" + expression + ")"));
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  /** The PNG that the browser makes of a canvas. */
  private static Path canvas(String selector) throws IOException {
    String png =
        browser.evaluate("document.querySelector('" + selector + "').toDataURL()").getAsString();
    return Files.write(
        folder.resolve("canvas.png"),
        Base64.getDecoder().decode(png.substring(png.indexOf(',') + 1)));
  }

  /** What predict says of the PNG that the browser makes of a canvas. */
  private static JsonObject predicted(Path model, String canvas, String... options)
      throws IOException {
    String file = canvas(canvas).toString();
    List<String> words =
        new ArrayList<>(List.of("predict", "--model", model.toString(), "--json", file));
    words.addAll(List.of(options));
    return Json.parse(run(words.toArray(String[]::new)).out());
  }

  private static void assertAgrees(Path model) throws IOException {
    double[] expected =
        predicted(model, "#seen").getAsJsonObject("probabilities").entrySet().stream()
            .mapToDouble(entry -> entry.getValue().getAsDouble())
            .toArray();
    assertArrayEquals(expected, shown(), TOLERANCE);
  }

  private static void assertSilent(Path page) {
    assertEquals(List.of(), browser.console());
    assertEquals(List.of(page.toUri().toString()), browser.requests());
  }

  @ParameterizedTest
  @CsvSource({"desktop, 1280, 900, false", "phone, 390, 844, true", "dark, 1280, 900, false"})
  void aDrawnZeroAndFiveAreNamedRight(String name, int width, int height, boolean phone)
      throws IOException {
    browser.screen(width, height, phone, name.equals("dark"));
    Path page = open(trained);
    Files.write(SEEN_BY_PEOPLE.resolve(name + "-empty.png"), browser.screenshot());
    for (String digit : List.of("0", "5")) {
      browser.draw("#paper", digit.equals("0") ? ZERO : FIVE, phone);
      assertEquals(digit, browser.text("#verdict"));
      assertAgrees(trained);
      // Of the large drawing, which predict fits by itself.
      assertEquals(
          digit, predicted(trained, "#paper", "--fit", "always").get("class").getAsString());
      Files.write(SEEN_BY_PEOPLE.resolve(name + "-" + digit + ".png"), browser.screenshot());
      browser.click("#clear");
      assertEquals("?", browser.text("#verdict"));
    }
    assertEquals(
        width,
        browser.evaluate("document.documentElement.scrollWidth").getAsInt() + (phone ? 0 : 15));
    assertSilent(page);
  }

  @Test
  void aConvolutionalNetNamesADrawnZeroAndFiveAndShowsWhereItsFiltersRespond() throws IOException {
    Path model = folder.resolve("cnn/model.safetensors");
    run("train", "--preset", "cnn", "--epochs", "1", "--quiet", "--out", model.getParent() + "");
    Path page = open(model);
    Files.write(SEEN_BY_PEOPLE.resolve("cnn-empty.png"), browser.screenshot());
    assertEquals(3, browser.evaluate("tiles[0].context.canvas.width").getAsInt());
    for (String digit : List.of("0", "5")) {
      browser.draw("#paper", digit.equals("0") ? ZERO : FIVE, false);
      assertEquals(digit, browser.text("#verdict"));
      assertAgrees(model);
      assertEquals(15, browser.evaluate("tiles[0].context.canvas.width").getAsInt());
      Files.write(SEEN_BY_PEOPLE.resolve("cnn-" + digit + ".png"), browser.screenshot());
      browser.click("#clear");
    }
    assertEquals(3, browser.evaluate("tiles[0].context.canvas.width").getAsInt());
    assertSilent(page);
  }

  @Test
  void theModelSeesWhatPredictWouldFit() throws IOException {
    for (ImageShape shape : List.of(new ImageShape(28, 28), new ImageShape(18, 32))) {
      Path model = folder.resolve("shape.safetensors");
      Architecture architecture = new Architecture(shape.pixels(), List.of(5), 3);
      new ModelFile(
              Initializer.PYTORCH.create(architecture, 1),
              List.of("a", "b", "c"),
              Loss.CROSS_ENTROPY,
              shape)
          .write(model);
      open(model);
      ImageFitter fitter = new ImageFitter(shape.width(), shape.height(), true);
      int width = browser.evaluate("width").getAsInt();
      int height = browser.evaluate("height").getAsInt();
      for (int seed = 1; seed <= 12; seed++) {
        // Lines from point to point, and some apart from them.
        browser.evaluate(
            "(() => { let s = %d; const random = () => (s = (s * 48271) %% 2147483647) / 2147483647;"
                    .formatted(seed)
                + " ink.fill(0); let [x, y] = [width * random(), height * random()];"
                + " for (let i = 0; i < 9; i++) {"
                + " const [a, b] = [width * random(), height * random()];"
                + " if (i != 5) drawLine(ink, width, height, x, y, a, b, 1 + 0.06 * height * random());"
                + " [x, y] = [a, b]; } return 0; })()");
        GreyImage drawing = new GreyImage(bytes("ink"), width, height);
        assertArrayEquals(
            fitter.fit("drawing", drawing).pixels(),
            bytes("fit(ink, width, height, model.width, model.height)"),
            shape + ", seed " + seed);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear", "mlp:7", "mlp:9,8", "mlp:20,10,5", "cnn:4,5/1", "cnn:3/1,6+8"})
  void everyKindOfModelAgreesWithPredict(String name) throws IOException {
    ImageShape shape = new ImageShape(18, 32);
    boolean convolutional = name.startsWith("cnn");
    for (int outputs : List.of(1, 4)) {
      Path model = folder.resolve("kind.safetensors");
      List<String> classes = List.of("<b>&amp;\"'", "\u05d0\u05d1\ud83d\ude00", "c", "__proto__");
      new ModelFile(
              Initializer.PYTORCH.create(Architecture.of(name, shape, outputs), 3),
              classes.subList(0, Math.max(2, outputs)),
              outputs == 1 ? Loss.BCE : Loss.CROSS_ENTROPY,
              shape)
          .with(convolutional ? Normalisation.NONE : new Normalisation(0.1307f, 0.3081f))
          .write(model);
      Path page = open(model);
      browser.draw("#paper", FIVE, false);
      assertAgrees(model);
      assertTrue(classes.contains(browser.text("#verdict")), browser.text("#verdict"));
      assertEquals("none", style("#samples", "display"));
      assertEquals("none", style("#sample", "display"));
      assertSilent(page);
    }
  }

  private static String style(String selector, String property) {
    return browser
        .evaluate(
            "getComputedStyle(document.querySelector('" + selector + "'))['" + property + "']")
        .getAsString();
  }

  @Test
  void undoGoesBackThroughEverything() throws IOException {
    Path page = open(trained);
    String disabled = "document.getElementById('undo').disabled";
    assertTrue(browser.evaluate(disabled).getAsBoolean());
    browser.draw("#paper", ZERO, false);
    double[] zero = shown();
    browser.draw("#paper", new double[][] {{0.1, 0.9}, {0.9, 0.9}}, false);
    double[] both = shown();
    assertNotEquals(zero[0], both[0]);
    browser.click("#clear");
    assertArrayEquals(new double[] {0, 0}, shown());
    browser.click("#undo");
    assertArrayEquals(both, shown());
    browser.key("z", 2);
    assertArrayEquals(zero, shown());
    browser.click("#undo");
    assertEquals("?", browser.text("#verdict"));
    assertTrue(browser.evaluate(disabled).getAsBoolean());
    assertSilent(page);
  }

  @Test
  void samplesHaveTheirTrueAndPredictedClass() throws IOException {
    Path page = open(trained);
    int count = browser.evaluate("document.querySelectorAll('#gallery button').length").getAsInt();
    assertEquals(60, count);
    for (String selector : List.of("#sample", "#sample", "#gallery li:nth-child(1) button")) {
      browser.click(selector);
      String truth = browser.text("#truth");
      String verdict = browser.text("#verdict");
      assertTrue(
          truth.matches("Validation image no\\. [\\d,]+: true class [05], predicted [05]: .*"),
          truth);
      assertTrue(truth.contains("predicted " + verdict), truth);
      assertEquals(truth.contains("true class " + verdict), truth.endsWith("right."), truth);
      assertAgrees(trained);
      assertArrayEquals(
          bytes("samplePixels.subarray(shown.sample * imageSize, (shown.sample + 1) * imageSize)"),
          ImageFile.read(canvas("#seen")).pixels());
    }
    Files.write(SEEN_BY_PEOPLE.resolve("sample.png"), browser.screenshot());
    assertTrue(browser.text("#truth").endsWith("wrong."), "the hardest stands first");
    browser.draw("#paper", FIVE, false);
    assertEquals("none", style("#truth", "display"));
    assertEquals("5", browser.text("#verdict"));
    assertSilent(page);
  }

  @Test
  void theKeyboardDrawsAndAScreenReaderHearsIt() throws IOException {
    Path page = open(trained);
    browser.evaluate("document.getElementById('paper').focus() || 0");
    browser.key("ArrowUp", 0);
    assertEquals("?", browser.text("#verdict"));
    browser.key(" ", 0);
    for (String key : List.of("ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight")) {
      browser.key(key, 0);
    }
    browser.key(" ", 0);
    String verdict = browser.text("#verdict");
    assertNotEquals("?", verdict);
    browser.evaluate("new Promise(done => setTimeout(() => done(0), 600))");
    assertTrue(browser.text("#spoken").startsWith(verdict + ", "), browser.text("#spoken"));
    Files.write(SEEN_BY_PEOPLE.resolve("keyboard.png"), browser.screenshot());
    List<String> accessible = browser.accessible();
    for (String expected :
        List.of(
            "application: Drawing area",
            "button: Undo",
            "button: Clear",
            "button: Sample",
            "image: The image that the model receives",
            "list: Probability of each class")) {
      assertTrue(accessible.contains(expected), expected + " is not in " + accessible);
    }
    browser.key("Delete", 0);
    assertEquals("?", browser.text("#verdict"));
    assertSilent(page);
  }

  /** Colours of text against what is behind it: WCAG 2.2 asks for 4.5. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void textStandsOut(boolean dark) throws IOException {
    browser.screen(1280, 900, false, dark);
    open(trained);
    browser.draw("#paper", FIVE, false);
    double light = luminance(style("body", "backgroundColor"));
    assertEquals(dark, light < 0.1, style("body", "backgroundColor"));
    for (String selector :
        List.of("h1", "#keys", "#verdict", "#certainty", "figcaption", "b.raise")) {
      double text = luminance(style(selector, "color"));
      double behind = luminance(style("#result", "backgroundColor"));
      double contrast = (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
      assertTrue(contrast >= 4.5, selector + " has " + contrast);
    }
  }

  private static double luminance(String rgb) {
    double[] parts =
        Arrays.stream(rgb.replaceAll("[^\\d. ]", "").strip().split(" +", -1))
            .mapToDouble(Double::parseDouble)
            .map(c -> c / 255)
            .map(c -> c <= 0.04045 ? c / 12.92 : StrictMath.pow((c + 0.055) / 1.055, 2.4))
            .toArray();
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  }

  @Test
  void aScriptThatIsNotThePagesIsRefused() throws IOException {
    open(trained);
    browser.evaluate(
        "(() => { const script = document.createElement('script'); script.textContent = 'ran = 1';"
            + " document.body.append(script); const image = new Image();"
            + " image.src = 'https://example.org/a.png'; document.body.append(image); return 0; })()");
    browser.frame();
    assertEquals("undefined", browser.evaluate("typeof ran").getAsString());
    assertEquals(2, browser.console().size(), browser.console().toString());
    for (String refusal : browser.console()) {
      assertTrue(refusal.contains("Content Security Policy"), refusal);
    }
  }

  /**
   * Writes the processor time of a movement, which other programs on the machine do not change: of
   * the script, with layout and style until the bars are in place, and of all that the main thread
   * does, painting included. Nothing is asserted of it.
   */
  @Test
  void timesFromPointerToBarsAreMeasured() throws IOException {
    StringBuilder table =
        new StringBuilder("model,weight_bytes,page_bytes,script_ms,bars_ms,all_ms\n");
    for (int units : List.of(30, 2500)) {
      Architecture architecture = new Architecture(784, List.of(units), units == 30 ? 1 : 10);
      Path model = folder.resolve("time.safetensors");
      List<String> classes =
          IntStream.range(0, Math.max(2, architecture.outputs()))
              .mapToObj(String::valueOf)
              .toList();
      new ModelFile(
              Initializer.PYTORCH.create(architecture, 1),
              classes,
              Loss.defaultFor(classes.size()),
              new ImageShape(28, 28))
          .write(model);
      Path page = open(model, "--data", "mnist");
      browser.evaluate("var frames = 0, plain = update; update = () => { frames++; plain(); }; 0");
      browser.draw("#paper", ZERO, false);
      browser.click("#clear");
      int drawn = browser.evaluate("frames").getAsInt();
      Map<String, Double> before = browser.times();
      for (int i = 0; i < 3; i++) {
        browser.draw("#paper", ZERO, false);
        browser.click("#clear");
      }
      Map<String, Double> after = browser.times();
      double frames = browser.evaluate("frames").getAsInt() - drawn;
      double script = (after.get("ScriptDuration") - before.get("ScriptDuration")) / frames;
      double bars =
          script
              + (after.get("LayoutDuration") - before.get("LayoutDuration")) / frames
              + (after.get("RecalcStyleDuration") - before.get("RecalcStyleDuration")) / frames;
      double all = (after.get("ThreadTime") - before.get("ThreadTime")) / frames;
      assertTrue(script > 0 && all > script, script + " of " + all);
      table.append(
          "%s,%d,%d,%.1f,%.1f,%.1f\n"
              .formatted(
                  architecture,
                  4L * architecture.parameterCount(),
                  Files.size(page),
                  script,
                  bars,
                  all));
    }
    Files.writeString(SEEN_BY_PEOPLE.resolve("times.csv"), table, StandardCharsets.UTF_8);
  }
}
