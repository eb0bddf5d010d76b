package zerofive.study.predict;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import zerofive.backend.Prediction;
import zerofive.backend.Predictor;
import zerofive.data.ImageSet;
import zerofive.data.image.GreyImage;
import zerofive.data.image.ImageShape;
import zerofive.data.image.fit.ImageFitter;
import zerofive.files.InputException;
import zerofive.model.format.ModelFile;

/** A saved model and how images become its input. It has no state, and any thread may use it. */
public final class ImageClassifier {
  private static final int IMAGES = 512;
  private static final int PIXELS = 1 << 24;

  private final ModelFile model;
  private final int inputs;
  private final List<String> notes = new ArrayList<>();

  /** Empty where pixels are taken as they are. */
  private final Optional<ImageFitter> fitter;

  /**
   * What a model answers.
   *
   * @param label the most probable class; empty where the logits are not finite
   * @param probability of it, in [0, 1]; NaN where there is none
   * @param probabilities of all classes, in the order of the model's
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Answer(Optional<String> label, double probability, double[] probabilities) {}

  /**
   * For the model's images; a file that does not say their height and width means a square.
   *
   * @param file what messages call the model
   * @throws InputException where images are to be fitted to a size that cannot be known
   */
  public ImageClassifier(String file, ModelFile model, Fit fit) {
    this.model = model;
    inputs = model.parameters().architecture().inputs();
    if (fit == Fit.NEVER) {
      fitter = Optional.empty();
    } else {
      ImageShape shape = model.shape().orElseGet(() -> square(file));
      fitter = Optional.of(new ImageFitter(shape.width(), shape.height(), fit == Fit.ALWAYS));
    }
    if (!model.named()) {
      notes.add(
          "the model file names no classes; its logits are taken for the classes "
              + String.join(",", model.classes()));
    }
  }

  private ImageShape square(String file) {
    int side = (int) Math.sqrt(inputs);
    if (side * side != inputs) {
      throw new InputException(
          file
              + " does not say the height and width of its images, and their "
              + inputs
              + " pixels make no square; give images of just that size, with --fit never");
    }
    ImageShape shape = new ImageShape(side, side);
    notes.add(
        "the model file does not say the height and width of its images; " + shape + " is assumed");
    return shape;
  }

  /** What was taken for granted, one sentence each. */
  public List<String> notes() {
    return List.copyOf(notes);
  }

  /** The names of the classes, in the order of {@link Answer#probabilities}. */
  public List<String> classes() {
    return model.classes();
  }

  /** Pixels of an image as the model takes it. */
  public int inputs() {
    return inputs;
  }

  /** How many images are classified at a time at most: enough to be fast, few enough to hold. */
  public int batch() {
    return Math.max(1, Math.min(IMAGES, PIXELS / inputs));
  }

  /**
   * An image as the model takes it.
   *
   * @param name for messages
   * @param ofDataSet whether it stays as it is where it has the model's size, unless all are fitted
   * @throws InputException where it has no ink, or another size and is not to be fitted
   */
  public ImageFitter.Fitted fit(String name, boolean ofDataSet, GreyImage image) {
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

  /**
   * Classifies images that were fitted.
   *
   * @param predictor of this model
   * @param images at most {@link #batch} of them
   * @return an answer for each, in their order
   */
  public List<Answer> classify(Predictor predictor, List<ImageFitter.Fitted> images) {
    if (images.isEmpty()) {
      return List.of();
    }
    byte[] pixels = new byte[images.size() * inputs];
    for (int i = 0; i < images.size(); i++) {
      System.arraycopy(images.get(i).pixels(), 0, pixels, i * inputs, inputs);
    }
    ImageShape shape = model.shape().orElse(new ImageShape(1, inputs));
    float[] logits =
        predictor.logits(
            new ImageSet(pixels, new int[images.size()], shape.height(), shape.width()));
    int outputs = logits.length / images.size();
    List<Answer> answers = new ArrayList<>();
    for (int i = 0; i < images.size(); i++) {
      answers.add(answer(logits, i * outputs, outputs));
    }
    return answers;
  }

  private Answer answer(float[] logits, int row, int outputs) {
    int best = Prediction.of(logits, row, outputs);
    double[] probabilities = Prediction.probabilities(logits, row, outputs);
    return best == Prediction.NONE
        ? new Answer(Optional.empty(), Double.NaN, probabilities)
        : new Answer(Optional.of(model.classes().get(best)), probabilities[best], probabilities);
  }
}
