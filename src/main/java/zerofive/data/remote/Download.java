package zerofive.data.remote;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import zerofive.files.FileGuarantees;
import zerofive.files.InputException;
import zerofive.files.OutputException;
import zerofive.files.Sha256;

/**
 * Brings one file over HTTP: from the first mirror that has it, going on where an earlier attempt
 * stopped, no byte more than it shall have, and under its own name only when its SHA-256 is right.
 * Meanwhile there are {@code NAME.part} and {@code NAME.from}, which says where the part is from.
 * {@link HttpURLConnection}, since it costs no further module of Java.
 */
final class Download {
  private static final int CONNECT_MILLIS = 10_000;
  private static final int MAX_REDIRECTS = 5;
  private static final int CHUNK = 1 << 16;
  private static final int RANGE_NOT_SATISFIABLE = 416;
  private static final int TEMPORARY_REDIRECT = 307;
  private static final int PERMANENT_REDIRECT = 308;
  private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d+)-\\d+/(\\d+|\\*)");

  private final RemoteFile file;
  private final Path whole;
  private final Path part;
  private final Path from;
  private final int silenceMillis;
  private final DownloadListener listener;

  /**
   * A file to be put into {@code folder}.
   *
   * @param silenceMillis how long a server may send nothing
   */
  Download(RemoteFile file, Path folder, int silenceMillis, DownloadListener listener) {
    this.file = file;
    this.silenceMillis = silenceMillis;
    this.listener = listener;
    whole = folder.resolve(file.name());
    part = folder.resolve(file.name() + ".part");
    from = folder.resolve(file.name() + ".from");
  }

  /**
   * Returns when the file is there and right, which it may have been before.
   *
   * @throws InputException where no mirror has it; what has come so far stays for another attempt
   * @throws OutputException where it cannot be written
   */
  void run() {
    if (Files.isRegularFile(whole) && isRight(whole)) {
      return;
    }
    Set<String> failures = new LinkedHashSet<>();
    for (String mirror : file.mirrors()) {
      Optional<String> failure = from(mirror);
      if (failure.isEmpty()) {
        return;
      }
      failures.add(RemoteFile.host(mirror) + " " + failure.get());
    }
    throw new InputException(
        file.name()
            + " cannot be fetched: "
            + String.join(", ", failures)
            + "; check the network and try again, or put the file into "
            + whole.getParent()
            + " yourself");
  }

  private boolean isRight(Path path) {
    return size(path) == file.bytes() && Sha256.of(path).equals(file.sha256());
  }

  /** Why this mirror did not have it; nothing where it is here now. */
  private Optional<String> from(String mirror) {
    for (boolean again = true; ; again = false) {
      long offset = size(part);
      try {
        if (offset < file.bytes()) {
          transfer(mirror, offset);
        }
      } catch (IOException e) {
        return Optional.of(reason(e));
      }
      if (isRight(part)) {
        putInPlace();
        return Optional.empty();
      }
      remove();
      if (offset == 0 || !again) {
        return Optional.of("sends something else: its SHA-256 is wrong");
      }
      // The beginning was of another file, or damaged: once more from the start.
    }
  }

  private void transfer(String mirror, long offset) throws IOException {
    HttpURLConnection connection = open(mirror, offset);
    try {
      int status = connection.getResponseCode();
      if (status == RANGE_NOT_SATISFIABLE && offset > 0) {
        remove();
        transfer(mirror, 0);
        return;
      }
      if (status != HttpURLConnection.HTTP_OK && status != HttpURLConnection.HTTP_PARTIAL) {
        String words = Objects.requireNonNullElse(connection.getResponseMessage(), "");
        throw new IOException(
            status < 0 ? "answers without HTTP" : ("answers " + status + " " + words).strip());
      }
      String type = Objects.requireNonNullElse(connection.getContentType(), "");
      if (type.startsWith("text/html")) {
        throw new IOException("sends a web page in its place");
      }
      long start = status == HttpURLConnection.HTTP_PARTIAL ? start(connection, offset) : 0;
      long announced = connection.getContentLengthLong();
      if (announced >= 0 && start + announced != file.bytes()) {
        throw new IOException(
            "announces " + (start + announced) + " bytes, expected " + file.bytes());
      }
      receive(connection, mirror, start);
    } finally {
      connection.disconnect();
    }
  }

  /** Where the piece that is sent begins: at the end of what is here, or it is of no use. */
  private long start(HttpURLConnection connection, long offset) throws IOException {
    String range = Objects.requireNonNullElse(connection.getHeaderField("Content-Range"), "");
    Matcher parsed = CONTENT_RANGE.matcher(range);
    if (!parsed.matches()
        || !parsed.group(1).equals(String.valueOf(offset))
        || !(parsed.group(2).equals("*") || parsed.group(2).equals(String.valueOf(file.bytes())))) {
      throw new IOException("sends another piece than asked for (" + range + ")");
    }
    return offset;
  }

  private void receive(HttpURLConnection connection, String mirror, long start) throws IOException {
    listener.begins(file.name(), RemoteFile.host(mirror), start, file.bytes());
    long have = start;
    try (InputStream body = connection.getInputStream();
        OutputStream out = openPart(start, mirror, connection)) {
      byte[] chunk = new byte[CHUNK];
      for (int got = body.read(chunk); got >= 0; got = body.read(chunk)) {
        if (have + got > file.bytes()) {
          remove();
          throw new IOException("sends more than the " + file.bytes() + " bytes expected");
        }
        write(out, chunk, got);
        have += got;
        listener.reached(have);
      }
    }
    if (have < file.bytes()) {
      throw new IOException("stops after " + have + " of " + file.bytes() + " bytes");
    }
  }

  /** Sends the request, and follows where it is sent on to; web addresses only. */
  private HttpURLConnection open(String mirror, long offset) throws IOException {
    URI target = URI.create(mirror);
    for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
      if (!List.of("http", "https").contains(target.getScheme()) || target.getHost() == null) {
        throw new IOException("sends us on to what is not a web address");
      }
      Optional<Proxy> proxy = Proxies.of(target, System.getenv());
      HttpURLConnection connection =
          (HttpURLConnection)
              (proxy.isPresent()
                  ? target.toURL().openConnection(proxy.get())
                  : target.toURL().openConnection());
      connection.setConnectTimeout(Math.min(CONNECT_MILLIS, silenceMillis));
      connection.setReadTimeout(silenceMillis);
      connection.setInstanceFollowRedirects(false);
      connection.setRequestProperty("User-Agent", "zerofive");
      connection.setRequestProperty("Accept-Encoding", "identity");
      if (offset > 0) {
        connection.setRequestProperty("Range", "bytes=" + offset + "-");
        validator(mirror).ifPresent(seen -> connection.setRequestProperty("If-Range", seen));
      }
      String onward = connection.getHeaderField("Location");
      if (!isRedirect(connection.getResponseCode()) || onward == null) {
        return connection;
      }
      connection.disconnect();
      try {
        target = target.resolve(onward);
      } catch (IllegalArgumentException e) {
        throw new IOException("sends us on to what is not a web address", e);
      }
    }
    throw new IOException("sends us on more than " + MAX_REDIRECTS + " times");
  }

  private static boolean isRedirect(int status) {
    return status == HttpURLConnection.HTTP_MOVED_PERM
        || status == HttpURLConnection.HTTP_MOVED_TEMP
        || status == HttpURLConnection.HTTP_SEE_OTHER
        || status == TEMPORARY_REDIRECT
        || status == PERMANENT_REDIRECT;
  }

  /**
   * What the same mirror called the version that the part is of; other mirrors call it otherwise.
   */
  private Optional<String> validator(String mirror) throws IOException {
    if (!Files.isRegularFile(from)) {
      return Optional.empty();
    }
    List<String> lines = Files.readAllLines(from);
    return lines.size() == 2 && lines.get(0).equals(mirror)
        ? Optional.of(lines.get(1))
        : Optional.empty();
  }

  private OutputStream openPart(long start, String mirror, HttpURLConnection connection) {
    try {
      if (start == 0) {
        String etag = Objects.requireNonNullElse(connection.getHeaderField("ETag"), "W/");
        String seen = etag.startsWith("W/") ? connection.getHeaderField("Last-Modified") : etag;
        Files.deleteIfExists(from);
        if (seen != null) {
          Files.writeString(from, mirror + "\n" + seen + "\n", StandardCharsets.UTF_8);
        }
      }
      return new FileOutputStream(part.toFile(), start > 0);
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  /** Apart from the network's faults: another mirror does not help against a full disk. */
  private void write(OutputStream out, byte[] chunk, int length) {
    try {
      out.write(chunk, 0, length);
    } catch (IOException e) {
      remove();
      throw cannotWrite(e);
    }
  }

  private void putInPlace() {
    try {
      FileGuarantees.sync(part);
      FileGuarantees.replace(part, whole);
      Files.deleteIfExists(from);
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private void remove() {
    try {
      Files.deleteIfExists(part);
      Files.deleteIfExists(from);
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private OutputException cannotWrite(IOException e) {
    return new OutputException(
        part, e, "make room there, or name another place with XDG_CACHE_HOME");
  }

  private static long size(Path path) {
    return path.toFile().length();
  }

  private String reason(IOException e) {
    if (e instanceof UnknownHostException) {
      return "cannot be found, as without a network";
    }
    if (e instanceof SocketTimeoutException) {
      return "says nothing for " + (silenceMillis + 999) / 1000 + " s";
    }
    if (e instanceof ConnectException) {
      return "cannot be reached (" + OutputException.reason(e) + ")";
    }
    return OutputException.reason(e);
  }
}
