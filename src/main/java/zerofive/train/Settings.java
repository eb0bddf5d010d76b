package zerofive.train;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import zerofive.backend.Optimizer;
import zerofive.data.Augmentation;
import zerofive.data.ClassFilter;
import zerofive.data.ExampleOrder;
import zerofive.data.image.ImageShape;
import zerofive.data.remote.DataSetRegistry;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.ModelSpec;
import zerofive.train.Setting.Group;

/**
 * The settings of a training, in the order in which help and {@code config.json} have them. A new
 * one is a declaration here and its use.
 */
public final class Settings {
  /** Passes over the data, where these have steps enough. */
  private static final int DEFAULT_EPOCHS = 25;

  /** Of a convolutional net with two classes, and with more. */
  private static final int CNN_EPOCHS = 15;

  private static final int CNN_EPOCHS_CLASSES = 20;

  /** Fewer steps leave a net of small data half trained. */
  private static final int DEFAULT_STEPS = 400;

  /** More epochs bring nothing, however small the data. */
  private static final int MAX_DEFAULT_EPOCHS = 200;

  private static final Augmentation SHIFT = new Augmentation(1);

  /** In smaller images one pixel is too far. */
  private static final int MIN_SHIFTED_SIDE = 14;

  private static final List<Setting<?>> DECLARED = new ArrayList<>();

  /** A known data set's name, or the absolute path of a folder. */
  public static final Setting<String> DATA =
      add(
          Setting.text("data", Group.DATA)
              .valueName("NAME|DIR")
              .defaultValue(DataSetRegistry.MNIST)
              .choices(DataSetRegistry.names().toArray())
              .help(
                  "a name that zerofive data list shows, fetched once; or a folder of four IDX"
                      + " files, raw or .gz, or of images in train/CLASS and valid/CLASS"));

  /** In the order of the targets. */
  public static final Setting<ClassFilter> CLASSES =
      add(
          Setting.classes("classes", Group.DATA)
              .defaultValue(new ClassFilter(List.of("0", "5")))
              .help("0,5 or 3,7 or 0,1,2 or all; the first of two is the positive one"));

  /** Whether image files that cannot be read are left out. */
  public static final Setting<Boolean> SKIP_UNREADABLE =
      add(
          Setting.flag("skip-unreadable", Group.DATA)
              .addedLater(false)
              .help("leave out image files that cannot be read, and name them in a note"));

  /** {@code linear}, {@code mlp:30} and so on. */
  public static final Setting<String> MODEL =
      add(
          Setting.parsed("model", Group.MODEL, Settings::model)
              .defaultValue("mlp:30")
              .choices("linear", "mlp:30", "mlp:128,64", "cnn")
              .help(
                  "linear; mlp: and the units of each hidden layer: mlp:128,64; cnn, which is"
                      + " cnn:16,32,64, the channels of each 3 x 3 convolution of stride 2, or"
                      + " cnn:32/1,64+128 with a stride of 1 and a hidden layer of 128 units"));

  /** What is lowered. */
  public static final Setting<Loss> LOSS =
      add(
          Setting.oneOf("loss", Group.MODEL, "loss", Loss.values())
              .derived(
                  values -> Loss.defaultFor(values.get(CLASSES).names().size()),
                  Loss.BCE + ", or " + Loss.CROSS_ENTROPY + " from three classes on")
              .help("mnist, bce, cross-entropy"));

  /** How a gradient becomes a step; momentum and weight decay are settings of their own. */
  public static final Setting<Optimizer.Kind> OPTIMIZER =
      add(
          Setting.oneOf("optimizer", Group.OPTIMIZATION, "optimizer", Optimizer.Kind.values())
              .defaultValue(Optimizer.Kind.SGD)
              .help("sgd, adam, adamw"));

  /** Of SGD. */
  public static final Setting<Float> MOMENTUM =
      add(
          Setting.decimal("momentum", Group.OPTIMIZATION, ValueType.Range.FRACTION)
              .derived(values -> values.get(OPTIMIZER) == Optimizer.Kind.SGD ? 0.9f : 0, "0.9")
              .help("momentum of sgd, in [0, 1)"));

  /** Added to the gradient, or by AdamW taken from the weights. */
  public static final Setting<Float> WEIGHT_DECAY =
      add(
          Setting.decimal("weight-decay", Group.OPTIMIZATION, ValueType.Range.NOT_NEGATIVE)
              .derived(
                  values ->
                      values.get(OPTIMIZER) == Optimizer.Kind.ADAMW
                          ? Optimizer.ADAMW_WEIGHT_DECAY
                          : 0,
                  "0.0; adamw " + Optimizer.ADAMW_WEIGHT_DECAY)
              .help("0 or more"));

