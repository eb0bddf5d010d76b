package zerofive.data.remote;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import zerofive.files.InputException;

/**
 * HTTP proxies by the variables that curl and others obey: {@code https_proxy}, {@code http_proxy},
 * {@code all_proxy}, in capitals too (all but {@code HTTP_PROXY}, which a web server may have set),
 * and {@code no_proxy}. A proxy that asks for a password is none for us.
 */
final class Proxies {
  private static final int DEFAULT_PORT = 8080;

  private Proxies() {}

  /** The way to {@code target}: a proxy, or direct as Java's own properties say. */
  static Optional<Proxy> of(URI target, Map<String, String> environment) {
    String scheme = target.getScheme();
    Optional<String> named =
        value(environment, scheme + "_proxy").or(() -> value(environment, "all_proxy"));
    if (named.isEmpty() || isExcepted(target.getHost(), environment)) {
      return Optional.empty();
    }
    String text = named.get();
    try {
      URI proxy = URI.create(text.contains("://") ? text : "http://" + text);
      if (proxy.getHost() != null) {
        int port = proxy.getPort() < 0 ? DEFAULT_PORT : proxy.getPort();
        return Optional.of(
            new Proxy(
                text.startsWith("socks") ? Proxy.Type.SOCKS : Proxy.Type.HTTP,
                InetSocketAddress.createUnresolved(proxy.getHost(), port)));
      }
    } catch (IllegalArgumentException e) {
      throw new InputException(
          "the proxy '" + text + "' is not an address; set " + scheme + "_proxy", e);
    }
    throw new InputException(
        "the proxy '" + text + "' is not an address; set " + scheme + "_proxy");
  }

  private static Optional<String> value(Map<String, String> environment, String name) {
    String capitals = name.equals("http_proxy") ? name : name.toUpperCase(java.util.Locale.ROOT);
    return Optional.ofNullable(environment.getOrDefault(name, environment.get(capitals)))
        .filter(text -> !text.isBlank());
  }

  private static boolean isExcepted(String host, Map<String, String> environment) {
    String exceptions = value(environment, "no_proxy").orElse("");
    return Arrays.stream(exceptions.split(",", -1))
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .map(name -> name.startsWith(".") ? name.substring(1) : name)
        .anyMatch(name -> name.equals("*") || host.equals(name) || host.endsWith("." + name));
  }
}
