package zerofive.backend.cpu;

import java.util.concurrent.CompletableFuture;

/**
 * The threads that compute together: the caller's, and others that serve it in native code until
 * this is closed. Not for several callers at once.
 */
final class Team implements AutoCloseable {
  private final long address;
  private boolean closed;

  /**
   * So many threads; fewer where the system has no more. They all are in native code when this
   * returns: one that were still in Java might wait for a garbage collection, which waits for the
   * arrays that the caller holds while it waits for that thread.
   */
  Team(int threads) {
    CompletableFuture<Long> made = new CompletableFuture<>();
    int members = start(threads, made);
    address = Native.createTeam(members);
    made.complete(address);
    Native.waitReady(address);
  }

  /** How many there are, the caller among them. */
  private static int start(int threads, CompletableFuture<Long> made) {
    int members = 1;
    try {
      while (members < threads) {
        startMember(members, made);
        members++;
      }
    } catch (OutOfMemoryError e) {
      // The system's way to say that there is no thread left. Those that are there will do.
    }
    return members;
  }

  private static void startMember(int member, CompletableFuture<Long> team) {
    Thread thread = new Thread(() -> Native.serve(team.join(), member), "zerofive-" + member);
    thread.setDaemon(true);
    thread.start();
  }

  /** Throws IllegalStateException where it is closed. */
  long address() {
    if (closed) {
      throw new IllegalStateException("the session is closed");
    }
    return address;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Native.stop(address);
    }
  }
}
