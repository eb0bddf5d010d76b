package zerofive.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import zerofive.report.console.Format;

/** Where a command's time went, from the start of its process on. */
public final class PhaseTimer {
  /** Field 22 of proc(5)'s stat, counted from field 3, the first after the name. */
  private static final int STAT_START_TIME = 19;

  private static final double TICKS_PER_SECOND = 100;

  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private long markNanos = System.nanoTime();

  /** Begins now, with what has passed since the operating system started the process. */
  public PhaseTimer() {
    double age = processAge();
    double build = Math.min(age, Integer.getInteger("zerofive.build.seconds", 0));
    if (build > 0) {
      seconds.put("build", build);
    }
    seconds.put("start-up", age - build);
  }

  /**
   * Seconds since the process began, to a hundredth. Linux reports both ends by the same clock;
   * Java's own ProcessHandle adds the time of boot, which drifts by half a second and more.
   */
  private static double processAge() {
    try {
      String stat = Files.readString(Path.of("/proc/self/stat"));
      String[] afterName = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      double started = Long.parseLong(afterName[STAT_START_TIME]) / TICKS_PER_SECOND;
      String uptime = Files.readString(Path.of("/proc/uptime"));
      return Double.parseDouble(uptime.substring(0, uptime.indexOf(' '))) - started;
    } catch (IOException e) {
      return ProcessHandle.current()
          .info()
          .startInstant()
          .map(start -> Duration.between(start, Instant.now()).toNanos() / 1e9)
          .orElse(0.0);
    }
  }

  /** Gives the time since the last mark to {@code phase}. */
  public void mark(String phase) {
    long now = System.nanoTime();
    add(phase, (now - markNanos) / 1e9);
    markNanos = now;
  }

  /** Gives {@code elapsed} seconds of the time since the last mark to {@code phase}. */
  public void split(String phase, double elapsed) {
    add(phase, elapsed);
    markNanos += (long) (elapsed * 1e9);
  }

  private void add(String phase, double elapsed) {
    seconds.merge(phase, elapsed, Double::sum);
  }

  /** Seconds of each phase so far, in the order in which they first came. */
  public Map<String, Double> phases() {
    return Collections.unmodifiableMap(seconds);
  }

  /** {@code 2.31 s: start-up 90.0 ms, data 250 ms, ...}. */
  @Override
  public String toString() {
    return Format.seconds(seconds.values().stream().mapToDouble(Double::doubleValue).sum())
        + ": "
        + seconds.entrySet().stream()
            .map(phase -> phase.getKey() + " " + Format.seconds(phase.getValue()))
            .collect(Collectors.joining(", "));
  }
}
