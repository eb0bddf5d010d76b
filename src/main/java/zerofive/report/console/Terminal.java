package zerofive.report.console;

import com.google.gson.JsonElement;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBarConsumer;
import zerofive.files.Json;
import zerofive.files.OutputException;

/**
 * Standard output and standard error. Bars and colours only where a person looks on: the launcher
 * says which of the two is a terminal, since Java cannot tell them apart.
 */
public final class Terminal {
  /** Where lines end on a wide terminal, and in a file. */
  private static final int WIDTH = 96;

  private static final int NARROWEST = 40;

  private static final boolean OUT_IS_TERMINAL = Boolean.getBoolean("zerofive.stdout.terminal");
  private static final String CLEAR_LINE = "\r\033[K";

  private final ResultStream resultStream;
  private final PrintStream out;
  private final PrintStream err;
  private final boolean bars;
  private final boolean colours;
  private boolean quiet;
  private boolean resultsAreNotes;
  private String bar = "";
  private boolean barsEnded;

  private Terminal(ResultStream resultStream, PrintStream err, boolean bars, boolean colours) {
    this.resultStream = resultStream;
    this.out = new PrintStream(resultStream, false, Charset.defaultCharset());
    this.err = err;
    this.bars = bars;
    this.colours = colours;
  }

  /** The process's own streams. */
  public static Terminal system() {
    boolean noColour = Optional.ofNullable(System.getenv("NO_COLOR")).orElse("").length() > 0;
    return new Terminal(
        new ResultStream(new FileOutputStream(FileDescriptor.out)),
        System.err,
        // Rows that go elsewhere may return to the screen by a pipe, in the middle of a bar.
        OUT_IS_TERMINAL && Boolean.getBoolean("zerofive.stderr.terminal"),
        OUT_IS_TERMINAL && !noColour);
  }

  /** Streams of a test's own, neither of them a terminal. */
  public static Terminal plain(OutputStream out, OutputStream err) {
    return new Terminal(
        new ResultStream(out), new PrintStream(err, true, Charset.defaultCharset()), false, false);
  }

  /** From now on results only: no notes, no bar. */
  public void setQuiet() {
    quiet = true;
  }

  /** From now on standard output is for {@link #json} alone: lines of results become notes. */
  public void answerInJson() {
    resultsAreNotes = true;
  }

  /** Whether the results are wanted in JSON. */
  public boolean answersInJson() {
    return resultsAreNotes;
  }

  /** The results as one JSON object, a line of standard output. */
  public void json(JsonElement object) {
    print(Json.line(object));
  }

  /** The same of a record. */
  public void json(Record object) {
    json(Json.of(object));
  }

  /** A line of the results, on standard output. */
  public void result(String line) {
    if (resultsAreNotes) {
      info(line);
    } else {
      print(Format.printable(line));
    }
  }

  /**
   * Records for other programs, on standard output: as they are where a program reads them, line
   * breaks within them included; printable where a person looks on.
   */
  public void records(List<String> records) {
    if (!records.isEmpty()) {
      print(
          OUT_IS_TERMINAL
              ? String.join("\n", records.stream().map(Format::printable).toList())
              : String.join("\n", records));
    }
  }

  /** A line of the results that stands out, where colours are shown. */
  public void emphasised(String line) {
    if (resultsAreNotes) {
      info(line);
      return;
    }
    String printable = Format.printable(line);
    print(colours ? "\033[1m" + printable + "\033[0m" : printable);
  }

  private synchronized void print(String line) {
    hideBar();
    out.println(line);
    out.flush();
    showBar();
  }

  /** Lines of the results behind a label, broken after punctuation. */
  public void result(String label, String phrases) {
    Format.wrap(label, phrases, width()).forEach(this::result);
  }

  /** A line of progress, on standard error; silenced by {@link #setQuiet}. */
  public void info(String line) {
    if (!quiet) {
      error(line);
    }
  }

  /** Progress, behind a label, broken after punctuation. */
  public void info(String label, String phrases) {
    Format.wrap(label, phrases, width()).forEach(this::info);
  }

  /** A warning or an error, on standard error; never silenced. */
  public synchronized void error(String line) {
    hideBar();
    err.println(Format.printable(line));
    showBar();
  }

  /** The last words of a process that ends while a bar is on the screen. */
  public synchronized void fatal(String line) {
    drawBar("");
    barsEnded = true;
    error(line);
  }

  /** Prints a defect's stack trace on standard error. */
  public synchronized void trace(Throwable thrown) {
    hideBar();
    thrown.printStackTrace(err);
  }

  /** A progress bar of {@code steps} steps; it draws nothing where nobody looks on. */
  public Progress progress(String task, long steps) {
    return bars && !quiet ? Progress.bar(new BarLine(), task, steps) : Progress.none();
  }

  /** A progress bar of a transfer, {@code from} of whose bytes are here already. */
  public Progress transfer(String task, long from, long bytes) {
    return bars && !quiet ? Progress.ofBytes(new BarLine(), task, from, bytes) : Progress.none();
  }

  /** How many shades of grey can be shown as colours: 256, 24, or 0 where there are no colours. */
  public int greyLevels() {
    if (!colours || !Charset.defaultCharset().equals(StandardCharsets.UTF_8)) {
      return 0;
    }
    String depth = Objects.requireNonNullElse(System.getenv("COLORTERM"), "");
    if (depth.equals("truecolor") || depth.equals("24bit")) {
      return 256;
    }
    return Objects.requireNonNullElse(System.getenv("TERM"), "").contains("256color") ? 24 : 0;
  }

  /** A line of a picture on standard output, its escape codes and all. */
  public void picture(String line) {
    print(line);
  }

  /** Throws OutputException where a result could not be written; a reader that left is no fault. */
  public void checkResults() {
    out.flush();
    resultStream.failure.ifPresent(
        cause -> {
          throw new OutputException(
              "standard output cannot be written: " + cause.getMessage() + "; make room for it");
        });
  }

  /** Draws the bar anew, below the last line; an empty one is gone. */
  synchronized void drawBar(String rendered) {
    hideBar();
    bar = barsEnded ? "" : rendered;
    showBar();
  }

  private void hideBar() {
    if (!bar.isEmpty()) {
      err.print(CLEAR_LINE);
      err.flush();
    }
  }

  private void showBar() {
    err.print(bar);
    err.flush();
  }

  /** Columns that lines may take. */
  public int width() {
    return Math.max(NARROWEST, barWidth());
  }

  /** Columns that the bar may take: one more than there are would leave its remains behind. */
  int barWidth() {
    return Math.min(WIDTH, Integer.getInteger("zerofive.columns", WIDTH));
  }

  /** Remembers the first failure, which PrintStream would forget. */
  private static final class ResultStream extends OutputStream {
    private final OutputStream stream;
    private Optional<IOException> failure = Optional.empty();

    ResultStream(OutputStream stream) {
      this.stream = stream;
    }

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      try {
        stream.write(bytes, offset, length);
      } catch (IOException e) {
        boolean readerLeft = String.valueOf(e.getMessage()).contains("Broken pipe");
        if (failure.isEmpty() && !readerLeft) {
          failure = Optional.of(e);
        }
      }
    }
  }

  /** Where the library draws: the terminal's last line, which gives way to what is printed. */
  private final class BarLine implements ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      return barWidth() - 1;
    }

    @Override
    public void accept(String rendered) {
      drawBar(rendered.strip());
    }

    @Override
    public void close() {
      drawBar("");
    }
  }
}
