package zerofive.backend.jvm;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * The threads that compute together: the caller's, and daemons that serve it until this is closed.
 * Not for several callers at once. Between two jobs there are microseconds, so a thread that waits
 * spins for a while, then yields, and sleeps only when nothing comes.
 */
final class Team implements AutoCloseable {
  private static final int SPINS = 400;
  private static final int YIELDS = 2_000;

  private final Thread[] threads;
  private final AtomicInteger working = new AtomicInteger();
  private final AtomicInteger jobs = new AtomicInteger();
  private volatile boolean closed;
  private volatile Throwable failure;
  private IntConsumer job;

  /** So many threads; fewer where the system has no more. */
  Team(int members) {
    Thread[] started = new Thread[members - 1];
    int count = 0;
    try {
      for (; count < started.length; count++) {
        int member = count + 1;
        started[count] = new Thread(() -> serve(member), "zerofive-" + member);
        started[count].setDaemon(true);
        started[count].start();
      }
    } catch (OutOfMemoryError e) {
      // The system's way to say that there is no thread left. Those that are there will do.
    }
    threads = Arrays.copyOf(started, count);
  }

  /** How many there are, the caller among them. */
  int members() {
    return threads.length + 1;
  }

  /** Where the part of a member of {@code count} things starts; that of the next is its end. */
  int start(int count, int member) {
    return (int) ((long) count * member / members());
  }

  /** Throws IllegalStateException where it is closed. */
  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the session is closed");
    }
  }

  /** Runs one job in every member, which is given its number, and returns when all have done it. */
  void run(IntConsumer next) {
    requireOpen();
    job = next;
    working.set(threads.length);
    jobs.incrementAndGet();
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
    try {
      next.accept(0);
    } finally {
      for (int waits = 0; working.get() > 0; waits++) {
        pause(waits);
      }
    }
    Throwable thrown = failure;
    failure = null;
    if (thrown instanceof Error error) {
      throw error;
    } else if (thrown != null) {
      throw new IllegalStateException("a thread of the session failed", thrown);
    }
  }

  private void serve(int member) {
    int done = 0;
    while (true) {
      for (int waits = 0; jobs.get() == done; waits++) {
        if (waits < SPINS + YIELDS) {
          pause(waits);
        } else {
          LockSupport.park(this);
        }
      }
      done++;
      if (closed) {
        return;
      }
      try {
        job.accept(member);
      } catch (RuntimeException | Error e) {
        failure = e;
      }
      working.decrementAndGet();
    }
  }

  @SuppressWarnings(
      "ThreadPriorityCheck") // It decides when a thread goes on, never what it computes.
  private static void pause(int waits) {
    if (waits < SPINS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      jobs.incrementAndGet();
      for (Thread thread : threads) {
        LockSupport.unpark(thread);
      }
    }
  }
}
