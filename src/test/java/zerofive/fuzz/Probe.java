package zerofive.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import zerofive.files.InputException;

/** Runs a parser on some bytes, and fails where it does anything but read or refuse them. */
final class Probe {
  /** Processor time that one input may take, in nanoseconds. */
  private static final long MAX_NANOS = 1_000_000_000;

  /** The first time classes are loaded, and the machine may be busy; the best of these counts. */
  private static final int ATTEMPTS = 3;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final FuzzTarget target;
  private final Path folder;

  /** Gives {@code target} files in {@code folder}. */
  Probe(FuzzTarget target, Path folder) {
    this.target = target;
    this.folder = folder;
  }

  /**
   * Why {@code input} was refused; empty where it was read.
   *
   * @throws AssertionError where it took too long or too much memory, or was refused in no sentence
   */
  String run(byte[] input) throws IOException {
    String fault = "";
    for (int i = 0; i < ATTEMPTS; i++) {
      long allocated = THREADS.getCurrentThreadAllocatedBytes();
      long start = THREADS.getCurrentThreadCpuTime();
      String refusal = parse(input);
      long nanos = THREADS.getCurrentThreadCpuTime() - start;
      allocated = THREADS.getCurrentThreadAllocatedBytes() - allocated;
      if (nanos <= MAX_NANOS && allocated <= target.maxAllocated(input)) {
        return refusal;
      }
      fault =
          String.format(
              "%s took %d ms of at most %d and allocated %d bytes of at most %d",
              target,
              nanos / 1_000_000,
              MAX_NANOS / 1_000_000,
              allocated,
              target.maxAllocated(input));
    }
    throw new AssertionError(fault);
  }

  private String parse(byte[] input) throws IOException {
    try {
      target.parse(folder, input);
      return "";
    } catch (InputException e) {
      FuzzTarget.checkSentence(folder, e);
      return e.getMessage();
    }
  }
}
