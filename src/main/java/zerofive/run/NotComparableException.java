package zerofive.run;

/**
 * Results cannot be compared, or stand in one table, since their bits were computed in different
 * ways. The message is one sentence with the reason and a remedy.
 */
public final class NotComparableException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public NotComparableException(String message) {
    super(message);
  }
}
