package zerofive.report.page;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import zerofive.data.DataSet;
import zerofive.data.image.ImageShape;
import zerofive.files.Json;
import zerofive.model.Layer;
import zerofive.model.Parameters;
import zerofive.model.Window;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Normalisation;
import zerofive.report.chart.Html;
import zerofive.report.console.DataText;
import zerofive.report.console.Format;

/**
 * A model as one page to draw on, which computes in the browser. The page needs no network and no
 * server; its Content-Security-Policy names the digests of its own script and style, and forbids
 * every request.
 *
 * @param model whose weights stand in the page, normalisation folded in
 * @param shape of its images
 * @param sha256 of the model's file
 * @param validation images and what the model makes of them; empty for a page without samples
 * @param program that writes it
 */
public record DrawPage(
    ModelFile model,
    ImageShape shape,
    String sha256,
    Optional<Validation> validation,
    String program) {
  /** Of a model's weights, in float32; in base64 they are a third more. */
  public static final int MAX_WEIGHT_BYTES = 8_000_000;

  /** Longer headings name the number of classes instead. */
  private static final int MAX_TITLE = 60;

  private static final List<String> SCRIPTS =
      List.of("dom.js", "net.js", "fit.js", "units.js", "draw.js");

  private static final Pattern PLACE = Pattern.compile("\\{\\{(\\w+)}}");

  /**
   * Labelled images beside the model's logits.
   *
   * @param data of the model's classes
   * @param logits of the validation images, [images, outputs] row-major
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Validation(DataSet data, float[] logits) {}

  /** What the page's script knows of the model, as JSON. */
  private record Description(
      int height,
      int width,
      List<String> classes,
      List<LayerDescription> layers,
      List<PageSamples.Sample> samples) {}

  /**
   * A layer; scripts have a function for each kind.
   *
   * @param window of a convolution; null of a linear layer
   * @param inputs of each output
   * @param weights where they begin among all float32 of the model
   * @param biases the same
   */
  private record LayerDescription(
      String kind,
      Window window,
      int inputs,
      int outputs,
      int weights,
      int biases,
      String activation) {
    static LayerDescription of(Layer layer) {
      boolean dense = layer.window().isDense();
      return new LayerDescription(
          dense ? "linear" : "convolution",
          dense ? null : layer.window(),
          layer.inputs(),
          layer.outputs(),
          layer.weightOffset(),
          layer.biasOffset(),
          layer.activation().name().toLowerCase(Locale.ROOT));
    }
  }

  /** How many bytes the weights of a model have. */
  public static long weightBytes(ModelFile model) {
    return (long) Float.BYTES * model.parameters().architecture().parameterCount();
  }

  /** How many samples stand in the page. */
  public int samples() {
    return chosen().map(some -> some.samples().size()).orElse(0);
  }

  private Optional<PageSamples> chosen() {
    return validation.flatMap(some -> PageSamples.of(some.data(), some.logits()));
  }

  /** The page. */
  public String toHtml() {
    Optional<PageSamples> samples = chosen();
    // CDATA makes the page well-formed as XML; to HTML it is a comment of the script.
    String script =
        SCRIPTS.stream()
            .map(PageResource::read)
            .collect(Collectors.joining("", "//<![CDATA[\n\"use strict\";\n", "//]]>\n"));
    String style = PageResource.read("report.css") + PageResource.read("draw.css");
    String template = PageResource.read("draw.html");
    Html html = new Html();
    Matcher place = PLACE.matcher(template);
    int end = 0;
    while (place.find()) {
      html.raw(template.substring(end, place.start()));
      switch (place.group(1)) {
        case "policy" -> policy(html, script, style);
        case "style" -> html.raw(style);
        case "script" -> html.raw(script);
        case "title" -> html.text(title());
        case "size" -> html.text(shape.toString());
        case "looks" -> html.raw(looks());
        case "pull" -> pull(html);
        case "samples" -> samples.ifPresent(some -> samples(html, some));
        case "facts" -> facts(html, samples);
        case "program" -> html.text(program);
        case "model" -> html.text(description(samples));
        case "weights" -> html.raw(weights());
        case "pixels" ->
            samples.ifPresent(some -> html.raw(Base64.getEncoder().encodeToString(some.pixels())));
        default -> throw new IllegalStateException("draw.html asks for " + place.group(1));
      }
      end = place.end();
    }
    return html.raw(template.substring(end)).toString();
  }

  private static void policy(Html html, String script, String style) {
    html.raw("default-src 'none'; script-src '")
        .raw(digest(script))
        .raw("'; style-src '")
        .raw(digest(style))
        .raw("'; base-uri 'none'; form-action 'none'");
  }

  /** As a Content-Security-Policy names an inline script or style (CSP 3, hash-source). */
  private static String digest(String text) {
    try {
      byte[] sha256 =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return "sha256-" + Base64.getEncoder().encodeToString(sha256);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** {@code Draw 0 or 5}; of many classes or long names their number. */
  private String title() {
    List<String> classes = model.classes();
    int last = classes.size() - 1;
    String title =
        "Draw " + String.join(", ", classes.subList(0, last)) + " or " + classes.get(last);
    return title.length() <= MAX_TITLE
        ? title
        : "Draw one of " + Format.count(classes.size()) + " classes";
  }

  private List<Layer> layers() {
    return model.parameters().architecture().layers();
  }

  private boolean isConvolutional() {
    return model.parameters().architecture().convolutions() > 0;
  }

  private String looks() {
    if (isConvolutional()) {
      return "What the first convolution's strongest filters look at";
    }
    if (layers().size() > 1) {
      return "What the first layer's strongest units look at";
    }
    return layers().get(0).outputs() == 1
        ? "What the output looks at"
        : "What the strongest outputs look at";
  }

  private void pull(Html html) {
    if (isConvolutional()) {
      html.raw(
          "On a drawing each picture shows where the filter responds, and the bar how strongly.");
      return;
    }
    html.raw("What your ink covers stands out. ");
    if (layers().size() == 2) {
      html.raw("The bar below a unit is how active it is.");
    } else if (layers().size() == 1 && layers().get(0).outputs() == 1) {
      html.raw("Red favours ").text(model.classes().get(0));
      html.raw(", blue ").text(model.classes().get(1)).raw(".");
    } else {
      html.raw("The bar below is how large its value is.");
    }
  }

  private static void samples(Html html, PageSamples samples) {
    html.raw("The ")
        .raw(Format.plural(samples.hard(), "image"))
        .raw(" that the model finds hardest, then ")
        .raw(samples.samples().size() - samples.hard())
        .raw(" at random. Choose one to see what the model makes of it.");
  }

  private void facts(Html html, Optional<PageSamples> samples) {
    row(html, "layers", model.parameters().architecture().toString());
    row(html, "parameters", Format.count(model.parameters().architecture().parameterCount()));
    row(html, "loss", model.loss().toString());
    row(
        html,
        "pixels",
        shape + ", each taken as " + model.normalisation().orElse(Normalisation.NONE));
    validation.ifPresent(some -> row(html, "data", DataText.describe(some.data())));
    samples.ifPresent(
        some ->
            row(
                html,
                "errors",
                Format.count(some.errors())
                    + " of "
                    + Format.plural(some.images().count(), "validation image")));
    row(html, "SHA-256", sha256);
  }

  private static void row(Html html, String name, String value) {
    html.raw("<tr><th scope=\"row\">").text(name).raw("</th><td>");
    html.text(value).raw("</td></tr>\n");
  }

  private String description(Optional<PageSamples> samples) {
    return Json.line(
        Json.of(
            new Description(
                shape.height(),
                shape.width(),
                model.classes(),
                layers().stream().map(LayerDescription::of).toList(),
                samples.map(PageSamples::samples).orElse(List.of()))));
  }

  /** All weights, little-endian, as base64. */
  private String weights() {
    Parameters parameters = model.foldedParameters();
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * parameters.values().length);
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(parameters.values());
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
