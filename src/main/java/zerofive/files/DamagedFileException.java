package zerofive.files;

/**
 * An unpacked copy of a file is not what its digests say; the packed original may still be good.
 */
public final class DamagedFileException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public DamagedFileException(String message) {
    super(message);
  }
}
