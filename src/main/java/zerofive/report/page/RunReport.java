package zerofive.report.page;

import static zerofive.train.Settings.LOSS;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import zerofive.backend.Prediction;
import zerofive.data.DataSet;
import zerofive.data.ImageSet;
import zerofive.model.Layer;
import zerofive.report.chart.Downsampler;
import zerofive.report.chart.FilterResponse;
import zerofive.report.chart.HistoryCharts;
import zerofive.report.chart.Html;
import zerofive.report.chart.LineChart;
import zerofive.report.chart.Png;
import zerofive.report.chart.WeightImage;
import zerofive.report.console.ConfusionMatrix;
import zerofive.report.console.DataText;
import zerofive.report.console.Format;
import zerofive.run.Receipt;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;
import zerofive.train.Trainer;

/**
 * {@code report.html}: a finished run on one page that needs neither network nor script. Pictures
 * are inside it; their number and size are bounded, so the page stays below 2 MB.
 *
 * @param title of the page
 * @param recipe of the run
 * @param data it was trained on
 * @param outcome of the training, which was not interrupted
 * @param receipt of the run, without its result
 * @param modelSha256 of the model's file
 * @param phases seconds of the command's phases so far
 * @param reproduceCommand the command that makes the run again
 */
public record RunReport(
    String title,
    Recipe recipe,
    DataSet data,
    Trainer.Outcome outcome,
    Receipt receipt,
    String modelSha256,
    Map<String, Double> phases,
    String reproduceCommand) {
  private static final int HARD_IMAGES = 24;
  private static final int UNITS = 64;

  /** Squares in a row or a column of an image's picture. */
  private static final int LONGEST = 112;

  private static final int CHART_WIDTH = 440;
  private static final int CHART_HEIGHT = 310;

  /** A sum that differs from 1 by less than this fraction is not mentioned. */
  private static final double SURE = 0.9995;

  /** The page. */
  public String toHtml() {
    Html html = new Html();
    html.raw("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n")
        .raw("<meta charset=\"utf-8\"/>\n")
        .raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';")
        .raw(" img-src data:; style-src 'unsafe-inline'\"/>\n")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n")
        .raw("<title>")
        .text(title)
        .raw("</title>\n<style>\n")
        .raw(style())
        .raw("</style>\n</head>\n<body>\n");
    summary(html);
    html.raw("<main>\n");
    curves(html);
    confusion(html);
    hardImages(html);
    weights(html);
    settings(html);
    time(html);
    receipt(html);
    html.raw("</main>\n<footer>Written by ")
        .text(receipt.latest().map(Receipt.Session::program).orElse("zerofive"))
        .raw(". This page needs no network.</footer>\n</body>\n</html>\n");
    return html.toString();
  }

  private static String style() {
    try (InputStream css =
        RunReport.class.getResourceAsStream("/zerofive/report/page/report.css")) {
      return new String(css.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void summary(Html html) {
    int images = data.valid().count();
    int errors = errors();
    EpochRecord best =
        history().stream().min(Comparator.comparingInt(EpochRecord::errors)).orElseThrow();
    String accuracy = Format.percent((double) (images - errors) / images);
    html.raw("<header>\n<p class=\"origin\">zerofive training report</p>\n<h1>").text(title);
    html.raw("</h1>\n<p class=\"lead\">After ").raw(Format.plural(selected().epoch(), "epoch"));
    if (errors == 0) {
      html.raw(" the model classifies every validation image correctly, ")
          .raw(Format.count(images))
          .raw(" in all.");
    } else {
      html.raw(" the model misclassifies ")
          .raw(Format.count(errors))
          .raw(" of the ")
          .raw(Format.plural(images, "validation image"))
          .raw("; ")
          .raw(accuracy)
          .raw(" are classified correctly.");
    }
    if (best.errors() < errors) {
      html.raw(" Epoch ").raw(best.epoch()).raw(" had the fewest errors, ");
      html.raw(Format.count(best.errors())).raw(".");
    }
    if (selected().epoch() < history().size()) {
      html.raw(" The training went on to epoch ").raw(history().size());
      html.raw(" without a lower validation loss, so these weights were kept.");
    }
    html.raw("</p>\n<dl class=\"figures\">\n");
    figure(html, "Errors", Format.count(errors), "of " + Format.plural(images, "image"));
    figure(html, "Accuracy", accuracy, "on the validation set");
    figure(
        html,
        "Parameters",
        Format.count(outcome.parameters().architecture().parameterCount()),
        outcome.parameters().architecture().toString());
    figure(
        html,
        "Training",
        Format.seconds(trainSeconds()),
        Format.plural(history().size(), "epoch") + " of " + Format.count(data.train().count()));
    html.raw("</dl>\n</header>\n");
  }

  private static void figure(Html html, String name, String value, String unit) {
    html.raw("<div><dt>").raw(name).raw("</dt><dd>").raw(value);
    html.raw("<small>").raw(unit).raw("</small></dd></div>\n");
  }

  private List<EpochRecord> history() {
    return outcome.history();
  }

  private EpochRecord selected() {
    return outcome.selected().orElseThrow();
  }

  private ConfusionMatrix matrix() {
    return ConfusionMatrix.of(data.classes(), data.valid(), outcome.logits());
  }

  private int errors() {
    ConfusionMatrix matrix = matrix();
    int right = 0;
    for (int target = 0; target < matrix.classes().size(); target++) {
      right += matrix.counts()[target][target];
    }
    return data.valid().count() - right;
  }

  private double trainSeconds() {
    return history().stream().mapToDouble(EpochRecord::trainSeconds).sum();
  }

  private void curves(Html html) {
    String label = " after epoch " + selected().epoch();
    double[] epochs = HistoryCharts.epochs(history());
    html.raw("<section>\n<h2>Curves</h2>\n<p class=\"about\">After each epoch, on the ")
        .raw(Format.plural(data.valid().count(), "validation image"))
        .raw("; the training loss is the mean over the epoch itself.</p>\n")
        .raw("<div class=\"charts\">\n");
    chart(
        html,
        new LineChart("Accuracy", "epoch")
            .line(
                "validation, " + Format.fixed(selected().accuracy(), 4) + label,
                epochs,
                HistoryCharts.values(history(), EpochRecord::accuracy)));
    chart(
        html,
        new LineChart("Errors", "epoch")
            .line(
                "validation, " + Format.count(selected().errors()) + label,
                epochs,
                HistoryCharts.values(history(), EpochRecord::errors)));
    chart(
        html,
        new LineChart("Loss (" + recipe.get(LOSS) + ")", "epoch")
            .line(
                "training, " + Format.fixed(selected().trainLoss(), 4),
                epochs,
                HistoryCharts.values(history(), EpochRecord::trainLoss))
            .line(
                "validation, " + Format.fixed(selected().validLoss(), 4),
                epochs,
                HistoryCharts.values(history(), EpochRecord::validLoss)));
    html.raw("</div>\n</section>\n");
  }

  private static void chart(Html html, LineChart chart) {
    html.raw("<figure>").raw(chart.size(CHART_WIDTH, CHART_HEIGHT).toSvg()).raw("</figure>\n");
  }

  private void confusion(Html html) {
    ConfusionMatrix matrix = matrix();
    List<String> columns = matrix.columns();
    html.raw("<section>\n<h2>Confusion matrix</h2>\n<p class=\"about\">A row for each true class,")
        .raw(" a column for each predicted one: blue is right, orange is wrong.</p>\n")
        .raw(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Confusion matrix\">")
        .raw("<table class=\"confusion\">\n<thead><tr>")
        .raw("<th class=\"corner\" scope=\"col\">true \\ predicted</th>");
    for (String name : columns) {
      html.raw("<th scope=\"col\" title=\"").text(name).raw("\">").text(name).raw("</th>");
    }
    html.raw("<th class=\"corner\" scope=\"col\">right</th></tr></thead>\n<tbody>\n");
    for (int target = 0; target < matrix.classes().size(); target++) {
      String name = matrix.classes().get(target);
      int[] counts = matrix.counts()[target];
      int images = 0;
      for (int count : counts) {
        images += count;
      }
      html.raw("<tr><th scope=\"row\" title=\"").text(name).raw("\">").text(name).raw("</th>");
      for (int predicted = 0; predicted < columns.size(); predicted++) {
        cell(html, counts[predicted], images, predicted == target);
      }
      html.raw("<td class=\"share\">")
          .raw(images == 0 ? "none" : Format.percent((double) counts[target] / images))
          .raw("</td></tr>\n");
    }
    html.raw("</tbody>\n</table></div>\n</section>\n");
  }

  /** Of errors the root is shaded: even one in a thousand should be seen. */
  private static void cell(Html html, int count, int images, boolean right) {
    if (count == 0) {
      html.raw("<td class=\"z\">0</td>");
      return;
    }
    double fraction = (double) count / images;
    html.raw(right ? "<td class=\"r\"" : "<td class=\"w\"")
        .raw(" style=\"--a:")
        .raw(Format.fixed(right ? 0.1 + 0.3 * fraction : 0.12 + 0.6 * Math.sqrt(fraction), 2))
        .raw("\">")
        .raw(Format.count(count))
        .raw("</td>");
  }

  private void hardImages(Html html) {
    ImageSet images = data.valid();
    List<TopLoss> hardest = TopLoss.hardest(images, outcome.logits(), HARD_IMAGES);
    long wrong = hardest.stream().filter(TopLoss::isWrong).count();
    html.raw("<section>\n<h2>Hardest validation images</h2>\n<p class=\"about\">The ")
        .raw(Format.plural(hardest.size(), "image"))
        .raw(" with the highest loss, wrong ones first");
    if (wrong < errors()) {
      html.raw(" (").raw(Format.count(errors() - wrong)).raw(" more are wrong)");
    }
    html.raw("; no. is the position in the validation set, from 1, and the percentage the model's")
        .raw(" probability of the class that it predicts.</p>\n<ol class=\"pictures\">\n");
    Downsampler downsampler = Downsampler.within(LONGEST, images.height(), images.width());
    for (TopLoss image : hardest) {
      topLoss(html, image, downsampler);
    }
    html.raw("</ol>\n</section>\n");
  }

  private void topLoss(Html html, TopLoss image, Downsampler downsampler) {
    ImageSet images = data.valid();
    int outputs = outcome.logits().length / images.count();
    double[] probabilities =
        Prediction.probabilities(outcome.logits(), image.index() * outputs, outputs);
    boolean named = image.predicted() != Prediction.NONE;
    String number = Format.count(image.index() + 1);
    html.raw(image.isWrong() ? "<li class=\"wrong\"><span class=\"verdict\">wrong</span>" : "<li>");
    picture(
        html,
        grey(image.index(), downsampler),
        "validation image " + number + ", true class " + data.classes().get(image.target()));
    html.raw("<span>true <b>")
        .text(data.classes().get(image.target()))
        .raw("</b></span><span>predicted <b>")
        .text(named ? data.classes().get(image.predicted()) : "none")
        .raw("</b></span><span>")
        .raw(named ? percent(probabilities[image.predicted()]) : "not a number")
        .raw("</span><span>no. ")
        .raw(number)
        .raw("</span></li>\n");
  }

  /** A validation image as a PNG file. */
  private byte[] grey(int index, Downsampler downsampler) {
    ImageSet images = data.valid();
    int start = index * images.imageSize();
    double[] means = downsampler.means(pixel -> images.pixels()[start + pixel] & 0xff);
    byte[] pixels = new byte[means.length];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) Math.round(means[i]);
    }
    return Png.grey(downsampler.columns(), downsampler.rows(), pixels);
  }

  /** In per cent with one decimal, and never 100 where it is a little less. */
  private static String percent(double probability) {
    return probability >= SURE && probability < 1
        ? "&gt; 99.9 %"
        : Format.fixed(100 * probability, 1) + " %";
  }

  private static void picture(Html html, byte[] png, String description) {
    html.raw("<img alt=\"")
        .text(description)
        .raw("\" src=\"data:image/png;base64,")
        .raw(Base64.getEncoder().encodeToString(png))
        .raw("\"/>");
  }

  private void weights(Html html) {
    List<Layer> layers = outcome.parameters().architecture().layers();
    boolean linear = layers.size() == 1;
    boolean filters = !layers.get(0).window().isDense();
    int units = layers.get(0).outputs();
    List<WeightImage> pictures =
        WeightImage.of(outcome.parameters(), data.train().height(), data.train().width(), UNITS);
    html.raw("<section>\n<h2>Learned weights</h2>\n<p class=\"about\">")
        .raw(
            filters
                ? "What each filter of the first convolution"
                : linear ? "What each output" : "What each hidden unit of the first layer")
        .raw(
            " responds to: red pixels raise it, blue ones lower it, white ones have no effect. The")
        .raw(" number below a picture is the weight of its deepest colour.");
    if (linear && units == 1) {
      html.raw(" Red favours ").text(data.classes().get(0));
      html.raw(", blue ").text(data.classes().get(1)).raw(".");
    } else if (filters) {
      html.raw(
              " Below that is how strongly the filter responds, from white to black, at each place")
          .raw(" of the first validation image, which is shown at the start.");
    } else if (layers.size() == 2) {
      html.raw(" Below that is the class that the unit favours most.");
    }
    if (pictures.size() < units) {
      html.raw(" Shown are the ")
          .raw(pictures.size())
          .raw(filters ? " filters" : " units")
          .raw(" with the largest weights; ")
          .raw(Format.count(units - pictures.size()))
          .raw(" are left out.");
    }
    html.raw("</p>\n<ol class=\"pictures weights")
        .raw(pictures.size() == 1 ? " few" : "")
        .raw("\">\n");
    if (filters) {
      html.raw("<li>");
      picture(
          html,
          grey(0, Downsampler.within(LONGEST, data.valid().height(), data.valid().width())),
          "validation image 1");
      html.raw("<span>image <b>").text(data.classes().get(data.valid().targets()[0]));
      html.raw("</b></span></li>\n");
    }
    for (WeightImage picture : pictures) {
      String name = linear && units > 1 ? data.classes().get(picture.unit()) : "";
      String unit = filters ? "filter " : linear ? "output " : "unit ";
      String number = unit + Format.count(picture.unit() + 1);
      html.raw("<li>");
      picture(html, picture.png(), "weights of " + number + (name.isEmpty() ? "" : ", " + name));
      html.raw("<span><b>")
          .text(name.isEmpty() ? number : name)
          .raw("</b></span><span>&#177; ")
          .raw(scale(picture.scale()))
          .raw("</span>");
      if (filters) {
        byte[] image = Arrays.copyOf(data.valid().pixels(), data.valid().imageSize());
        picture(
            html,
            FilterResponse.png(outcome.parameters(), picture.unit(), image),
            "response of " + number + " to validation image 1");
      } else if (layers.size() == 2) {
        html.raw("<span>for <b>").text(favoured(layers.get(1), picture.unit())).raw("</b></span>");
      }
      html.raw("</li>\n");
    }
    html.raw("</ol>\n</section>\n");
  }

  private static String scale(double scale) {
    return scale == 0 || scale >= 0.01 ? Format.fixed(scale, 2) : String.valueOf((float) scale);
  }

  /** The class that a hidden unit speaks for most, in a net with one hidden layer. */
  private String favoured(Layer output, int unit) {
    int best = 0;
    for (int j = 0; j < output.outputs(); j++) {
      best = weight(output, j, unit) > weight(output, best, unit) ? j : best;
    }
    boolean negative = output.outputs() == 1 && weight(output, 0, unit) < 0;
    return data.classes().get(negative ? 1 : best);
  }

  private float weight(Layer layer, int output, int input) {
    return outcome.parameters().values()[layer.weightOffset() + output * layer.inputs() + input];
  }

  private void settings(Html html) {
    html.raw("<section class=\"half\">\n<h2>Settings</h2>\n")
        .raw("<table class=\"rows\"><tbody>\n");
    recipe.table().forEach((name, value) -> row(html, name, value));
    html.raw("</tbody></table>\n</section>\n");
  }

  private static void row(Html html, String name, String value) {
    html.raw("<tr><th scope=\"row\">").text(name).raw("</th><td>");
    html.text(value).raw("</td></tr>\n");
  }

  private void time(Html html) {
    double whole = phases.values().stream().mapToDouble(Double::doubleValue).sum();
    double training = trainSeconds();
    html.raw("<section class=\"half\" id=\"time\">\n<h2>Where the time went</h2>\n")
        .raw("<p class=\"about\">The command had taken ")
        .raw(Format.seconds(whole))
        .raw(" when it began to write results. An epoch's training took ")
        .raw(Format.seconds(training / history().size()))
        .raw(" on average, ")
        .raw(Format.count(Math.round(history().size() * (double) data.train().count() / training)))
        .raw(" images a second.</p>\n<table class=\"rows\"><tbody>\n");
    phases.forEach(
        (phase, seconds) ->
            html.raw("<tr><th scope=\"row\">")
                .text(phase)
                .raw("</th><td class=\"number\">")
                .raw(Format.seconds(seconds))
                .raw("</td><td class=\"bar\"><div style=\"width:")
                .raw(Format.fixed(100 * seconds / whole, 1))
                .raw("%\"></div></td></tr>\n"));
    html.raw("</tbody></table>\n</section>\n");
  }

  private void receipt(Html html) {
    html.raw("<section>\n<h2>Receipt</h2>\n<p class=\"about\">The same program on the same device")
        .raw(" makes the same model again, bit for bit, from the same data:</p>\n")
        .raw("<pre class=\"command\"><code>")
        .text(reproduceCommand)
        .raw("</code></pre>\n<table class=\"rows\"><tbody>\n");
    row(html, "data", DataText.describe(data));
    data.sha256().forEach((file, sha256) -> digest(html, file, sha256));
    digest(html, "model.safetensors", modelSha256);
    for (Receipt.Part part : receipt.parts()) {
      Receipt.Session session = part.session();
      row(
          html,
          part.fromEpoch().equals("0") ? "started" : "resumed",
          part.started()
              + (part.fromEpoch().equals("0") ? "" : ", after epoch " + part.fromEpoch()));
      row(html, "program", session.program());
      if (!part.arithmetic().isEmpty()) {
        row(html, "arithmetic", part.arithmetic());
      }
      row(html, "device", session.backend() + " (" + session.device() + ")");
      session.details().forEach((name, value) -> row(html, name, value));
      row(html, "system", part.system() + ", Java " + part.java());
      row(html, "folder", part.folder());
      html.raw("<tr><th scope=\"row\">command line</th><td><code>zerofive");
      session.commandLine().forEach(word -> html.raw(" ").text(Format.shell(word)));
      html.raw("</code></td></tr>\n");
    }
    html.raw("</tbody></table>\n</section>\n");
  }

  private static void digest(Html html, String file, String sha256) {
    html.raw("<tr><th scope=\"row\">").text(file).raw("</th><td><code>SHA-256 ");
    html.text(sha256).raw("</code></td></tr>\n");
  }
}
