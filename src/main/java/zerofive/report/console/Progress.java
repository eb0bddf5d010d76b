package zerofive.report.console;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** How far a piece of work has come. Drawn below the lines that are printed meanwhile. */
public final class Progress implements AutoCloseable {
  private static final int UPDATE_MILLIS = 100;
  private static final long MEGABYTE = 1_000_000;

  private final Optional<ProgressBar> bar;

  private Progress(Optional<ProgressBar> bar) {
    this.bar = bar;
  }

  static Progress none() {
    return new Progress(Optional.empty());
  }

  static Progress bar(ProgressBarConsumer line, String task, long steps) {
    return new Progress(Optional.of(builder(line, task, steps).build()));
  }

  /** Of a transfer: how many megabytes have come, how fast, and how long it will take. */
  static Progress ofBytes(ProgressBarConsumer line, String task, long from, long bytes) {
    return new Progress(
        Optional.of(
            builder(line, task, bytes)
                .startsFrom(from, Duration.ZERO)
                .setUnit(" MB", MEGABYTE)
                .showSpeed(new DecimalFormat("0.0", DecimalFormatSymbols.getInstance(Locale.ROOT)))
                .build()));
  }

  private static ProgressBarBuilder builder(ProgressBarConsumer line, String task, long steps) {
    boolean unicode = Charset.defaultCharset().equals(StandardCharsets.UTF_8);
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(steps)
        .setUpdateIntervalMillis(UPDATE_MILLIS)
        .setStyle(unicode ? ProgressBarStyle.UNICODE_BLOCK : ProgressBarStyle.ASCII)
        .setConsumer(line);
  }

  /** One step done. */
  public void step() {
    bar.ifPresent(ProgressBar::step);
  }

  /** So many steps are done by now. */
  public void reached(long steps) {
    bar.ifPresent(shown -> shown.stepTo(steps));
  }

  @Override
  public void close() {
    bar.ifPresent(ProgressBar::close);
  }
}
