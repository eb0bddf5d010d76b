package zerofive.cli.command;

import static zerofive.train.Settings.DEVICE;
import static zerofive.train.Settings.EARLY_STOP;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.INITIALIZER;
import static zerofive.train.Settings.INIT_FROM;
import static zerofive.train.Settings.PRECISION;
import static zerofive.train.Settings.SCHEDULE;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import zerofive.backend.Availability;
import zerofive.backend.DeviceException;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Experiment;
import zerofive.cli.Invocation;
import zerofive.cli.Version;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.TrainOptions;
import zerofive.files.Json;
import zerofive.report.console.BenchTable;
import zerofive.report.console.HostInfo;
import zerofive.report.console.Progress;
import zerofive.report.console.Terminal;
import zerofive.study.Quartiles;
import zerofive.study.benchmark.Benchmark;
import zerofive.study.benchmark.EpochWork;
import zerofive.study.benchmark.MismatchException;
import zerofive.train.Recipe;
import zerofive.train.Schedule;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.Settings;

/** {@code bench}: the training speed of every backend that this machine has, side by side. */
final class BenchCommand implements Command {
  private static final Setting<Integer> ROUNDS =
      Setting.integer("rounds", Group.RUN, 1)
          .defaultValue(5)
          .help("turns that each backend has at most")
          .build();

  private static final Setting<Float> SECONDS =
      Setting.positive("seconds", Group.RUN)
          .defaultValue(10f)
          .help("for all turns together, about")
          .build();

  /** What changes an epoch; a precision of its own would fail the check. */
  private static final List<Setting<?>> SETTINGS =
      Settings.without(EnumSet.of(Group.RUN), SCHEDULE, EPOCHS, EARLY_STOP, DEVICE, PRECISION);

  /** What of the settings decides an epoch's work, for {@code --json}. */
  private static final List<Setting<?>> OF_WORK =
      Settings.without(
          EnumSet.of(Group.RUN, Group.DEVICE),
          SCHEDULE,
          EPOCHS,
          EARLY_STOP,
          INITIALIZER,
          INIT_FROM);

  @Override
  public String name() {
    return "bench";
  }

  @Override
  public String summary() {
    return "training speed of every backend on this machine, and its fraction of the peak";
  }

  @Override
  public String example() {
    return "zerofive bench --model mlp:128 --classes all --seconds 60";
  }

  @Override
  public Options options() {
    Options options = TrainOptions.options(SETTINGS);
    options.addOption(
        Arguments.option(
            DEVICE
                .withHelp("only this one, beside the reference")
                .withDefault(DeviceRequest.AUTO, "all that can be used")
                .withChoices("cpu", "reference", "cuda")));
    options.addOption(Arguments.option(ROUNDS));
    options.addOption(Arguments.option(SECONDS));
    return options.addOption(Arguments.flag("json", "print one JSON object"));
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    int rounds = arguments.getOrDefault(ROUNDS);
    float seconds = arguments.getOrDefault(SECONDS);
    TrainOptions options = TrainOptions.of(arguments).checked();
    List<Backends.BenchTarget> targets = Backends.benchTargets(DeviceRequest.of(options.recipe()));
    // The reference, which comes first, is what the others are compared with.
    Experiment asked =
        Experiment.prepare(
            options, targets.get(0).candidate().choice(), names -> names, invocation);
    Recipe recipe = asked.recipe().with(SCHEDULE, Schedule.CONSTANT);
    Experiment experiment = asked.with(recipe);
    experiment.describeTraining(invocation.terminal());
    Benchmark benchmark = new Benchmark(recipe, experiment.data(), experiment.initial());
    try {
      return run(targets, recipe, benchmark, rounds, seconds, arguments, invocation.terminal());
    } catch (MismatchException e) {
      invocation
          .terminal()
          .error(
              "zerofive: error: "
                  + e.getMessage()
                  + "; nothing was timed, please report it with the output of zerofive devices");
      return ExitCode.DEFECT;
    }
  }

  private static int run(
      List<Backends.BenchTarget> targets,
      Recipe recipe,
      Benchmark benchmark,
      int rounds,
      double seconds,
      Arguments arguments,
      Terminal terminal) {
    List<Backends.BenchTarget> entered = new ArrayList<>();
    List<Unusable> unusable = new ArrayList<>();
    for (Backends.BenchTarget target : targets) {
      Availability availability = target.candidate().availability();
      if (availability.usable()) {
        availability = entered(target, benchmark, arguments, availability);
      }
      if (availability.usable()) {
        entered.add(target);
        terminal.info("device   ", target.name() + " (" + availability.detail() + ")");
      } else {
        unusable.add(new Unusable(target.name(), availability));
      }
    }
    terminal.info(
        "checked  ", "after one epoch all have the reference's losses; now they are timed");
    terminal.info("");
    List<Benchmark.Result> results;
    try (Progress progress = terminal.progress("timing", (rounds + 1L) * entered.size())) {
      results = benchmark.time(rounds, seconds, progress::step);
    }
    HostInfo machine = HostInfo.here();
    if (arguments.has("json")) {
      terminal.json(json(machine, recipe, benchmark.work(), entered, results, unusable));
    } else {
      print(machine, benchmark.work(), results, unusable, terminal);
    }
    return ExitCode.DONE;
  }

