package zerofive.cli.command;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.DATA;
import static zerofive.train.Settings.SKIP_UNREADABLE;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import zerofive.backend.Evaluation;
import zerofive.backend.Predictor;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Invocation;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.DeviceOptions;
import zerofive.cli.option.ModelOptions;
import zerofive.cli.option.UsageException;
import zerofive.data.ClassFilter;
import zerofive.data.DataRequest;
import zerofive.data.DataRequest.Split;
import zerofive.data.DataSet;
import zerofive.data.remote.DataSetRegistry;
import zerofive.model.Loss;
import zerofive.model.format.ModelFile;
import zerofive.report.console.ConfusionMatrix;
import zerofive.report.console.DataText;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;

/** {@code evaluate}: a saved model on a data set's validation images. */
final class EvaluateCommand implements Command {
  private static final Setting<Split> SPLIT =
      Setting.oneOf("split", Group.DATA, "split", Split.values())
          .defaultValue(Split.VALID)
          .help(
              "valid, or test: of a folder of images its folder test; IDX files have one set for"
                  + " both")
          .build();

  @Override
  public String name() {
    return "evaluate";
  }

  @Override
  public String summary() {
    return "loss, accuracy, errors and confusion matrix of a saved model";
  }

  @Override
  public String example() {
    return "zerofive evaluate --model runs/first/model.safetensors";
  }

  @Override
  public Options options() {
    Options options = new Options();
    ModelOptions.addTo(options);
    options.addOption(
        Arguments.option(DATA.withHelp("as for train").withChoices(DataSetRegistry.MNIST)));
    options.addOption(
        Arguments.option(
            CLASSES
                .withHelp("for a file that does not name its classes, as one from PyTorch")
                .withDefault(ClassFilter.ALL, "")));
    options.addOption(Arguments.option(SPLIT));
    options.addOption(Arguments.option(SKIP_UNREADABLE.withHelp("as for train")));
    DeviceOptions.addTo(options);
    options.addOption(Arguments.flag("json", "print one JSON object"));
    return options;
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    Terminal terminal = invocation.terminal();
    Path file = ModelOptions.file(arguments, name());
    String name = arguments.data();
    DeviceRequest request = DeviceOptions.of(arguments);
    Backends.Choice device = Backends.choose(request);
    ModelFile model = ModelOptions.read(file, arguments);
    List<String> classes = classes(arguments, model, terminal);
    DataSet data =
        invocation.load(
            new DataRequest(
                name,
                new ClassFilter(classes),
                arguments.getOrDefault(SPLIT),
                arguments.getOrDefault(SKIP_UNREADABLE)));
    ModelOptions.checkTakes(file, model, name, data.valid().shape());
    DataText.print(data, terminal);
    terminal.info("model    ", file + " (" + model.describe() + ")");
    model.notes().forEach(note -> terminal.info("note     ", note));
    device.print(request, terminal);
    try (Predictor predictor = device.backend().openPredictor(model.foldedParameters())) {
      Evaluation evaluation = predictor.evaluate(data.valid(), model.loss());
      ConfusionMatrix confusion =
          ConfusionMatrix.of(classes, data.valid(), predictor.logits(data.valid()));
      if (arguments.has("json")) {
        terminal.json(result(file, data, model, evaluation, confusion));
      } else {
        print(model, evaluation, confusion, terminal);
      }
    }
    return ExitCode.DONE;
  }

  private static List<String> classes(Arguments arguments, ModelFile model, Terminal terminal) {
    int count = model.classes().size();
    List<String> asked = arguments.get(CLASSES).map(ClassFilter::names).orElse(List.of());
    if (model.named()) {
      if (arguments.has(CLASSES) && !asked.equals(model.classes())) {
        throw new UsageException(
            "the model file names its classes itself: " + String.join(",", model.classes()));
      }
      return model.classes();
    }
    if (asked.isEmpty()) {
      terminal.info(
          "note     ",
          "the model file names no classes; its logits are taken for the classes "
              + String.join(",", model.classes())
              + "; name others with --classes");
      return model.classes();
    }
    if (Loss.outputs(asked.size()) != Loss.outputs(count)) {
      throw new UsageException(
          "--classes names " + asked.size() + " classes, but the model tells " + count + " apart");
    }
    return asked;
  }

  private static void print(
      ModelFile model, Evaluation evaluation, ConfusionMatrix confusion, Terminal terminal) {
    terminal.result(
        String.format(Locale.ROOT, "loss      %.9f (%s)", evaluation.loss(), model.loss()));
    terminal.result(String.format(Locale.ROOT, "accuracy  %.6f", evaluation.accuracy()));
    terminal.result("errors    " + evaluation.errors() + " of " + Format.count(evaluation.count()));
    terminal.result("");
    terminal.result("predicted, by true class:");
    confusion.toLines(terminal.width()).forEach(terminal::result);
  }

  /** What {@code --json} prints. */
  private record Result(
      String model,
      String data,
      List<String> classes,
      String lossName,
      int images,
      double loss,
      double accuracy,
      int errors,
      List<int[]> confusion) {}

  private static Result result(
      Path file, DataSet data, ModelFile model, Evaluation evaluation, ConfusionMatrix confusion) {
    return new Result(
        file.toString(),
        data.name(),
        data.classes(),
        model.loss().toString(),
        evaluation.count(),
        evaluation.loss(),
        evaluation.accuracy(),
        evaluation.errors(),
        confusion.rows());
  }
}
