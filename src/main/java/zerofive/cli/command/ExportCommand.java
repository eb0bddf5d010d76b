package zerofive.cli.command;

import static zerofive.train.Settings.DATA;
import static zerofive.train.Settings.DEVICE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import zerofive.backend.Predictor;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Invocation;
import zerofive.cli.Version;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.ModelOptions;
import zerofive.cli.option.UsageException;
import zerofive.data.ClassFilter;
import zerofive.data.DataRequest;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.image.ImageShape;
import zerofive.data.remote.DataSetRegistry;
import zerofive.files.AtomicFile;
import zerofive.files.InputException;
import zerofive.files.OutputException;
import zerofive.files.Sha256;
import zerofive.model.Architecture;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Normalisation;
import zerofive.model.format.NpzFile;
import zerofive.model.format.OnnxFile;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;
import zerofive.report.page.DrawPage;
import zerofive.run.RunFolder;
import zerofive.train.Recipe;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;

/** {@code export}: a saved model for other programs. */
final class ExportCommand implements Command {
  private enum ModelFormat {
    ONNX,
    SAFETENSORS,
    NPZ,
    HTML;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final Setting<ModelFormat> FORMAT =
      Setting.oneOf("format", Group.MODEL, "format", ModelFormat.values())
          .defaultValue(ModelFormat.ONNX)
          .help("onnx, safetensors, npz; html: a page to draw on")
          .build();

  private static final Setting<OnnxFile.Input> INPUT =
      Setting.parsed("input", Group.MODEL, OnnxFile.Input::parse)
          .valueName("TYPE")
          .defaultValue(OnnxFile.Input.BYTE)
          .choices((Object[]) OnnxFile.Input.values())
          .help(
              "onnx: takes images [batch, pixels] as byte, 0 to 255, or as float, already divided"
                  + " by 255")
          .build();

  @Override
  public String name() {
    return "export";
  }

  @Override
  public String summary() {
    return "a saved model as ONNX, safetensors (PyTorch's names), npz (numpy) or a page to draw on";
  }

  @Override
  public String example() {
    return "zerofive export --model runs/first/model.safetensors --format onnx";
  }

  @Override
  public List<String> details() {
    return List.of(
        "--format html writes one file that opens from disk in a browser, without network or server:"
            + " what is drawn on it is classified while the pen moves. It shows samples of the"
            + " validation images of --data; by default of the data that the run was trained on, if"
            + " they are on this machine. The weights may have 8 MB.");
  }

  @Override
  public Options options() {
    Options options = new Options();
    ModelOptions.addTo(options);
    options.addOption(Arguments.option(FORMAT));
    options.addOption(Arguments.option(INPUT));
    options.addOption(
        Arguments.option(
            DATA.withHelp("html: whose validation images it shows (default: those of the run)")
                .withChoices(DataSetRegistry.MNIST)));
    options.addOption(
        Arguments.option(
            "out", "FILE", "a new file (default: beside the model, with the format's ending)"));
    options.addOption(Arguments.flag("json", "print one JSON object"));
    return options;
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    Path file = ModelOptions.file(arguments, name());
    ModelFormat format = arguments.getOrDefault(FORMAT);
    OnnxFile.Input input = arguments.getOrDefault(INPUT);
    if (arguments.has(INPUT) && format != ModelFormat.ONNX) {
      throw new UsageException("--input belongs to --format onnx; " + format + " holds no graph");
    }
    if (arguments.has(DATA) && format != ModelFormat.HTML) {
      throw new UsageException("--data belongs to --format html; " + format + " holds no images");
    }
    Optional<String> data = arguments.has(DATA) ? Optional.of(arguments.data()) : Optional.empty();
    Path out = arguments.path("out").orElseGet(() -> beside(file, format));
    ModelFile model = ModelOptions.read(file, arguments);
    Terminal terminal = invocation.terminal();
    model.notes().forEach(note -> terminal.info("note     ", note));
    if (!model.named()) {
      terminal.info(
          "note     ",
          "the model file names no classes; they are called " + String.join(",", model.classes()));
    }
    checkFree(out);
    int samples = 0;
    switch (format) {
      case ONNX -> OnnxFile.write(model, input, Version.read().toString(), out);
      case SAFETENSORS -> model.write(out);
      case NPZ -> NpzFile.write(model, out);
      case HTML -> {
        DrawPage page = page(file, model, data, invocation);
        samples = page.samples();
        AtomicFile.write(out, ByteBuffer.wrap(page.toHtml().getBytes(StandardCharsets.UTF_8)));
      }
    }
    if (arguments.has("json")) {
      terminal.json(result(file, model, format, input, samples, out));
    } else {
      terminal.result("model    ", describe(model));
      terminal.result("format   ", describe(model, format, input, samples));
      terminal.result("written  " + out + ", " + Format.count(size(out)) + " bytes");
      terminal.result("sha256   " + Sha256.of(out));
    }
    return ExitCode.DONE;
  }

