package zerofive.cli.command;

import static zerofive.cli.option.ModelOptions.FIT;
import static zerofive.cli.option.ShardOptions.SHARD;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Function;
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
import zerofive.cli.option.DeviceOptions;
import zerofive.cli.option.ModelOptions;
import zerofive.cli.option.ShardOptions;
import zerofive.cli.option.UsageException;
import zerofive.data.idx.IdxImages;
import zerofive.data.image.GreyImage;
import zerofive.data.image.ImageFile;
import zerofive.data.image.ImagePaths;
import zerofive.data.image.fit.ImageFitter;
import zerofive.files.AtomicFile;
import zerofive.files.InputException;
import zerofive.files.Sha256;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Normalisation;
import zerofive.report.console.Format;
import zerofive.report.console.Progress;
import zerofive.report.console.Terminal;
import zerofive.run.Receipt;
import zerofive.study.Shard;
import zerofive.study.predict.Fit;
import zerofive.study.predict.ImageClassifier;
import zerofive.study.predict.PredictionShard;

/** {@code predict}: a saved model on pictures, one line for each. */
final class PredictCommand implements Command {
  private static final String STANDARD_INPUT = "-";

  private static final Set<String> BESIDE_MERGE = Set.of("merge", "out", "quiet", "verbose");

  @Override
  public String name() {
    return "predict";
  }

  @Override
  public String summary() {
    return "classify PNG and JPEG files, folders and IDX files";
  }

  @Override
  public String example() {
    return "zerofive predict --model runs/first/model.safetensors digits/*.png";
  }

  @Override
  public String operands() {
    return "PATH...";
  }

  @Override
  public List<String> details() {
    return List.of(
        "Pictures are fitted as MNIST was made: in greyscale, ink bright on black (a dark pen on"
            + " paper is inverted, and it says so), the ink scaled into 20 x 20 pixels and centred by"
            + " its mass in 28 x 28; shadows, lines and specks of the paper are left out. What has"
            + " the model's size already stays as it is, unless --fit always fits it too; --fit never"
            + " takes all pixels as they are.",
        "One line an image: path,class,probability. A file that cannot be read is named and counted,"
            + " the rest is predicted, and the exit code is 3. An IDX file's images are FILE#0,"
            + " FILE#1 and so on; patterns such as 'scans/*.png' may be quoted; - is one image from"
            + " standard input.",
        "Shards of the files (--shard) may be predicted on different machines, each into a file of"
            + " its own; predict --merge FILE... --out FILE joins them in the order of all files.");
  }

  @Override
  public Options options() {
    Options options = new Options();
    ModelOptions.addTo(options);
    options.addOption(Arguments.option(FIT));
    options.addOption(
        Arguments.flag("raw", "take the pixels as they are: the same as --fit never"));
    options.addOption(
        Arguments.flag("json", "print one JSON object a line, with every class's probability"));
    options.addOption(
        Arguments.option("out", "FILE", "write into FILE (default: standard output)"));
    options.addOption(
        Arguments.option(
            SHARD.withHelp(
                "predict the I-th of N shards of the files, counted from 1; with --out")));
    options.addOption(
        ShardOptions.merge(
            "FILE...", "join the files of all shards in --out; it takes no other option"));
    DeviceOptions.addTo(options);
    return options;
  }

