package zerofive.data.remote;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.Refusal;
import zerofive.files.OutputException;
import zerofive.files.Sha256;

/** One file from servers that serve it, and from those that lie, stop, hang and forget. */
class DownloadTest {
  private static final int SILENCE_MILLIS = 500;
  private static final byte[] CONTENT = new byte[300_000];

  static {
    new Random(5).nextBytes(CONTENT);
  }

  @TempDir private Path folder;

  private void fetch(TestServer... servers) {
    List<String> mirrors =
        Stream.of(servers).map(server -> server.address() + "images.gz").toList();
    RemoteFile file = new RemoteFile("images.gz", CONTENT.length, Sha256.of(CONTENT), mirrors);
    new Download(file, folder, SILENCE_MILLIS, DownloadListener.NONE).run();
  }

  private Refusal refused(TestServer.Answer answer) {
    try (TestServer server = new TestServer(answer)) {
      Refusal refusal =
          Refusal.of(() -> fetch(server))
              .saying("images.gz cannot be fetched: localhost:", folder.toString());
      assertFalse(Files.exists(folder.resolve("images.gz")), "something was put in place");
      return refusal;
    }
  }

  private void assertWhole() throws IOException {
    assertArrayEquals(CONTENT, Files.readAllBytes(folder.resolve("images.gz")));
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(1, files.count(), "something was left beside the file");
    }
  }

  /** What an attempt that was stopped leaves, {@code length} bytes of it right. */
  private void leavePart(int length) throws IOException {
    Files.write(folder.resolve("images.gz.part"), Arrays.copyOf(CONTENT, length));
  }

  @Test
  void anHonestServersFileIsTaken() throws IOException {
    try (TestServer server = new TestServer(TestServer.honest(CONTENT))) {
      fetch(server);
      assertWhole();
      fetch(server);
      assertEquals(1, server.requests().size(), "what is here was fetched again");
    }
  }

  @Test
  void aFileThatIsHereButDamagedIsFetchedAgain() throws IOException {
    byte[] damaged = CONTENT.clone();
    damaged[7]++;
    Files.write(folder.resolve("images.gz"), damaged);
    try (TestServer server = new TestServer(TestServer.honest(CONTENT))) {
      fetch(server);
    }
    assertWhole();
  }

  @Test
  void itGoesOnWhereItStopped() throws IOException {
    leavePart(123_456);
    try (TestServer server = new TestServer(TestServer.honest(CONTENT))) {
      fetch(server);
      assertEquals("bytes=123456-", server.requests().get(0).get("range"));
    }
    assertWhole();
  }

  @Test
  void aPartOfTheSameMirrorIsGoneOnWithOnlyIfTheFileIsStillTheSame() throws IOException {
    TestServer.Answer stops =
        (path, headers, out) -> {
          if (headers.get("range") == null) {
            TestServer.send(
                out, "200 OK", Arrays.copyOf(CONTENT, 100_000), CONTENT.length, "ETag: \"first\"");
          } else {
            TestServer.honest(CONTENT).to(path, headers, out);
          }
        };
    try (TestServer server = new TestServer(stops)) {
      Refusal.of(() -> fetch(server)).saying("stops after 100000 of 300000 bytes");
      assertEquals(100_000, Files.size(folder.resolve("images.gz.part")));
      fetch(server);
      assertEquals("\"first\"", server.requests().get(1).get("if-range"));
    }
    assertWhole();
  }

  @Test
  void aServerThatIgnoresTheRangeStartsAnew() throws IOException {
    leavePart(1000);
    try (TestServer server =
        new TestServer(
            (path, headers, out) ->
                TestServer.send(out, "200 OK", CONTENT, CONTENT.length, "X: 1"))) {
      fetch(server);
    }
    assertWhole();
  }

  @Test
  void aPartOfAnotherFileIsDroppedAndTheWholeFetched() throws IOException {
    Files.write(folder.resolve("images.gz.part"), new byte[5000]);
    try (TestServer server = new TestServer(TestServer.honest(CONTENT))) {
      fetch(server);
      assertEquals(2, server.requests().size());
    }
    assertWhole();
  }

  @Test
  void aPartThatTheServerCannotGoOnWithIsDropped() throws IOException {
    leavePart(2000);
    try (TestServer server =
        new TestServer(
            (path, headers, out) -> {
              if (headers.get("range") != null) {
                TestServer.send(out, "416 Range Not Satisfiable", new byte[0], 0, "X: 1");
              } else {
                TestServer.honest(CONTENT).to(path, headers, out);
              }
            })) {
      fetch(server);
    }
    assertWhole();
  }

  @Test
  void aPartThatIsLongerThanTheFileIsDropped() throws IOException {
    Files.write(folder.resolve("images.gz.part"), new byte[CONTENT.length + 1]);
    try (TestServer server = new TestServer(TestServer.honest(CONTENT))) {
      fetch(server);
    }
    assertWhole();
  }

  @Test
  void theNextMirrorGoesOnWhereTheFirstStopped() throws IOException {
    try (TestServer first =
            new TestServer(
                (path, headers, out) ->
                    TestServer.send(
                        out,
                        "200 OK",
                        Arrays.copyOf(CONTENT, 777),
                        CONTENT.length,
                        "ETag: \"a\""));
        TestServer second = new TestServer(TestServer.honest(CONTENT))) {
      fetch(first, second);
      assertEquals("bytes=777-", second.requests().get(0).get("range"));
      assertEquals(null, second.requests().get(0).get("if-range"), "another mirror's version");
    }
    assertWhole();
  }

  @Test
  void aPieceFromAnotherPlaceIsRefused() throws IOException {
    leavePart(1000);
    refused(
            (path, headers, out) ->
                TestServer.send(
                    out,
                    "206 Partial Content",
                    CONTENT,
                    CONTENT.length,
                    "Content-Range: bytes 0-299999/300000"))
        .saying("sends another piece than asked for");
  }

  @Test
  void aServerThatAnnouncesAnotherLengthIsRefusedUnread() {
    refused(
            (path, headers, out) ->
                TestServer.send(out, "200 OK", new byte[10], 9_999_999_999L, "X: 1"))
        .saying("announces 9999999999 bytes, expected 300000");
    assertFalse(Files.exists(folder.resolve("images.gz.part")));
  }

  @Test
  void aServerThatSendsMoreThanExpectedIsCutOff() {
    refused(
            (path, headers, out) -> {
              out.write("HTTP/1.0 200 OK\r\n\r\n".getBytes(StandardCharsets.UTF_8));
              for (int i = 0; i < 1000; i++) {
                out.write(CONTENT);
              }
            })
        .saying("sends more than the 300000 bytes expected");
    assertFalse(Files.exists(folder.resolve("images.gz.part")), "too much was kept");
  }

  @Test
  void aWebPageInItsPlaceIsRefused() {
    refused(
            (path, headers, out) ->
                TestServer.send(
                    out,
                    "200 OK",
                    new byte[CONTENT.length],
                    CONTENT.length,
                    "Content-Type: text/html; charset=utf-8"))
        .saying("sends a web page in its place");
  }

  @Test
  void otherBytesOfTheRightLengthAreRefused() {
    refused(TestServer.honest(new byte[CONTENT.length])).saying("its SHA-256 is wrong");
    assertFalse(Files.exists(folder.resolve("images.gz.part")));
  }

  @Test
  void aServerThatHangsIsLeft() {
    refused((path, headers, out) -> pause()).saying("says nothing for 1 s");
    refused(
            (path, headers, out) -> {
              TestServer.send(out, "200 OK", new byte[10], CONTENT.length, "X: 1");
              out.flush();
              pause();
            })
        .saying("says nothing for 1 s");
  }

  private static void pause() {
    try {
      Thread.sleep(4L * SILENCE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aServerThatHasItNotIsToldByItsAnswer() {
    refused((path, headers, out) -> TestServer.send(out, "404 Not Found", new byte[0], 0, "X: 1"))
        .saying("answers 404 Not Found");
    refused((path, headers, out) -> out.write("garbage\r\n\r\n".getBytes(StandardCharsets.UTF_8)))
        .saying("answers without HTTP");
    refused((path, headers, out) -> out.flush());
  }

  @Test
  void noServerAndNoNetworkAreToldWithWhereToPutTheFile() {
    String closed;
    try (TestServer server = new TestServer((path, headers, out) -> out.flush())) {
      closed = server.address();
    }
    RemoteFile file =
        new RemoteFile(
            "images.gz",
            CONTENT.length,
            Sha256.of(CONTENT),
            List.of(closed, "http://no-such-host.invalid/images.gz"));
    Refusal.of(() -> new Download(file, folder, SILENCE_MILLIS, DownloadListener.NONE).run())
        .saying(
            "localhost:",
            "cannot be reached (Connection refused)",
            "no-such-host.invalid cannot be found, as without a network",
            "put the file into " + folder);
  }

  @Test
  void redirectionsAreFollowedButNotForEver() throws IOException {
    try (TestServer last = new TestServer(TestServer.honest(CONTENT));
        TestServer first =
            new TestServer(
                (path, headers, out) ->
                    TestServer.send(
                        out, "302 Found", new byte[0], 0, "Location: " + last.address() + "x"))) {
      fetch(first);
    }
    assertWhole();
    Files.delete(folder.resolve("images.gz"));
    refused(
            (path, headers, out) ->
                TestServer.send(out, "301 Moved", new byte[0], 0, "Location: /again"))
        .saying("sends us on more than 5 times");
    refused(
            (path, headers, out) ->
                TestServer.send(out, "302 Found", new byte[0], 0, "Location: file:///etc/passwd"))
        .saying("sends us on to what is not a web address");
  }

  @Test
  void aFolderThatCannotBeWrittenIsTheOutputsFault() throws IOException {
    Files.createDirectory(folder.resolve("images.gz.part"));
    Files.createFile(folder.resolve("images.gz.part/in-the-way"));
    try (TestServer server = new TestServer(TestServer.honest(CONTENT))) {
      String message = assertThrows(OutputException.class, () -> fetch(server)).getMessage();
      assertTrue(message.contains("images.gz.part cannot be written"), message);
    }
  }

  @Test
  void proxiesComeFromTheUsualVariables() {
    URI plain = URI.create("http://data.example.org/x");
    URI secret = URI.create("https://data.example.org/x");
    Proxy proxy =
        new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved("proxy.example.com", 3128));
    assertEquals(Optional.empty(), Proxies.of(plain, Map.of()));
    assertEquals(
        Optional.of(proxy),
        Proxies.of(plain, Map.of("http_proxy", "http://proxy.example.com:3128/")));
    assertEquals(
        Optional.of(proxy), Proxies.of(secret, Map.of("HTTPS_PROXY", "proxy.example.com:3128")));
    assertEquals(
        Optional.empty(), Proxies.of(secret, Map.of("http_proxy", "proxy.example.com:3128")));
    assertEquals(
        Optional.empty(),
        Proxies.of(
            secret,
            Map.of("all_proxy", "http://proxy.example.com:3128", "no_proxy", "a.b, .example.org")));
    assertEquals(
        Optional.of(proxy),
        Proxies.of(
            secret, Map.of("all_proxy", "http://proxy.example.com:3128", "no_proxy", "ample.org")));
    Refusal.of(() -> Proxies.of(plain, Map.of("http_proxy", "http://:")))
        .saying("the proxy 'http://:'", "set http_proxy");
  }
}
