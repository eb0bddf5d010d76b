package zerofive.cli.command;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.DEVICE;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.THREADS;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import zerofive.backend.Arithmetic;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Experiment;
import zerofive.cli.Invocation;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.DeviceOptions;
import zerofive.cli.option.UsageException;
import zerofive.report.console.Format;
import zerofive.report.console.Progress;
import zerofive.report.console.Terminal;
import zerofive.report.console.VerdictText;
import zerofive.run.RunFolder;
import zerofive.study.Pair;
import zerofive.study.PairsCsv;
import zerofive.study.PairsTrainer;
import zerofive.study.verify.Answer;
import zerofive.study.verify.PairsVerifier;
import zerofive.study.verify.RunVerifier;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.StopSignal;

/** {@code verify}: whether this machine computes the bits that a run has. */
final class VerifyCommand implements Command {
  private static final Setting<Integer> SAMPLE =
      Setting.integer("sample", Group.RUN, 1)
          .unset(0, "all")
          .help("of a run of pairs, train only N rows, evenly spread over its table")
          .build();

  @Override
  public String name() {
    return "verify";
  }

  @Override
  public String summary() {
    return "train a run again, in memory, and compare its model bit for bit";
  }

  @Override
  public String example() {
    return "zerofive verify runs/first --threads 1";
  }

  @Override
  public String operands() {
    return "RUN...";
  }

  @Override
  public List<String> details() {
    return List.of(
        "RUN is a folder that train or pairs wrote, on any machine, with arithmetic "
            + Arithmetic.NUMBER
            + " in its config.json. It needs the data of the run, and the file of --init-from;"
            + " both must have the SHA-256 that the receipt names. It writes nothing.",
        "Exit code 0: the same bits. 7: other bits; it says whether the model was changed after the"
            + " run or this machine computes another, and where they differ first. 2: the bits"
            + " cannot be compared, and why. 3: a file is missing, damaged, or not the run's.");
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(Arguments.option(SAMPLE));
    options.addOption(
        Arguments.option(
            DEVICE
                .withHelp("what to train with; its bits must be the same on every device")
                .withDefault("auto", "cpu")));
    options.addOption(Arguments.option(THREADS));
    options.addOption(
        Arguments.flag("json", "print one JSON object a run; the text goes to standard error"));
    return options;
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    if (arguments.has("json")) {
      invocation.terminal().answerInJson();
    }
    if (line.getArgList().isEmpty()) {
      throw new UsageException("verify needs the folder of a run: zerofive verify RUN");
    }
    DeviceRequest request = Backends.exact(DeviceOptions.of(arguments));
    Backends.Choice device = choose(request, invocation);
    int code = ExitCode.DONE;
    try (StopSignal stop = listen(invocation.terminal())) {
      for (String name : line.getArgList()) {
        Optional<Answer> answer =
            verify(folder(name), arguments, request, device, stop, invocation);
        if (answer.isEmpty()) {
          return ExitCode.INTERRUPTED;
        }
        if (answer.get() != Answer.SAME) {
          code = ExitCode.DIFFERENT;
        }
      }
    }
    return code;
  }

  private static Backends.Choice choose(DeviceRequest request, Invocation invocation) {
    Backends.Choice device = Experiment.choose(request, invocation);
    if (device.backend().arithmetic().isEmpty()) {
      throw new UsageException(
          "the bits of "
              + device.describe()
              + " are its own, so it can verify no run; name --device cpu");
    }
    return device;
  }

  private static StopSignal listen(Terminal terminal) {
    return StopSignal.install(
        () -> terminal.error("zerofive: stopping as soon as the epoch under way is done ..."),
        () -> terminal.fatal("zerofive: stopped without the epoch under way"));
  }

  private static RunFolder folder(String name) {
    try {
      return RunFolder.find(Path.of(name));
    } catch (InvalidPathException e) {
      throw new UsageException("'" + name + "' is not the name of a folder", e);
    }
  }

