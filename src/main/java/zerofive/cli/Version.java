package zerofive.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * What this program is.
 *
 * @param number of the release
 * @param commit it was built from; {@code unknown} outside the launcher's build
 */
record Version(String number, String commit) {
  static Version read() {
    Properties properties = new Properties();
    try (InputStream stream = Version.class.getResourceAsStream("/zerofive/version.properties")) {
      properties.load(stream);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Version(properties.getProperty("version"), properties.getProperty("commit"));
  }

  @Override
  public String toString() {
    return "zerofive " + number + " (" + commit + ")";
  }
}