  /** A device that cannot be used, and why. */
  private record Unusable(String name, Availability availability) {}

  /** The same for {@code --json}. */
  private record Missing(String name, String detail, String remedy) {
    static Missing of(Unusable device) {
      return new Missing(
          device.name(), device.availability().detail(), device.availability().remedy());
    }
  }

  /**
   * A device may be there and yet have too little memory for this training. Where it is asked for
   * by name, that is the end.
   */
  private static Availability entered(
      Backends.BenchTarget target,
      Benchmark benchmark,
      Arguments arguments,
      Availability availability) {
    try {
      benchmark.add(
          new Benchmark.Candidate(target.name(), target.candidate().backend(), target.limits()));
      return availability;
    } catch (DeviceException e) {
      if (arguments.has(DEVICE)) {
        throw e;
      }
      return e.availability();
    }
  }

  private static void print(
      HostInfo machine,
      EpochWork work,
      List<Benchmark.Result> results,
      List<Unusable> unusable,
      Terminal terminal) {
    BenchTable.rows(results, work).forEach(terminal::result);
    terminal.result("");
    for (Unusable missing : unusable) {
      String remedy = missing.availability().remedy();
      terminal.result(
          "without  ",
          missing.name()
              + ": "
              + missing.availability().detail()
              + (remedy.isEmpty() ? "" : "; " + remedy));
    }
    terminal.result("machine  ", machine.toString());
    String label = "peaks    ";
    for (String limit : BenchTable.limits(results)) {
      terminal.result(label, limit);
      label = " ".repeat(label.length());
    }
    terminal.result("work     ", BenchTable.work(work));
    terminal.result("share    ", BenchTable.shareMeaning());
  }

  private static JsonObject json(
      HostInfo machine,
      Recipe recipe,
      EpochWork work,
      List<Backends.BenchTarget> entered,
      List<Benchmark.Result> results,
      List<Unusable> unusable) {
    JsonObject json = new JsonObject();
    json.addProperty("version", Version.read().toString());
    json.add("machine", Json.of(machine));
    json.add("work", json(recipe, work));
    JsonArray backends = new JsonArray();
    double base = results.get(0).quartiles().median();
    for (int i = 0; i < results.size(); i++) {
      backends.add(json(entered.get(i).candidate(), results.get(i), base, work));
    }
    json.add("backends", backends);
    json.add("unusable", Json.of(unusable.stream().map(Missing::of).toList()));
    return json;
  }

  private static JsonObject json(Recipe recipe, EpochWork work) {
    JsonObject json = recipe.json(OF_WORK);
    json.addProperty("images", work.images());
    json.addProperty("operations", work.operations());
    json.addProperty("lit_operations", work.nonzeroOperations());
    json.addProperty("lit_share", work.nonzeroFraction());
    json.addProperty("bytes", work.bytes());
    return json;
  }

  private static JsonObject json(
      Backends.Candidate candidate, Benchmark.Result result, double base, EpochWork work) {
    Quartiles times = result.quartiles();
    JsonObject json = new JsonObject();
    json.addProperty("name", result.candidate().name());
    json.addProperty("device", candidate.availability().detail());
    json.add("details", Json.of(candidate.details()));
    json.add("first_epoch", Json.of(result.firstEpoch()));
    json.addProperty("median_seconds", times.median());
    json.addProperty("lower_quartile_seconds", times.lower());
    json.addProperty("upper_quartile_seconds", times.upper());
    json.addProperty("least_seconds", times.min());
    json.addProperty("most_seconds", times.max());
    json.addProperty("images_per_second", work.images() / times.median());
    json.addProperty("speed_up", base / times.median());
    json.addProperty("operations_per_second", work.operations() / times.median());
    json.addProperty("lit_operations_per_second", work.nonzeroOperations() / times.median());
    result
        .peaks()
        .ifPresent(
            peaks -> {
              json.addProperty("peak_operations_per_second", 2 * peaks.multiplyAddsPerSecond());
              json.addProperty("peak_copy_bytes_per_second", peaks.copyBytesPerSecond());
              EpochWork.Share ofLimit = work.share(times.median(), peaks);
              json.addProperty("compute_share", ofLimit.compute());
              json.addProperty("memory_share", ofLimit.memory());
            });
    json.add("epoch_seconds", Json.of(result.seconds()));
    return json;
  }
}
