package zerofive.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs {@code ./zerofive} as a user does: a process of its own, its streams kept apart. */
final class Launcher {
  static final Path HOME = Path.of(System.getProperty("zerofive.home", "."));
  private static final long LIMIT_SECONDS = 120;

  /** What a finished process left. */
  record Result(int code, String out, String err) {
    List<String> outLines() {
      return out.lines().toList();
    }
  }

  /** A process that runs. */
  record Running(Process process, Path out, Path err) {
    Result await() {
      try {
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new AssertionError("still running after " + LIMIT_SECONDS + " s");
        }
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    /** Sends a signal by name: {@code INT}, {@code TERM}, {@code KILL}. */
    void signal(String name) {
      start(List.of("kill", "-" + name, String.valueOf(process.pid())), HOME, Map.of()).await();
    }
  }

  static {
    // Builds where it must, so that no test's output has the build's messages in it.
    Result built = run(HOME, "--version");
    if (built.code() != 0) {
      throw new AssertionError(built.err());
    }
  }

  private Launcher() {}

  /** Runs the launcher in {@code folder} to its end. */
  static Result run(Path folder, String... arguments) {
    return start(folder, arguments).await();
  }

  /** Runs the launcher in {@code folder} with some variables of the environment more. */
  static Result run(Map<String, String> variables, Path folder, String... arguments) {
    return start(variables, folder, arguments).await();
  }

  /** Starts the launcher in {@code folder} with some variables of the environment more. */
  static Running start(Map<String, String> variables, Path folder, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(HOME.resolve("zerofive").toAbsolutePath().toString());
    command.addAll(List.of(arguments));
    Map<String, String> environment = new HashMap<>(environment());
    environment.putAll(variables);
    return start(command, folder, environment);
  }

  /** Starts the launcher in {@code folder}. */
  static Running start(Path folder, String... arguments) {
    return start(HOME, folder, arguments);
  }

  /** Starts the launcher of the checkout {@code home} in {@code folder}. */
  static Running start(Path home, Path folder, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(home.resolve("zerofive").toAbsolutePath().toString());
    command.addAll(List.of(arguments));
    return start(command, folder, environment());
  }

  /** Runs a line of shell in {@code folder}; {@code $ZEROFIVE} is the launcher. */
  static Result shell(Path folder, String line) {
    return start(List.of("sh", "-c", line), folder, environment()).await();
  }

  /** A nested Maven takes its plugins from where this one has them. */
  private static Map<String, String> environment() {
    String repository = System.getProperty("zerofive.repository");
    String launcher = HOME.resolve("zerofive").toAbsolutePath().toString();
    return repository == null
        ? Map.of("ZEROFIVE", launcher)
        : Map.of("ZEROFIVE", launcher, "MAVEN_OPTS", "-Dmaven.repo.local=" + repository);
  }

  private static Running start(List<String> command, Path folder, Map<String, String> environment) {
    try {
      Path out = Files.createTempFile("zerofive", ".out");
      Path err = Files.createTempFile("zerofive", ".err");
      out.toFile().deleteOnExit();
      err.toFile().deleteOnExit();
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      builder.environment().putAll(environment);
      return new Running(builder.start(), out, err);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
