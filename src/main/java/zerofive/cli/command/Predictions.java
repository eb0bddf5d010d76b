package zerofive.cli.command;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import zerofive.backend.Predictor;
import zerofive.data.image.GreyImage;
import zerofive.data.image.fit.ImageFitter;
import zerofive.files.Csv;
import zerofive.files.InputException;
import zerofive.files.Json;
import zerofive.report.console.Terminal;
import zerofive.study.predict.ImageClassifier;
import zerofive.study.predict.PredictionShard;

/**
 * Pictures on their way through a model, some hundred at a time: read by many threads, predicted at
 * once, reported in the order they came.
 */
final class Predictions {
  /** How many images something is true of, and the first one's name. */
  record Named(long count, String first) {}

  private record Pending(String name, Future<ImageFitter.Fitted> image) {}

  private final ImageClassifier classifier;
  private final Predictor predictor;
  private final ExecutorService decoders;
  private final boolean json;
  private final Terminal terminal;
  private final Consumer<List<String>> sink;
  private final List<Pending> pending = new ArrayList<>();
  private long predicted;
  private long unreadable;
  private final Map<ImageFitter.Remark, Named> remarked = new EnumMap<>(ImageFitter.Remark.class);

  /** Records go to {@code sink}. */
  Predictions(
      ImageClassifier classifier,
      Predictor predictor,
      ExecutorService decoders,
      boolean json,
      Terminal terminal,
      Consumer<List<String>> sink) {
    this.classifier = classifier;
    this.predictor = predictor;
    this.decoders = decoders;
    this.json = json;
    this.terminal = terminal;
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
      sink.accept(List.of(PredictionShard.HEADER));
    }
  }

  /**
   * Takes one more image. One {@code ofDataSet} that has the model's size stays as it is, unless
   * all are fitted.
   */
  void add(String name, boolean ofDataSet, Callable<GreyImage> reading) {
    pending.add(
        new Pending(name, decoders.submit(() -> classifier.fit(name, ofDataSet, reading.call()))));
    if (pending.size() >= classifier.batch()) {
      flush();
    }
  }

  /** Names what cannot be read, and counts it. */
  void refuse(InputException e) {
    unreadable++;
    terminal.error("zerofive: " + e.getMessage());
  }

  /** Predicts what was read so far, and prints it. */
  void flush() {
    List<String> names = new ArrayList<>();
    List<ImageFitter.Fitted> images = new ArrayList<>();
    for (Pending one : pending) {
      try {
        ImageFitter.Fitted image = one.image.get();
        images.add(image);
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
    List<ImageClassifier.Answer> answers = classifier.classify(predictor, images);
    List<String> records = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      records.add(record(names.get(i), answers.get(i)));
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

  private String record(String name, ImageClassifier.Answer answer) {
    if (!json) {
      return Csv.field(name)
          + ","
          + answer
              .label()
              .map(
                  label ->
                      Csv.field(label) + String.format(Locale.ROOT, ",%.9f", answer.probability()))
              .orElse(",");
    }
    JsonObject object = new JsonObject();
    object.addProperty("path", name);
    object.addProperty("class", answer.label().orElse(null));
    object.add("probability", Json.of(answer.probability()));
    JsonObject probabilities = new JsonObject();
    for (int j = 0; j < answer.probabilities().length; j++) {
      probabilities.add(classifier.classes().get(j), Json.of(answer.probabilities()[j]));
    }
    object.add("probabilities", probabilities);
    return Json.line(object);
  }
}