  private static Fit fit(Arguments arguments) {
    Fit fit = arguments.getOrDefault(FIT);
    if (!arguments.has("raw")) {
      return fit;
    }
    if (arguments.has(FIT) && fit != Fit.NEVER) {
      throw new UsageException("--raw is --fit never; leave out one of --raw and --fit");
    }
    return Fit.NEVER;
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    if (arguments.has("merge")) {
      ShardOptions.checkMerge(line, BESIDE_MERGE);
      return merge(line, arguments.path("out"), invocation.terminal());
    }
    Path file = ModelOptions.file(arguments, name());
    DeviceRequest request = DeviceOptions.of(arguments);
    Fit fit = fit(arguments);
    Optional<Path> out = arguments.path("out");
    List<InputException> refused = new ArrayList<>();
    List<Path> listing = paths(line.getArgList(), refused::add);
    out.ifPresent(target -> checkNoInput(target, file, listing));
    Shard shard = arguments.getOrDefault(SHARD);
    List<Path> paths = shard.equals(Shard.WHOLE) ? listing : block(shard, listing, out);
    if (shard.number() > 1) {
      refused.clear(); // The first shard names and counts what no shard can list.
    }
    Backends.Choice device = Backends.choose(request);
    ModelFile model = ModelOptions.read(file, arguments);
    Terminal terminal = invocation.terminal();
    terminal.info("model    ", file + " (" + model.describe() + ")");
    model.notes().forEach(note -> terminal.info("note     ", note));
    ImageClassifier classifier = new ImageClassifier(file.toString(), model, fit);
    classifier.notes().forEach(note -> terminal.info("note     ", note));
    device.print(request, terminal);
    int threads = request.threads();
    ExecutorService decoders =
        Executors.newFixedThreadPool(
            threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
    Predictions done;
    try (Predictor predictor = device.backend().openPredictor(model.foldedParameters());
        Progress progress = terminal.progress("predict", paths.size())) {
      Function<Consumer<List<String>>, Predictions> predictions =
          sink ->
              predictAll(
                  paths,
                  refused,
                  new Predictions(
                      classifier, predictor, decoders, arguments.has("json"), terminal, sink),
                  progress);
      done =
          out.map(target -> intoFile(target, predictions))
              .orElseGet(() -> predictions.apply(terminal::records));
    } finally {
      decoders.shutdownNow();
    }
    if (arguments.has(SHARD)) {
      Map<String, String> options = new TreeMap<>();
      options.put(PredictionShard.FORMAT, arguments.has("json") ? "json" : PredictionShard.CSV);
      options.put("fit", fit.toString());
      options.put(
          "normalisation", String.valueOf(model.normalisation().orElse(Normalisation.NONE)));
      options.put("model", Sha256.of(file));
      options.put("listing", PredictionShard.listing(listing));
      options.put("arithmetic", device.arithmetic().map(String::valueOf).orElse("none"));
      new PredictionShard(out.get(), shard, options, done.unreadable())
          .write(session(device, invocation));
    }
    return finish(done, terminal);
  }

  private static Receipt.Session session(Backends.Choice device, Invocation invocation) {
    return new Receipt.Session(
        Version.read().toString(),
        device.backend().name(),
        device.device(),
        device.details(),
        invocation.arguments());
  }

  private static List<Path> block(Shard shard, List<Path> listing, Optional<Path> out) {
    if (out.isEmpty()) {
      throw new UsageException(
          "--shard needs --out FILE, which --merge joins with those of the other shards");
    }
    List<Path> block = shard.block(listing);
    if (block.isEmpty()) {
      throw new UsageException(
          "--shard "
              + shard
              + " is empty: there "
              + (listing.size() == 1 ? "is " : "are ")
              + Format.plural(listing.size(), "file")
              + " in all, and a file is in one shard; make at most as many shards");
    }
    return block;
  }

  private static int merge(CommandLine line, Optional<Path> out, Terminal terminal) {
    if (!line.getArgList().isEmpty()) {
      throw new UsageException(
          "unexpected argument '" + line.getArgList().get(0) + "' beside --merge");
    }
    Path target = out.orElseThrow(() -> new UsageException("--merge needs --out FILE"));
    List<PredictionShard> shards;
    try {
      shards = PredictionShard.all(ShardOptions.merged(line));
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
    if (shards.stream().anyMatch(shard -> isSame(target, shard.file()))) {
      throw new UsageException("--out " + target + " is one of the shards; name another file");
    }
    AtomicFile.stream(target, stream -> PredictionShard.join(shards, stream));
    long unreadable = shards.stream().mapToLong(PredictionShard::unreadable).sum();
    if (unreadable == 0) {
      return ExitCode.DONE;
    }
    terminal.error(
        "zerofive: error: "
            + Format.plural(unreadable, "image")
            + " could not be read; the shards gave the reasons");
    return ExitCode.INPUT;
  }

  private static Predictions intoFile(
      Path file, Function<Consumer<List<String>>, Predictions> predictions) {
    Predictions[] done = new Predictions[1];
    AtomicFile.stream(
        file,
        stream ->
            done[0] =
                predictions.apply(
                    records -> {
                      try {
                        String lines = String.join("\n", records) + "\n";
                        stream.write(lines.getBytes(StandardCharsets.UTF_8));
                      } catch (IOException e) {
                        throw new UncheckedIOException(e);
                      }
                    }));
    return done[0];
  }

  private static int finish(Predictions predictions, Terminal terminal) {
    for (ImageFitter.Remark remark : ImageFitter.Remark.values()) {
      Predictions.Named named = predictions.remarked(remark);
      if (named.count() > 0) {
        terminal.info(
            "note     ",
            Format.plural(named.count(), "image")
                + sentence(remark).replace("FIRST", named.first()));
      }
    }
    if (predictions.unreadable() == 0) {
      return ExitCode.DONE;
    }
    terminal.error(
        "zerofive: error: "
            + Format.plural(predictions.unreadable(), "image")
            + " could not be read, "
            + Format.count(predictions.predicted())
            + " predicted; the reasons stand above");
    return ExitCode.INPUT;
  }

  private static String sentence(ImageFitter.Remark remark) {
    return switch (remark) {
      case INVERTED ->
          " with dark ink on a bright background inverted; --fit never takes all as they are";
      case TOUCHES_FRAME ->
          " with ink that touches the edge and may be cut off (the first: FIRST); leave more paper"
              + " around it";
      case NOT_AS_MNIST ->
          " of the model's own size kept as they are, but not centred or not of the size that"
              + " MNIST's digits have (the first: FIRST); --fit always fits them too";
    };
  }

  private static Predictions predictAll(
      List<Path> paths, List<InputException> refused, Predictions predictions, Progress progress) {
    predictions.begin();
    refused.forEach(predictions::refuse);
    for (Path path : paths) {
      if (Files.isRegularFile(path) && IdxImages.isIdx(path)) {
        predictIdx(path, predictions);
      } else if (isPipe(path)) {
        predictions.add(path.toString(), false, () -> readPipe(path));
      } else {
        predictions.add(path.toString(), false, () -> ImageFile.read(path));
      }
      progress.step();
    }
    predictions.flush();
    return predictions;
  }

  /** Its name, or what a shell's {@code <(command)} gives. */
  private static boolean isPipe(Path path) {
    return path.toString().equals(STANDARD_INPUT) || path.startsWith("/dev/fd");
  }

  private static GreyImage readPipe(Path pipe) {
    try (InputStream stream =
        pipe.toString().equals(STANDARD_INPUT) ? System.in : Files.newInputStream(pipe)) {
      return ImageFile.read(pipe, stream);
    } catch (IOException e) {
      throw new InputException(pipe, e);
    }
  }

  private static void predictIdx(Path path, Predictions predictions) {
    try (IdxImages images = new IdxImages(path)) {
      for (long i = 0; images.left() > 0; i++) {
        GreyImage image = images.next();
        predictions.add(path + "#" + i, true, () -> image);
      }
    } catch (InputException e) {
      predictions.refuse(e);
    }
  }

  /** A shell makes {@code --out *.png} name a picture, which must not become a table. */
  private static void checkNoInput(Path out, Path model, List<Path> paths) {
    if (ImagePaths.hasEnding(out)
        || isSame(out, model)
        || paths.stream().anyMatch(path -> isSame(out, path))) {
      throw new UsageException(
          "--out " + out + " is a picture or an input; name another file for the predictions");
    }
  }

  private static boolean isSame(Path a, Path b) {
    try {
      return Files.isSameFile(a, b);
    } catch (IOException e) {
      return false; // One of them is not there.
    }
  }

  private static List<Path> paths(List<String> names, Consumer<InputException> refused) {
    if (names.isEmpty()) {
      throw new UsageException(
          "predict needs images: PNG or JPEG files, folders, IDX files; see zerofive predict"
              + " --help");
    }
    List<Path> all = new ArrayList<>();
    for (String name : names) {
      List<InputException> below = new ArrayList<>();
      try {
        List<Path> files = ImagePaths.expand(name, below::add);
        below.forEach(refused);
        if (files.isEmpty() && below.isEmpty()) {
          throw new UsageException(
              ImagePaths.isPattern(name)
                  ? "'" + name + "' matches no file; name files or folders that exist"
                  : "'" + name + "' holds no .png, .jpg or .jpeg file; name a folder that does");
        }
        all.addAll(files);
      } catch (InvalidPathException e) {
        throw new UsageException("'" + name + "' is not a file name; name one", e);
      }
    }
    return all;
  }
}
