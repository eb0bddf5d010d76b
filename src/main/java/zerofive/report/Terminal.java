package zerofive.report;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.Optional;
import zerofive.data.OutputException;

/**
 * Standard output and standard error. Bars and colours only where a person looks on: the launcher
 * says which of the two is a terminal, since Java cannot tell them apart.
 */
public final class Terminal {
  /** No line is longer, on a terminal of any width. */
  public static final int WIDTH = 96;

  private static final String CLEAR_LINE = "\r\033[K";

  private final ResultStream resultStream;
  private final PrintStream out;
  private final PrintStream err;
  private final boolean bars;
  private final boolean colours;
  private boolean quiet;
  private String bar = "";

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
        Boolean.getBoolean("zerofive.stderr.terminal"),
        Boolean.getBoolean("zerofive.stdout.terminal") && !noColour);
  }

  /** Streams of a test's own, neither of them a terminal. */
  public static Terminal plain(OutputStream out, OutputStream err) {
    return new Terminal(
        new ResultStream(out), new PrintStream(err, true, Charset.defaultCharset()), false, false);
  }

  /** From now on results only: no notes, no bar. */
  public void beQuiet() {
    quiet = true;
  }

  /** A line of the results, on standard output. */
  public synchronized void result(String line) {
    hideBar();
    out.println(line);
    out.flush();
    showBar();
  }

  /** A line of the results that stands out, where colours are shown. */
  public void emphasised(String line) {
    result(colours ? "\033[1m" + line + "\033[0m" : line);
  }

  /** A line that tells what is going on, on standard error; silenced by {@link #beQuiet}. */
  public synchronized void note(String line) {
    if (!quiet) {
      complain(line);
    }
  }

  /** A warning or an error, on standard error; never silenced. */
  public synchronized void complain(String line) {
    hideBar();
    err.println(line);
    showBar();
  }

  /** Prints a defect's stack trace on standard error. */
  public synchronized void trace(Throwable thrown) {
    hideBar();
    thrown.printStackTrace(err);
  }

  /** A progress bar of {@code steps} steps; it draws nothing where nobody looks on. */
  public Progress progress(String task, long steps) {
    return bars && !quiet ? Progress.bar(this, task, steps) : Progress.none();
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
    bar = rendered;
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

  int width() {
    return Math.min(WIDTH, Math.max(20, Integer.getInteger("zerofive.columns", 80)));
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
}
