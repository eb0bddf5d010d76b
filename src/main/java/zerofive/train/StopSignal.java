package zerofive.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns Ctrl-C and SIGTERM into a wish to stop. The JVM answers both by running its shutdown hooks
 * and then exiting with 130 or 143; the hook here makes it wait until the training has saved its
 * checkpoint.
 */
public final class StopSignal implements AutoCloseable {
  /** A container's engine kills 10 s after SIGTERM; the user wants an answer sooner. */
  private static final long PATIENCE_SECONDS = 4;

  private final CountDownLatch saved = new CountDownLatch(1);
  private final Thread hook = new Thread(this::waitUntilSaved, "stop-signal");
  private volatile boolean requested;

  /** Starts to listen. */
  public static StopSignal install() {
    StopSignal signal = new StopSignal();
    Runtime.getRuntime().addShutdownHook(signal.hook);
    return signal;
  }

  /** Whether the user or the system wants an end. */
  public boolean requested() {
    return requested;
  }

  /** Wishes for an end, as a signal does. */
  public void request() {
    requested = true;
  }

  private void waitUntilSaved() {
    request();
    try {
      boolean inTime = saved.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (!inTime) {
        System.err.println(
            "zerofive: the epoch under way takes too long to wait for; the run goes on from its last"
                + " checkpoint");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Says that all is saved, and stops listening. */
  @Override
  public void close() {
    saved.countDown();
    if (!requested) {
      Runtime.getRuntime().removeShutdownHook(hook);
    }
  }
}
