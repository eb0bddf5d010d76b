package zerofive.backend;

/**
 * The requested device cannot be used. The message is one sentence with the cause and the remedy.
 */
public final class DeviceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public DeviceException(String message) {
    super(message);
  }

  public DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
