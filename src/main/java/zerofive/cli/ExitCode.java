package zerofive.cli;

/** What the process ends with; 143 after SIGTERM and 130 after Ctrl-C are the JVM's own. */
public final class ExitCode {
  public static final int DONE = 0;
  public static final int DEFECT = 1;
  public static final int USAGE = 2;
  public static final int INPUT = 3;
  public static final int DEVICE = 4;
  public static final int DIVERGED = 5;
  public static final int OUTPUT = 6;
  public static final int DIFFERENT = 7;
  public static final int INTERRUPTED = 130;

  private ExitCode() {}
}
