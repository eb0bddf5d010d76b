package zerofive.cli.command;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import zerofive.backend.Prediction;
import zerofive.backend.Predictor;
import zerofive.data.ImageSet;
import zerofive.data.image.GreyImage;
import zerofive.data.image.ImageShape;
import zerofive.data.image.fit.ImageFitter;
import zerofive.files.Csv;
import zerofive.files.InputException;
import zerofive.files.Json;
import zerofive.model.format.ModelFile;
import zerofive.report.console.Terminal;

/**
 * Pictures on their way through a model, some hundred at a time: read by many threads, predicted at
 * once, reported in the order they came.
 */
final class Predictions {
  private static final int IMAGES = 512;
  private static final int PIXELS = 1 << 24;

  /** How many images something is true of, and the first one's name. */
  record Named(long count, String first) {}

  private record Pending(String name, Future<ImageFitter.Fitted> image) {}

  private final ModelFile model;
  private final Predictor predictor;
  private final Optional<ImageFitter> fitter;
  private final ExecutorService decoders;
  private final boolean json;
  private final Terminal terminal;
  private final Consumer<List<String>> sink;
  private final int inputs;
  private final List<Pending> pending = new ArrayList<>();
  private long predicted;
  private long unreadable;
  private final Map<ImageFitter.Remark, Named> remarked = new EnumMap<>(ImageFitter.Remark.class);

  /** {@code fitter} is empty where pixels are taken as they are; records go to {@code sink}. */
  Predictions(
      ModelFile model,
      Predictor predictor,
      Optional<ImageFitter> fitter,
      ExecutorService decoders,
      boolean json,
      Terminal terminal,
      Consumer<List<String>> sink) {
    this.model = model;
    this.predictor = predictor;
    this.fitter = fitter;
    this.decoders = decoders;
    this.json = json;
    this.terminal = terminal;
    inputs = model.parameters().architecture().inputs();
    this.sink = sink;
  }

  long predicted() {
    return predicted;
  }

  /** Images that were named on standard error instead. */
  long unreadable() {
    return unreadable;
  }

  /** The images that {@code remark} is true of. */
  Named remarked(ImageFitter.Remark remark) {
    return remarked.getOrDefault(remark, new Named(0, ""));
  }

  /** Prints the header that CSV has. */
  void begin() {
    if (!json) {
      sink.accept(List.of("path,class,probability"));
    }
  }

  /**
   * Takes one more image. One {@code ofDataSet} that has the model's size stays as it is, unless
   * all are fitted.
   */
  void add(String name, boolean ofDataSet, Callable<GreyImage> reading) {
    pending.add(new Pending(name, decoders.submit(() -> fit(name, ofDataSet, reading.call()))));
    if (pending.size() >= Math.max(1, Math.min(IMAGES, PIXELS / inputs))) {
      flush();
    }
  }

  /** Names what cannot be read, and counts it. */
  void refuse(InputException e) {
    unreadable++;
    terminal.error("zerofive: " + e.getMessage());
  }

  private ImageFitter.Fitted fit(String name, boolean ofDataSet, GreyImage image) {
    if (fitter.isPresent()
        && (fitter.get().always() || !(ofDataSet && fitter.get().hasSize(image)))) {
      checkAssumption(name, image, fitter.get());
      return fitter.get().fit(name, image);
    }
    if (!model.takes(image.shape())) {
      throw new InputException(
          name
              + " has "
              + image.shape().describe()
              + ", but the model takes "
              + model.images()
              + "; leave out --fit never or --raw to have it fitted");
    }
    return new ImageFitter.Fitted(image.pixels(), Set.of());
  }

  /** An image of just as many pixels in another shape is most likely one that needs no fitting. */
  private void checkAssumption(String name, GreyImage image, ImageFitter assumed) {
    if (model.shape().isEmpty() && image.pixels().length == inputs && !assumed.hasSize(image)) {
      throw new InputException(
          name
              + " has "
              + image.shape().describe()
              + ", as many as the model takes, but the model file does not say their height and"
              + " width; use --fit never if that is the model's size");
    }
  }

  /** Predicts what was read so far, and prints it. */
  void flush() {
    List<String> names = new ArrayList<>();
    byte[] pixels = new byte[pending.size() * inputs];
    for (Pending one : pending) {
      try {
        ImageFitter.Fitted image = one.image.get();
        System.arraycopy(image.pixels(), 0, pixels, names.size() * inputs, inputs);
        names.add(one.name);
        for (ImageFitter.Remark remark : image.remarks()) {
          remarked.merge(
              remark, new Named(1, one.name), (a, b) -> new Named(a.count + b.count, a.first));
        }
      } catch (ExecutionException e) {
        refuse(refusal(e));
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    pending.clear();
    if (names.isEmpty()) {
      return;
    }
    byte[] whole = Arrays.copyOf(pixels, names.size() * inputs);
    ImageShape shape = model.shape().orElse(new ImageShape(1, inputs));
    float[] logits =
        predictor.logits(new ImageSet(whole, new int[names.size()], shape.height(), shape.width()));
    int outputs = logits.length / names.size();
    List<String> records = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      records.add(record(names.get(i), logits, i * outputs, outputs));
    }
    predicted += names.size();
    sink.accept(records);
  }

  private static InputException refusal(ExecutionException e) {
    if (e.getCause() instanceof InputException refusal) {
      return refusal;
    }
    if (e.getCause() instanceof Error error) {
      throw error;
    }
    throw new IllegalStateException(e.getCause());
  }

  private String record(String name, float[] logits, int row, int outputs) {
    int best = Prediction.of(logits, row, outputs);
    double[] probabilityOf = Prediction.probabilities(logits, row, outputs);
    String label = best == Prediction.NONE ? null : model.classes().get(best);
    if (!json) {
      return Csv.field(name)
          + ","
          + (label == null
              ? ","
              : Csv.field(label) + String.format(Locale.ROOT, ",%.9f", probabilityOf[best]));
    }
    JsonObject object = new JsonObject();
    object.addProperty("path", name);
    object.addProperty("class", label);
    object.add(
        "probability", best == Prediction.NONE ? JsonNull.INSTANCE : Json.of(probabilityOf[best]));
    JsonObject probabilities = new JsonObject();
    for (int j = 0; j < probabilityOf.length; j++) {
      probabilities.add(model.classes().get(j), Json.of(probabilityOf[j]));
    }
    object.add("probabilities", probabilities);
    return Json.line(object);
  }
}
