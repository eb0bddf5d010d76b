package zerofive.cli;

/** What the process ends with; 143 after SIGTERM and 130 after Ctrl-C are the JVM's own. */
final class ExitCode {
  static final int DONE = 0;
  static final int DEFECT = 1;
  static final int USAGE = 2;
  static final int INPUT = 3;
  static final int DEVICE = 4;
  static final int DIVERGED = 5;
  static final int OUTPUT = 6;
  static final int INTERRUPTED = 130;

  private ExitCode() {}
}
