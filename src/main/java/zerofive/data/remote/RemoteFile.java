package zerofive.data.remote;

import java.net.URI;
import java.util.List;

/**
 * A file to be fetched.
 *
 * @param name what it is called
 * @param bytes its size
 * @param sha256 of its bytes, in hexadecimal
 * @param mirrors where it is, as URLs, in order of preference
 */
public record RemoteFile(String name, long bytes, String sha256, List<String> mirrors) {
  /** A mirror's host, for messages. */
  static String host(String url) {
    return URI.create(url).getAuthority();
  }
}
