package zerofive.backend.jvm;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * The threads that compute together: the caller's, and daemons that serve it until this is closed.
 * Not for several callers at once. A job has as many parts as there are threads, and each thread
 * takes the next part that is left: so one that lost its core to another program keeps nobody
 * waiting. Between two jobs there are microseconds, so a thread that waits spins for a while, then
 * yields, and sleeps only when nothing comes.
 */
final class Team implements AutoCloseable {
  private static final int SPINS = 400;
  private static final int YIELDS = 2_000;

  private final Thread[] threads;

  /** The number of the present job in the upper half, that of its next part in the lower. */
  private final AtomicLong next = new AtomicLong();

  /** Parts of the present job that are done. */
  private final AtomicInteger done = new AtomicInteger();

  private volatile boolean closed;
  private volatile Throwable failure;
  private IntConsumer job;

  /** So many threads; fewer where the system has no more. */
  Team(int members) {
    Thread[] started = new Thread[members - 1];
    int count = 0;
    try {
      for (; count < started.length; count++) {
        started[count] = new Thread(this::serve, "zerofive-" + (count + 1));
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

  /** Where a member's part of {@code count} things starts; that of the next is its end. */
  int start(int count, int member) {
    return (int) ((long) count * member / members());
  }

  /** Throws IllegalStateException where it is closed. */
  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the session is closed");
    }
  }

  /** Runs every part of a job, which is given the part's number, and returns when all are done. */
  void run(IntConsumer parts) {
    requireOpen();
    job = parts;
    done.set(0);
    takeParts(publish());
    for (int waits = 0; done.get() < members(); waits++) {
      pause(waits);
    }
    Throwable thrown = failure;
    failure = null;
    if (thrown instanceof Error error) {
      throw error;
    } else if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
  }

  /** Begins a job and returns its number. */
  private long publish() {
    long number = (next.get() >>> Integer.SIZE) + 1;
    next.set(number << Integer.SIZE);
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
    return number;
  }

  private void takeParts(long number) {
    for (long left = next.get(); left >>> Integer.SIZE == number; left = next.get()) {
      int part = (int) left;
      if (closed || part >= members()) {
        return;
      }
      if (next.compareAndSet(left, left + 1)) {
        try {
          job.accept(part);
        } catch (RuntimeException | Error e) {
          failure = e;
        }
        done.incrementAndGet();
      }
    }
  }

  private void serve() {
    long seen = 0;
    while (!closed) {
      for (int waits = 0; next.get() >>> Integer.SIZE == seen; waits++) {
        if (waits < SPINS + YIELDS) {
          pause(waits);
        } else {
          LockSupport.park(this);
        }
      }
      seen = next.get() >>> Integer.SIZE;
      takeParts(seen);
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
      publish();
    }
  }
}
