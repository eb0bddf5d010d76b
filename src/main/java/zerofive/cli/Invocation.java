package zerofive.cli;

import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import zerofive.data.DataRequest;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.report.console.FetchProgress;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;
import zerofive.run.RunFolder;
import zerofive.train.Recipe;

/**
 * One use of the program.
 *
 * @param arguments as given, for the receipt
 * @param terminal where results and notes go
 * @param time where the time went so far
 */
public record Invocation(List<String> arguments, Terminal terminal, PhaseTimer time) {
  /** Where runs without --out go. */
  private static final Path RUNS = Path.of("runs");

  /** Reads a data set; one that must be fetched first shows how far it has come. */
  public DataSet load(DataRequest request) {
    try (FetchProgress progress = new FetchProgress(terminal)) {
      return DataSets.load(request, progress);
    }
  }

  /**
   * Begins to read a data set while the caller does something else; one that must be fetched first
   * is fetched only when it is asked for, since the command may fail until then.
   *
   * @return the data set once it is read, or what {@link #load} throws
   */
  public Supplier<DataSet> loadAhead(DataRequest request) {
    FutureTask<DataSet> reading = new FutureTask<>(() -> load(request));
    if (DataSets.isHere(request.source())) {
      Thread reader = new Thread(reading, "data");
      reader.setDaemon(true);
      reader.start();
    }
    return () -> {
      reading.run(); // Does nothing where the thread has begun.
      try {
        return reading.get();
      } catch (ExecutionException e) {
        if (e.getCause() instanceof Error error) {
          throw error;
        }
        throw (RuntimeException) e.getCause();
      } catch (InterruptedException e) {
        throw new IllegalStateException("nobody interrupts the main thread", e);
      }
    };
  }

  /** How the user calls this program, for commands to be copied: {@code ./zerofive}. */
  private static String program() {
    return System.getProperty("zerofive.program", "zerofive");
  }

  /** A new run's folder: the one asked for, or {@code runs/TIME-ENDING}; locked. */
  public static RunFolder newFolder(Optional<Path> out, String ending) {
    if (out.isPresent()) {
      return RunFolder.create(out.get());
    }
    String time =
        LocalDateTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS).toString();
    return RunFolder.createNumbered(RUNS, (time + "-" + ending).replaceAll("[:,]", "-"));
  }

  /** Says where the time went. */
  public void printTime() {
    terminal.result("time     ", time.toString());
  }

  /** Says where a run will not outlive its container. */
  public void noteContainer(Path run) {
    ContainerDisk.notice(run).ifPresent(notice -> terminal.info("note     ", notice));
  }

  /** The command that resumes a run. */
  public static String resume(Path run) {
    return command(List.of("train", "--resume", run.toString()));
  }

  /** This program with {@code arguments}, as a shell takes it. */
  public static String command(List<String> arguments) {
    return Stream.concat(Stream.of(program()), arguments.stream())
        .map(Format::shell)
        .collect(Collectors.joining(" "));
  }

  /** The command that makes a run with these settings again. */
  public static String reproduceCommand(Recipe recipe) {
    List<String> words = new ArrayList<>(List.of("train"));
    words.addAll(recipe.options());
    return command(words);
  }

  /** This command once more, on the folder that it has made or was given. */
  public String continueCommand(Path out) {
    List<String> words = new ArrayList<>(arguments);
    if (words.stream().noneMatch(word -> word.equals("--out") || word.startsWith("--out="))) {
      words.addAll(List.of("--out", out.toString()));
    }
    return command(words);
  }
}
