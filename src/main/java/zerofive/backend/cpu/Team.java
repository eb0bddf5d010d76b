package zerofive.backend.cpu;

import java.util.concurrent.CompletableFuture;

/**
 * The threads that compute together: the caller's, and others that serve it in native code until
 * this is closed. Not for several callers at once.
 */
final class Team implements AutoCloseable {
  private final long address;
  private boolean closed;

  /** So many threads; fewer where the system has no more. */
  Team(int threads) {
    CompletableFuture<Long> made = new CompletableFuture<>();
    int members = 1;
    try {
      while (members < threads) {
        start(members, made);
        members++;
      }
    } catch (OutOfMemoryError e) {
      // The system's way to say that there is no thread left. Those that are there will do.
      address = Native.createTeam(members);
      made.complete(address);
      return;
    }
    address = Native.createTeam(members);
    made.complete(address);
  }

  private static void start(int member, CompletableFuture<Long> team) {
    Thread thread = new Thread(() -> Native.serve(team.join(), member), "zerofive-" + member);
    thread.setDaemon(true);
    thread.start();
  }

  long address() {
    return address;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Native.dismiss(address);
    }
  }
}