  private static Optional<Answer> verify(
      RunFolder folder,
      Arguments arguments,
      DeviceRequest request,
      Backends.Choice device,
      StopSignal stop,
      Invocation invocation) {
    int sample = arguments.getOrDefault(SAMPLE);
    if (folder.isPairs()) {
      return verifyPairs(folder, sample, request, stop, invocation);
    }
    if (sample > 0) {
      throw new UsageException(
          "--sample is for a run of pairs, and "
              + folder.path()
              + " is one training; leave it out");
    }
    return verifyRun(folder, request, device, stop, invocation);
  }

  private static Optional<Answer> verifyRun(
      RunFolder folder,
      DeviceRequest request,
      Backends.Choice device,
      StopSignal stop,
      Invocation invocation) {
    Terminal terminal = invocation.terminal();
    RunVerifier verifier = RunVerifier.read(folder);
    Experiment experiment =
        Experiment.repeat(
            folder,
            verifier.recipe(),
            verifier.recipe().get(CLASSES).names(),
            verifier.receipt(),
            device,
            invocation);
    terminal.info("run      ", folder.path() + ", by " + verifier.madeBy());
    experiment.describeTraining(terminal);
    device.print(request, terminal);
    Optional<RunVerifier.Verdict> verdict;
    int[] epochs = new int[1];
    try (Progress progress = terminal.progress("verifying", experiment.recipe().get(EPOCHS))) {
      verdict =
          verifier.verify(
              experiment.data(),
              experiment.initial(),
              device.backend(),
              stop,
              row -> {
                epochs[0] = row.epoch();
                progress.step();
              });
    }
    if (verdict.isEmpty()) {
      terminal.error(
          "zerofive: stopped after epoch " + epochs[0] + "; " + folder.path() + " is not verified");
      return Optional.empty();
    }
    VerdictText.print(
        folder.model(), verifier.madeBy(), device.describe(), verdict.get(), terminal);
    if (terminal.answersInJson()) {
      terminal.json(VerdictJson.of(folder, verifier.madeBy(), device.describe(), verdict.get()));
    }
    return Optional.of(verdict.get().answer());
  }

  private static Optional<Answer> verifyPairs(
      RunFolder folder, int sample, DeviceRequest request, StopSignal stop, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    PairsVerifier verifier = PairsVerifier.read(folder);
    // As pairs itself: each training on one thread.
    DeviceRequest each = request.withThreads(1);
    Backends.Choice first = choose(each, invocation);
    List<Backends.Candidate> others =
        Backends.otherGpus(each, first, verifier.config().training().model());
    Backends.Choice device = first.with(others);
    Experiment experiment =
        Experiment.repeat(
            folder,
            verifier.config().training(),
            verifier.config().classes(),
            verifier.receipt(),
            device,
            invocation);
    List<Pair> all = verifier.config().pairs();
    List<Pair> rows = sample > 0 ? verifier.sample(sample) : all;
    int atOnce = PairsCommand.atOnce(device, request.threads(), rows.size());
    terminal.info("run      ", folder.path() + ", by " + verifier.madeBy());
    experiment.describeTraining(terminal);
    device.print(each, terminal);
    terminal.info(
        "pairs    ",
        rows.size()
            + " of "
            + Format.plural(all.size(), "row")
            + ", "
            + PairsCommand.atOnce(experiment, atOnce));
    PairsTrainer trainer =
        new PairsTrainer(
            experiment.recipe(),
            experiment.data(),
            experiment.start(),
            device.backends(),
            atOnce,
            stop);
    Optional<PairsVerifier.Verdict> verdict;
    try (Progress progress = terminal.progress("verifying", rows.size())) {
      verdict = verifier.verify(rows, trainer, progress::step);
    }
    if (verdict.isEmpty()) {
      terminal.error("zerofive: stopped; " + folder.path() + " is not verified");
      return Optional.empty();
    }
    VerdictText.print(
        folder.file(PairsCsv.NAME), verifier.madeBy(), device.describe(), verdict.get(), terminal);
    if (terminal.answersInJson()) {
      terminal.json(VerdictJson.of(folder, verifier.madeBy(), device.describe(), verdict.get()));
    }
    return Optional.of(verdict.get().answer());
  }
}