  private DrawPage page(Path file, ModelFile model, Optional<String> data, Invocation invocation) {
    long bytes = DrawPage.weightBytes(model);
    if (bytes > DrawPage.MAX_WEIGHT_BYTES) {
      throw new InputException(
          file
              + " has "
              + Format.count(bytes)
              + " bytes of weights, and a page holds at most "
              + Format.count(DrawPage.MAX_WEIGHT_BYTES)
              + "; train a smaller --model, or export another --format");
    }
    ImageShape shape =
        ModelOptions.shape(
            file, model, "add height and width to its metadata", invocation.terminal());
    return new DrawPage(
        model,
        shape,
        Sha256.of(file),
        data.isPresent()
            ? Optional.of(validation(file, model, data.get(), invocation))
            : ofRun(file, model, invocation),
        Version.read().toString());
  }

  /** Of the data that the run was trained on; where they are not at hand a note says why. */
  private static Optional<DrawPage.Validation> ofRun(
      Path file, ModelFile model, Invocation invocation) {
    Path folder = file.toAbsolutePath().getParent();
    String reason = "the model is not in the folder of its run";
    if (RunFolder.isRun(folder)) {
      try {
        String data = RunFolder.find(folder).config().get(DATA);
        if (DataSets.isHere(data)) {
          return Optional.of(validation(file, model, data, invocation));
        }
        reason = data + " has not been downloaded";
      } catch (InputException e) {
        reason = e.getMessage();
      }
    }
    invocation
        .terminal()
        .info("note     ", "the page has no samples: " + reason + "; --data names their data");
    return Optional.empty();
  }

  private static DrawPage.Validation validation(
      Path file, ModelFile model, String name, Invocation invocation) {
    DataSet data = invocation.load(new DataRequest(name, new ClassFilter(model.classes())));
    ModelOptions.checkTakes(file, model, name, data.valid().shape());
    Backends.Choice device = Backends.choose(DeviceRequest.of(Recipe.DEFAULTS.with(DEVICE, "cpu")));
    try (Predictor predictor = device.backend().openPredictor(model.foldedParameters())) {
      return new DrawPage.Validation(data, predictor.logits(data.valid()));
    }
  }

  private static Path beside(Path model, ModelFormat format) {
    String name = model.getFileName() == null ? "model" : model.getFileName().toString();
    return model.resolveSibling(name.replaceFirst("\\.safetensors$", "") + "." + format);
  }

  /** A file that is there may be the model itself, or have cost somebody an hour. */
  private static void checkFree(Path out) {
    if (Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
      throw new OutputException(out + " exists; name another file with --out, or remove it");
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new InputException(file, e);
    }
  }

  private static String describe(ModelFile model) {
    return model.describe()
        + ", "
        + model.loss()
        + ", images of "
        + model.images()
        + ", classes "
        + String.join(", ", model.classes());
  }

  private static String describe(
      ModelFile model, ModelFormat format, OnnxFile.Input input, int samples) {
    Architecture architecture = model.parameters().architecture();
    return switch (format) {
      case ONNX ->
          "onnx, operator set "
              + OnnxFile.OPERATOR_SET
              + ": images "
              + input.type()
              + " [batch, "
              + architecture.inputs()
              + "]; logits [batch, "
              + architecture.outputs()
              + "], probabilities [batch, "
              + model.classes().size()
              + "]";
      case SAFETENSORS ->
          "safetensors, float32, for PyTorch's nn.Sequential: " + tensors(architecture);
      case NPZ ->
          "npz, float32: "
              + tensors(architecture)
              + ", classes"
              + (model.shape().isPresent() ? ", height, width" : "")
              + normalised(model).map(how -> ", mean, std").orElse("");
      case HTML ->
          "html, a page to draw on, with "
              + (samples == 0 ? "no samples" : Format.plural(samples, "sample"))
              + "; open it in a browser";
    };
  }

  private static String tensors(Architecture architecture) {
    return Parameters.views(architecture).stream()
        .map(view -> view.name() + " " + view.shape())
        .collect(Collectors.joining(", "));
  }

  private static Optional<Normalisation> normalised(ModelFile model) {
    return model.normalisation().filter(how -> !how.isNone());
  }

  /**
   * What {@code --json} prints. Null are {@code input} but for ONNX, {@code samples} but for HTML,
   * a size that is not known, and mean and std where pixels are divided by 255 alone.
   */
  private record Result(
      String model,
      String layers,
      Integer height,
      Integer width,
      Float mean,
      Float std,
      List<String> classes,
      String format,
      String input,
      Integer samples,
      String out,
      long bytes,
      String sha256) {}

  private static Result result(
      Path file, ModelFile model, ModelFormat format, OnnxFile.Input input, int samples, Path out) {
    return new Result(
        file.toString(),
        model.parameters().architecture().toString(),
        model.shape().map(ImageShape::height).orElse(null),
        model.shape().map(ImageShape::width).orElse(null),
        normalised(model).map(Normalisation::mean).orElse(null),
        normalised(model).map(Normalisation::std).orElse(null),
        model.classes(),
        format.toString(),
        format == ModelFormat.ONNX ? input.toString() : null,
        format == ModelFormat.HTML ? samples : null,
        out.toString(),
        size(out),
        Sha256.of(out));
  }
}
