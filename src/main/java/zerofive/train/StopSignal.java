package zerofive.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Turns Ctrl-C and SIGTERM into a wish to stop. The JVM answers both by running its shutdown hooks
 * and then exiting with 130 or 143; the hook here makes it wait until the training has saved its
 * checkpoint.
 */
public final class StopSignal implements AutoCloseable {
  /** After so long without an end a message announces one. */
  private static final long QUIET_MILLIS = 300;

  /** A container's engine kills 10 s after SIGTERM; the user wants an answer sooner. */
  private static final long PATIENCE_MILLIS = 4000;

  private final BooleanSupplier asked;
  private final Runnable whenSlow;
  private final Runnable whenTooSlow;
  private final CountDownLatch saved = new CountDownLatch(1);
  private final Thread hook = new Thread(this::waitUntilSaved, "stop-signal");
  private volatile boolean requested;

  private StopSignal(BooleanSupplier asked, Runnable whenSlow, Runnable whenTooSlow) {
    this.asked = asked;
    this.whenSlow = whenSlow;
    this.whenTooSlow = whenTooSlow;
  }

  /**
   * Starts to listen. Where the process is ending already, this waits for its end: nothing may
   * begin that nobody would wait for.
   *
   * @param whenSlow run where saving takes long enough for the user to wonder
   * @param whenTooSlow run before the process ends without it
   */
  public static StopSignal install(Runnable whenSlow, Runnable whenTooSlow) {
    StopSignal signal = new StopSignal(() -> false, whenSlow, whenTooSlow);
    try {
      Runtime.getRuntime().addShutdownHook(signal.hook);
    } catch (IllegalStateException shutdownHasBegun) {
      while (true) {
        LockSupport.park(signal);
      }
    }
    return signal;
  }

  /**
   * A signal that listens to no process: for a training inside another program, which knows itself
   * when to stop.
   *
   * @param asked whether it wants an end; asked from the threads that train
   */
  public static StopSignal asking(BooleanSupplier asked) {
    return new StopSignal(asked, () -> {}, () -> {});
  }

  /** Whether the user or the system wants an end. */
  public boolean requested() {
    return requested || asked.getAsBoolean();
  }

  /** Wishes for an end, as a signal does. */
  public void request() {
    requested = true;
  }

  private void waitUntilSaved() {
    request();
    try {
      if (saved.await(QUIET_MILLIS, TimeUnit.MILLISECONDS)) {
        return;
      }
      whenSlow.run();
      if (!saved.await(PATIENCE_MILLIS - QUIET_MILLIS, TimeUnit.MILLISECONDS)) {
        whenTooSlow.run();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Says that all is saved, and stops listening. */
  @Override
  public void close() {
    saved.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shutdownHasBegun) {
      request();
    }
  }
}
