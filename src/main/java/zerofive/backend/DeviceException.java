package zerofive.backend;

/**
 * The requested device cannot be used. The message is one sentence with the cause and the remedy.
 */
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final String reason;
  private final String remedy;

  public DeviceException(String message) {
    this(message, null);
  }

  public DeviceException(String message, Throwable cause) {
    super(message, cause);
    this.reason = message;
    this.remedy = "";
  }

  /** The same sentence in two halves, which a probe tells apart. */
  public DeviceException(String reason, String remedy, Throwable cause) {
    super(reason.concat("; ").concat(remedy), cause);
    this.reason = reason;
    this.remedy = remedy;
  }

  /** As the answer of a probe. */
  public Availability availability() {
    return Availability.unusable(reason, remedy);
  }
}
