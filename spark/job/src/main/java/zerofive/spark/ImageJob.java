package zerofive.spark;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import zerofive.backend.Predictor;
import zerofive.cli.device.Backends;
import zerofive.data.image.ImageFile;
import zerofive.data.image.fit.ImageFitter;
import zerofive.files.InputException;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Normalisation;
import zerofive.study.predict.Fit;
import zerofive.study.predict.ImageClassifier;

/**
 * What all tasks of a prediction share: broadcast to executors, where the model is opened once a
 * partition.
 *
 * @param device that was decided on
 * @param name what messages call the model
 * @param model the bytes of its file
 * @param mean of the pixels it was trained on, where an option says it; else null
 * @param std of the same
 * @param fit which images are fitted
 */
record ImageJob(DecidedDevice device, String name, byte[] model, Float mean, Float std, Fit fit)
    implements Serializable {
  /** The columns of predictions; a row has a class or an error. */
  static final StructType SCHEMA =
      new StructType()
          .add("path", DataTypes.StringType)
          .add("class", DataTypes.StringType)
          .add("probability", DataTypes.DoubleType)
          .add("error", DataTypes.StringType);

  /**
   * An image on its way.
   *
   * @param path its name
   * @param content of its file; null where it could not be read
   * @param error why it could not be read; else null
   */
  record Image(String path, byte[] content, String error) implements Serializable {}

  /**
   * Classifies images, some hundred at a time, and gives a row of {@link #SCHEMA} for each in their
   * order.
   *
   * @param devices receives the executor's device
   */
  Iterator<Row> predict(Iterator<Image> images, Arrivals<ExecutorDevice> devices) {
    if (!images.hasNext()) {
      return List.<Row>of().iterator();
    }
    Backends.Choice choice = device.here();
    devices.add(ExecutorDevice.of(choice));
    Path file = Path.of(name);
    ModelFile read = ModelFile.read(file, model);
    ModelFile ours = mean == null ? read : read.with(new Normalisation(mean, std));
    return new Rows(
        images,
        new ImageClassifier(name, ours, fit),
        choice.backend().openPredictor(ours.foldedParameters()));
  }

  private static final class Rows implements Iterator<Row> {
    private final Iterator<Image> images;
    private final ImageClassifier classifier;
    private final Predictor predictor;
    private Iterator<Row> ready = List.<Row>of().iterator();

    Rows(Iterator<Image> images, ImageClassifier classifier, Predictor predictor) {
      this.images = images;
      this.classifier = classifier;
      this.predictor = predictor;
    }

    @Override
    public boolean hasNext() {
      if (!ready.hasNext() && images.hasNext()) {
        ready = batch();
      }
      boolean has = ready.hasNext();
      if (!has) {
        predictor.close();
      }
      return has;
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return ready.next();
    }

    private Iterator<Row> batch() {
      List<String> paths = new ArrayList<>();
      Map<Integer, String> errors = new HashMap<>();
      List<ImageFitter.Fitted> fitted = new ArrayList<>();
      while (paths.size() < classifier.batch() && images.hasNext()) {
        Image image = images.next();
        try {
          if (image.error() != null) {
            throw new InputException(image.error());
          }
          fitted.add(
              classifier.fit(image.path(), false, ImageFile.read(image.path(), image.content())));
        } catch (InputException e) {
          errors.put(paths.size(), e.getMessage());
        }
        paths.add(image.path());
      }
      Iterator<ImageClassifier.Answer> answers = classifier.classify(predictor, fitted).iterator();
      List<Row> rows = new ArrayList<>();
      for (int i = 0; i < paths.size(); i++) {
        rows.add(
            errors.containsKey(i)
                ? RowFactory.create(paths.get(i), null, null, errors.get(i))
                : row(paths.get(i), answers.next()));
      }
      return rows.iterator();
    }

    private static Row row(String path, ImageClassifier.Answer answer) {
      return answer
          .label()
          .map(label -> RowFactory.create(path, label, answer.probability(), null))
          .orElseGet(
              () ->
                  RowFactory.create(path, null, null, path + " makes logits that are not finite"));
    }
  }
}
