package zerofive.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import zerofive.files.OutputException;
import zerofive.report.console.Terminal;

/**
 * What the program tells its user inside a container, where the remedies lie outside.
 *
 * @param engine that made it, as the image's ZEROFIVE_CONTAINER names it: {@code docker}
 */
public record Container(String engine) {
  private static final String USER = "--user \"$(id -u):$(id -g)\"";

  /** The container that this process runs in; none where no image says so. */
  public static Optional<Container> here() {
    return of(System.getenv());
  }

  /** The same for another environment. */
  static Optional<Container> of(Map<String, String> variables) {
    return Optional.ofNullable(variables.get("ZEROFIVE_CONTAINER"))
        .filter(engine -> !engine.isEmpty())
        .map(Container::new);
  }

  /** What starts the image with every GPU. */
  String run() {
    return engine + " run --rm --gpus all " + USER + " -v \"$PWD/runs:/runs\" zerofive train";
  }

  /** What makes the engine hand GPUs through, once NVIDIA's container toolkit is installed. */
  List<String> toolkit() {
    return List.of(
        "sudo nvidia-ctk runtime configure --runtime=" + engine,
        "sudo systemctl restart " + engine);
  }

  /** Tells how a GPU gets into the container. */
  public void print(Terminal terminal) {
    terminal.result("");
    terminal.result("A GPU comes into the container from the host, by");
    terminal.result("  " + run());
    terminal.result(
        "Where that answers 'could not select device driver', NVIDIA's container toolkit is missing");
    terminal.result("there: install nvidia-container-toolkit, then");
    toolkit().forEach(command -> terminal.result("  " + command));
  }

  /** The same for {@code --json}. */
  public record Advice(String engine, String run, List<String> toolkit) {}

  public Advice advice() {
    return new Advice(engine, run(), toolkit());
  }

  /**
   * What else helps against an output that cannot be written: the folders of the host belong to
   * users that the image does not know, and the rest of a container may be read-only.
   */
  Optional<String> remedy(OutputException failure) {
    if (failure.getCause() instanceof AccessDeniedException) {
      return Optional.of(
          "this container runs as user " + user() + ": start it with " + USER + " to be yourself");
    }
    if (String.valueOf(failure.getMessage()).contains("Read-only file system")) {
      return Optional.of(
          "a container keeps what lies in /runs: mount a folder there with -v \"$PWD/runs:/runs\"");
    }
    return Optional.empty();
  }

  /** The number of the user, who need not have a name. */
  private static String user() {
    try {
      return Files.getAttribute(Path.of("/proc/self"), "unix:uid").toString();
    } catch (IOException | UnsupportedOperationException e) {
      return System.getProperty("user.name");
    }
  }
}
