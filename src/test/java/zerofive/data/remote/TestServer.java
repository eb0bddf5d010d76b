package zerofive.data.remote;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** A web server on this machine that may answer whatever it likes, lies included. */
public final class TestServer implements AutoCloseable {
  /** Answers one request. */
  public interface Answer {
    /**
     * Writes status line, headers and body.
     *
     * @param path that is asked for
     * @param headers of the request, their names in lower case
     */
    void to(String path, Map<String, String> headers, OutputStream out) throws IOException;
  }

  private final ServerSocket listening;
  private final Answer answer;
  private final List<Map<String, String>> requests = new CopyOnWriteArrayList<>();

  public TestServer(Answer answer) {
    this.answer = answer;
    try {
      listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread acceptor = new Thread(this::accept, "test server");
    acceptor.setDaemon(true);
    acceptor.start();
  }

  /** Sends {@code body}, or the piece of it that is asked for. */
  public static Answer honest(byte[] body) {
    return (path, headers, out) -> {
      String range = headers.get("range");
      if (range == null) {
        send(out, "200 OK", body, body.length, "ETag: \"1\"");
        return;
      }
      int from = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
      byte[] piece = Arrays.copyOfRange(body, from, body.length);
      String place = "Content-Range: bytes " + from + "-" + (body.length - 1) + "/" + body.length;
      send(out, "206 Partial Content", piece, piece.length, place);
    };
  }

  /** Writes a whole answer whose header claims {@code length} bytes. */
  public static void send(OutputStream out, String status, byte[] body, long length, String header)
      throws IOException {
    String head =
        "HTTP/1.1 " + status + "\r\nContent-Length: " + length + "\r\n" + header + "\r\n\r\n";
    out.write(head.getBytes(StandardCharsets.ISO_8859_1));
    out.write(body);
  }

  /** {@code http://HOST:PORT/}. */
  public String address() {
    return "http://localhost:" + listening.getLocalPort() + "/";
  }

  /** The headers of the requests so far. */
  public List<Map<String, String>> requests() {
    return requests;
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket socket = listening.accept();
        Thread one = new Thread(() -> serve(socket), "test server");
        one.setDaemon(true);
        one.start();
      } catch (IOException e) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
      String request = in.readLine();
      if (request == null) {
        return;
      }
      Map<String, String> headers = new HashMap<>();
      for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
        int colon = line.indexOf(':');
        headers.put(
            line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
      }
      requests.add(headers);
      answer.to(request.split(" ", -1)[1], headers, socket.getOutputStream());
      socket.getOutputStream().flush();
    } catch (IOException e) {
      // The client has left, as some of the answers here make it do.
    }
  }

  @Override
  public void close() {
    try {
      listening.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