  /** The highest of a schedule. */
  public static final Setting<Float> LEARNING_RATE =
      add(
          Setting.positive("lr", Group.OPTIMIZATION)
              .derived(
                  values -> values.get(OPTIMIZER) == Optimizer.Kind.SGD ? 0.2f : 0.01f,
                  "0.2; adam and adamw 0.01")
              .help("learning rate, above 0"));

  /** How the learning rate moves over a run. */
  public static final Setting<Schedule> SCHEDULE =
      add(
          Setting.oneOf("schedule", Group.OPTIMIZATION, "schedule", Schedule.values())
              .defaultValue(Schedule.ONE_CYCLE)
              .help("learning-rate schedule: constant, cosine, one-cycle"));

  /** In all. */
  public static final Setting<Integer> EPOCHS =
      add(
          Setting.integer("epochs", Group.OPTIMIZATION, 1)
              .derived(
                  Settings::fullEpochs,
                  DEFAULT_EPOCHS
                      + " (cnn "
                      + CNN_EPOCHS
                      + ", or "
                      + CNN_EPOCHS_CLASSES
                      + " for over two classes), or more of few images: "
                      + DEFAULT_STEPS
                      + " steps, at most "
                      + MAX_DEFAULT_EPOCHS
                      + " epochs")
              .help("passes over the data"));

  /** Examples a step. */
  public static final Setting<Integer> BATCH_SIZE =
      add(
          Setting.integer("batch-size", Group.OPTIMIZATION, 1)
              .defaultValue(128)
              .help("examples per step"));

  /** Of the examples. */
  public static final Setting<ExampleOrder> ORDER =
      add(
          Setting.oneOf("order", Group.OPTIMIZATION, "order", ExampleOrder.values())
              .defaultValue(ExampleOrder.SHUFFLED)
              .help("order of the examples: shuffled, or sequential, class by class"));

  /** Of the training images. */
  public static final Setting<Augmentation> AUGMENTATION =
      add(
          Setting.parsed("augment", Group.OPTIMIZATION, Augmentation::parse)
              .derived(
                  values -> values.get(MODEL).equals("linear") ? Augmentation.NONE : SHIFT,
                  SHIFT + "; none for linear and for images under " + MIN_SHIFTED_SIDE + " pixels")
              .choices(Augmentation.NONE, SHIFT, new Augmentation(2))
              .addedLater(Augmentation.NONE)
              .help(
                  "shift every training image at random, anew in every epoch: shift:2 by up to 2"
                      + " pixels horizontally and vertically, or none"));

  /** Of initial weights, shuffles and shifts. */
  public static final Setting<Long> SEED =
      add(
          Setting.longInteger("seed", Group.OPTIMIZATION)
              .defaultValue(42L)
              .help("random seed of initial weights, shuffles and shifts"));

  /** Of the weights, where there is no {@link #INIT_FROM}. */
  public static final Setting<Initializer> INITIALIZER =
      add(
          Setting.oneOf("init", Group.MODEL, "initialiser", Initializer.values())
              .defaultValue(Initializer.PYTORCH)
              .help("initialization of the weights: pytorch, normal"));

  /** Absolute path of a safetensors file to start from. */
  public static final Setting<Optional<String>> INIT_FROM =
      add(
          Setting.optional("init-from", Group.MODEL)
              .valueName("FILE")
              .addedLater(Optional.empty())
              .help("start from this .safetensors file; it decides the model"));

  /** Of the pixels that the model of {@link #INIT_FROM} was trained on, divided by 255. */
  public static final Setting<Optional<Float>> MEAN =
      add(
          Setting.optionalDecimal("mean", Group.MODEL, ValueType.Range.PIXEL)
              .addedLater(Optional.empty())
              .help(
                  "for a model that was trained on normalised pixels, (pixel / 255 - mean) / std, as"
                      + " torch's Normalize does; with --std"));

  /** The same. */
  public static final Setting<Optional<Float>> STD =
      add(
          Setting.optionalDecimal("std", Group.MODEL, ValueType.Range.PIXEL_SCALE)
              .addedLater(Optional.empty())
              .help("standard deviation of the same pixels; with --mean"));

  /** Epochs between checkpoints. */
  public static final Setting<Integer> CHECKPOINT_EVERY =
      add(
          Setting.integer("checkpoint-every", Group.RUN, 1)
              .defaultValue(10)
              .help("epochs between checkpoints"));

