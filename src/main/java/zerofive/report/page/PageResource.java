package zerofive.report.page;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The parts of pages that are files of their own: style sheets, scripts, markup. */
final class PageResource {
  private PageResource() {}

  /** The text of a file that stands beside the others in the program. */
  static String read(String name) {
    try (InputStream stream =
        PageResource.class.getResourceAsStream("/zerofive/report/page/" + name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
