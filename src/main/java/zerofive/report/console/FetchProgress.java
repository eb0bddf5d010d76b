package zerofive.report.console;

import java.util.Optional;
import zerofive.data.remote.DownloadListener;

/**
 * Shows how far a fetch has come: a line for each file, and a bar where a person looks on. Where
 * the fetch is stopped it says that nothing is lost.
 */
public final class FetchProgress implements DownloadListener, AutoCloseable {
  private final Terminal terminal;
  private final Thread whenStopped;
  private boolean listening;
  private Optional<Progress> transfer = Optional.empty();

  public FetchProgress(Terminal terminal) {
    this.terminal = terminal;
    whenStopped =
        new Thread(
            () ->
                terminal.fatal(
                    "zerofive: stopped; what was downloaded so far stays, and the next fetch resumes"
                        + " there"));
  }

  @Override
  public void begins(String file, String host, long from, long bytes) {
    transfer.ifPresent(Progress::close);
    if (!listening) {
      Runtime.getRuntime().addShutdownHook(whenStopped);
      listening = true;
    }
    terminal.info(
        "fetching ",
        file
            + ", "
            + Format.bytes(bytes)
            + ", from "
            + host
            + (from > 0 ? ", going on after " + Format.bytes(from) : ""));
    transfer = Optional.of(terminal.transfer(file, from, bytes));
  }

  @Override
  public void reached(long bytes) {
    transfer.ifPresent(shown -> shown.reached(bytes));
  }

  @Override
  public void info(String what) {
    terminal.info("note     ", what);
  }

  @Override
  public void close() {
    transfer.ifPresent(Progress::close);
    transfer = Optional.empty();
    if (listening) {
      try {
        Runtime.getRuntime().removeShutdownHook(whenStopped);
      } catch (IllegalStateException e) {
        // The process is ending: the hook runs.
      }
      listening = false;
    }
  }
}
