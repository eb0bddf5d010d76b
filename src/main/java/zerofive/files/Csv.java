package zerofive.files;

/** Comma-separated values as RFC 4180 has them. */
public final class Csv {
  private Csv() {}

  /** A field as it stands between commas: in quotes where it holds one of them or a line break. */
  public static String field(String text) {
    return text.matches("[^\",\\r\\n]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
  }
}
