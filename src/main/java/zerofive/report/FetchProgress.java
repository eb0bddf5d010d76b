package zerofive.report;

import java.util.Optional;
import zerofive.data.FetchWatcher;

/** Shows how far a fetch has come: a line for each file, and a bar where a person looks on. */
public final class FetchProgress implements FetchWatcher, AutoCloseable {
  private final Terminal terminal;
  private Optional<Progress> transfer = Optional.empty();

  public FetchProgress(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public void begins(String file, String host, long bytes) {
    close();
    terminal.note("fetching ", file + ", " + Text.bytes(bytes) + ", from " + host);
    transfer = Optional.of(terminal.transfer(file, bytes));
  }

  @Override
  public void reached(long bytes) {
    transfer.ifPresent(shown -> shown.reached(bytes));
  }

  @Override
  public void note(String what) {
    terminal.note("note     ", what);
  }

  @Override
  public void close() {
    transfer.ifPresent(Progress::close);
    transfer = Optional.empty();
  }
}
