package zerofive.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * What this program is.
 *
 * @param number of the release
 * @param commit of its sources: that of the checkout, which the launcher passes on, else that which
 *     the build was given
 */
public record Version(String number, String commit) {
  public static Version read() {
    Properties properties = new Properties();
    try (InputStream stream = Version.class.getResourceAsStream("/zerofive/version.properties")) {
      properties.load(stream);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String checkout = System.getProperty("zerofive.commit", "");
    return new Version(
        properties.getProperty("version"),
        checkout.isEmpty() ? properties.getProperty("commit") : checkout);
  }

  @Override
  public String toString() {
    return "zerofive " + number + " (" + commit + ")";
  }
}
