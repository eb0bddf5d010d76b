package zerofive.report.chart;

/**
 * A page as it grows, well-formed as XML too. Markup is ours; names, paths and all else that comes
 * from outside go through {@link #text}.
 */
public final class Html {
  private static final char REPLACEMENT = '\ufffd';

  private final StringBuilder page = new StringBuilder(1 << 17);

  /** Adds markup of ours as it is. */
  public Html raw(String markup) {
    page.append(markup);
    return this;
  }

  /** Adds a number. */
  public Html raw(int number) {
    page.append(number);
    return this;
  }

  /** Adds text that may hold anything, between elements or inside a quoted attribute. */
  public Html text(String text) {
    page.append(escaped(text));
    return this;
  }

  /** The page so far. */
  @Override
  public String toString() {
    return page.toString();
  }

  /**
   * Format for HTML and XML: markup characters as entities, and in place of what XML forbids or
   * what would turn the direction of the text after it, the sign for an unknown character.
   */
  static String escaped(String text) {
    StringBuilder escaped = new StringBuilder(text.length() + 16);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.append(isShown(text, i) ? c : REPLACEMENT);
      }
    }
    return escaped.toString();
  }

  private static boolean isShown(String text, int at) {
    char c = text.charAt(at);
    if (Character.isHighSurrogate(c)) {
      return at + 1 < text.length() && Character.isLowSurrogate(text.charAt(at + 1));
    }
    if (Character.isLowSurrogate(c)) {
      return at > 0 && Character.isHighSurrogate(text.charAt(at - 1));
    }
    boolean turnsDirection = (c >= '\u202a' && c <= '\u202e') || (c >= '\u2066' && c <= '\u2069');
    return !turnsDirection
        && c < '\ufffe'
        && (!Character.isISOControl(c) || c == '\n' || c == '\t' || c == '\r');
  }
}
