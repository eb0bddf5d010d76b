package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import zerofive.data.Augmentation;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.ExampleOrder;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.data.remote.DataSetRegistry;
import zerofive.files.EnumNames;
import zerofive.files.Sha256;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;

/**
 * A short training on MNIST whose result has the same bits on every device: a row of golden.csv,
 * which spells out all that the bits depend on, so that no change of a default changes it.
 *
 * @param name of the row
 * @param classes of MNIST, in their order
 * @param train how many training images, the first of these classes in file order
 * @param valid how many validation images, likewise
 * @param plan model, loss, optimiser and batch size
 * @param order of the images in an epoch
 * @param augmentation the shifts of an epoch
 * @param initializer of the weights
 * @param seed of weights, orders and shifts
 * @param rate the learning rate of an epoch's steps 1, 3, 5, ...; the others take half of it
 * @param epochs how many
 * @param resumed after this epoch a new session goes on from the state of the first; 0 for never
 * @param sha256 what {@link #digest} gives
 */
public record GoldenSetting(
    String name,
    ClassFilter classes,
    int train,
    int valid,
    TrainingPlan plan,
    ExampleOrder order,
    Augmentation augmentation,
    Initializer initializer,
    long seed,
    float rate,
    int epochs,
    int resumed,
    String sha256) {
  private static final ImageShape IMAGES = new ImageShape(28, 28);

  private static final Map<ClassFilter, DataSet> DATA = new ConcurrentHashMap<>();

  /** All of them, in the order of the file. */
  public static List<GoldenSetting> all() {
    try (InputStream in = GoldenSetting.class.getResourceAsStream("golden.csv")) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .skip(1)
          .map(line -> parse(line.split(" *, *", -1)))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static GoldenSetting parse(String[] fields) {
    ClassFilter classes = ClassFilter.parse(fields[1].replace(' ', ','));
    String model = fields[4].replace(' ', ',');
    Optimizer optimizer =
        new Optimizer(
            EnumNames.parse(fields[6], "optimizer", Optimizer.Kind.values()),
            Float.parseFloat(fields[7]),
            Float.parseFloat(fields[8]));
    TrainingPlan plan =
        new TrainingPlan(
            Architecture.of(model, IMAGES, Loss.outputs(classes.names().size())),
            Loss.parse(fields[5]),
            optimizer,
            Integer.parseInt(fields[9]));
    return new GoldenSetting(
        fields[0],
        classes,
        Integer.parseInt(fields[2]),
        Integer.parseInt(fields[3]),
        plan,
        EnumNames.parse(fields[10], "order", ExampleOrder.values()),
        new Augmentation(Integer.parseInt(fields[11])),
        EnumNames.parse(fields[12], "initializer", Initializer.values()),
        Long.parseLong(fields[13]),
        Float.parseFloat(fields[14]),
        Integer.parseInt(fields[15]),
        Integer.parseInt(fields[16]),
        fields[17]);
  }

  /**
   * Trains, measuring after each epoch. The digest is the SHA-256 of these numbers, one after the
   * other, as little-endian bytes: for each epoch the mean losses of its steps and that of the
   * validation images (float64), and the number of these that are classified correctly (int32);
   * then the logits of the validation images [images, outputs], the parameters in the order of the
   * model file, and the optimiser's moments (float32).
   *
   * @return in hexadecimal
   */
  public String digest(Backend backend) {
    DataSet data =
        DATA.computeIfAbsent(classes, some -> DataSets.load(DataSetRegistry.MNIST, some));
    ImageSet trainImages = first(data.train(), train);
    ImageSet validImages = first(data.valid(), valid);
    int steps = plan.stepsPerEpoch(train);
    ByteBuffer losses =
        ByteBuffer.allocate(epochs * ((steps + 1) * Double.BYTES + Integer.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    TrainingState start =
        TrainingState.initial(initializer.create(plan.architecture(), seed), plan.optimizer());
    TrainingSession session = backend.open(plan, trainImages, validImages, start);
    try {
      for (int epoch = 1; epoch <= epochs; epoch++) {
        EpochInput input =
            new EpochInput(
                order.indices(trainImages.targets(), seed, epoch),
                rates(steps),
                augmentation.shifts(train, seed, epoch));
        for (double loss : session.trainEpoch(input).stepLosses()) {
          losses.putDouble(loss);
        }
        Evaluation evaluation = session.evaluate();
        assertTrue(Double.isFinite(evaluation.loss()), () -> this + " diverges");
        losses.putDouble(evaluation.loss()).putInt(evaluation.correct());
        if (epoch == resumed) {
          TrainingState halfway = session.state();
          session.close();
          session = backend.open(plan, trainImages, validImages, halfway);
        }
      }
      TrainingState end = session.state();
      return Sha256.of(
          losses.flip(),
          bytes(session.logits()),
          bytes(end.parameters().values()),
          bytes(end.moments()));
    } finally {
      session.close();
    }
  }

  private float[] rates(int steps) {
    float[] rates = new float[steps];
    for (int step = 0; step < steps; step++) {
      rates[step] = step % 2 == 0 ? rate : rate / 2;
    }
    return rates;
  }

  private static ByteBuffer bytes(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes;
  }

  private static ImageSet first(ImageSet images, int count) {
    return new ImageSet(
        Arrays.copyOf(images.pixels(), count * images.imageSize()),
        Arrays.copyOf(images.targets(), count),
        images.height(),
        images.width());
  }

  @Override
  public String toString() {
    return name;
  }
}