  /** Epochs without a lower validation loss after which a training ends; 0 for never. */
  public static final Setting<Integer> EARLY_STOP =
      add(
          Setting.integer("early-stop", Group.OPTIMIZATION, 1)
              .unset(0, "off")
              .addedLater(0)
              .help(
                  "end after N epochs without a lower validation loss, and keep the best epoch's"
                      + " weights"));

  /** Whether event files are written. */
  public static final Setting<Boolean> TENSORBOARD =
      add(
          Setting.flag("tensorboard", Group.RUN)
              .addedLater(false)
              .help("write TensorBoard's event files into the run folder"));

  /** As asked for: {@code auto}, {@code cpu}, {@code reference}, {@code cuda}, {@code cuda:N}. */
  public static final Setting<String> DEVICE =
      add(
          Setting.text("device", Group.DEVICE)
              .defaultValue("auto")
              .choices("auto", "cpu", "reference", "cuda")
              .help("auto, cpu, reference (in double precision), cuda or cuda:N"));

  /** As asked for; 0 for all cores. */
  public static final Setting<Integer> THREADS =
      add(Setting.integer("threads", Group.DEVICE, 1).unset(0, "all cores").help("CPU threads"));

  /** Where cuBLAS is taken from. */
  public static final Setting<Optional<String>> CUBLAS =
      add(
          backend("cublas", "searched for")
              .valueName("DIR")
              .choices("none")
              .help("cuda: the folder of cuBLAS, or none for the exact engine"));

  /** How matrix products are rounded. */
  public static final Setting<Optional<String>> PRECISION =
      add(
          backend("precision", "fp32")
              .choices("fp32", "tf32")
              .help("cuda: fp32, or tf32 on tensor cores"));

  /** Whether a GPU computes the CPU's bits. */
  public static final Setting<Optional<Boolean>> EXACT =
      add(
          Setting.optionalFlag("exact", Group.DEVICE)
              .deviceSetting()
              .help(
                  "cuda: compute the bits of the CPU, as without cuBLAS; changes nothing on the CPU"));

  /** The number of {@link zerofive.backend.Arithmetic} by which the device computes; or none. */
  public static final Setting<Optional<Integer>> ARITHMETIC =
      add(Setting.optionalInteger("arithmetic", Group.RECORDED, 1).addedLater(Optional.empty()));

  /** All of them. */
  public static final List<Setting<?>> ALL = Collections.unmodifiableList(DECLARED);

  private Settings() {}

  private static <T> Setting<T> add(Setting.Builder<T> builder) {
    Setting<T> setting = builder.build();
    DECLARED.add(setting);
    return setting;
  }

  /** An option of a backend, kept as text; {@code standard} is what the backend does without it. */
  private static Setting.Builder<Optional<String>> backend(String name, String standard) {
    return Setting.optional(name, Group.DEVICE).unset(Optional.empty(), standard).deviceSetting();
  }

  private static String model(String name) {
    ModelSpec.parse(name);
    return name;
  }

  /** The default number of epochs of many images. */
  private static int fullEpochs(Setting.Values values) {
    if (!ModelSpec.isConvolutional(values.get(MODEL))) {
      return DEFAULT_EPOCHS;
    }
    return values.get(CLASSES).names().size() == 2 ? CNN_EPOCHS : CNN_EPOCHS_CLASSES;
  }

  /** The default number of epochs of so many steps each. */
  static int epochs(Setting.Values values, int steps) {
    return Math.max(
        fullEpochs(values), Math.min((DEFAULT_STEPS - 1) / steps + 1, MAX_DEFAULT_EPOCHS));
  }

  /** Whether images of this size are shifted by default. */
  static boolean isShifted(ImageShape shape) {
    return Math.min(shape.height(), shape.width()) >= MIN_SHIFTED_SIDE;
  }

  /** All but these and those of some groups. */
  public static List<Setting<?>> without(Set<Group> groups, Setting<?>... settings) {
    List<Setting<?>> left = new ArrayList<>(ALL);
    left.removeIf(setting -> groups.contains(setting.group()));
    left.removeAll(List.of(settings));
    return left;
  }

  /** Whether a setting of a group has this option. */
  public static boolean isOption(Group group, String name) {
    for (Setting<?> setting : ALL) {
      if (setting.group() == group && setting.name().equals(name)) {
        return true;
      }
    }
    return false;
  }
}
