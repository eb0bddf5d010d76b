package zerofive.data.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.files.PrivateCache;
import zerofive.files.Sha256;

/** Whole data sets: their folders, the archive that several share, two fetches at once. */
class FetchTest {
  private static final int SILENCE_MILLIS = 5000;

  @TempDir private Path temporary;
  private Path root;

  @BeforeEach
  void makeACache() throws IOException {
    root = Files.createDirectory(temporary.resolve("data"));
  }

  private Fetch fetch(TestServer server) {
    return new Fetch(root, Optional.of(server.address()), SILENCE_MILLIS, DownloadListener.NONE);
  }

  private static DataSetRegistry.Entry entry(
      String name, Optional<RemoteFile> archive, RemoteFile file) {
    return new DataSetRegistry.Entry(name, 1, 1, List.of("0", "1"), "none", archive, List.of(file));
  }

  private static RemoteFile file(String name, byte[] content) {
    return new RemoteFile(name, content.length, Sha256.of(content), List.of());
  }

  @Test
  void theMirrorHasTheLayoutOfTheCache() throws IOException {
    byte[] content = {1, 2, 3};
    List<String> paths = new ArrayList<>();
    try (TestServer server =
        new TestServer(
            (path, headers, out) -> {
              paths.add(path);
              TestServer.honest(content).to(path, headers, out);
            })) {
      Path folder = fetch(server).fetch(entry("shoes", Optional.empty(), file("a.gz", content)));
      assertEquals(root.resolve("shoes"), folder);
      assertEquals(List.of("/shoes/a.gz"), paths);
      assertEquals(3, Files.size(folder.resolve("a.gz")));
    }
  }

  @Test
  void anArchiveIsUnpackedForAllItsSetsAndRemoved() throws IOException {
    byte[] zip = archive();
    RemoteFile packed = file("gzip.zip", zip);
    DataSetRegistry.Entry digits = entry("emnist-digits", Optional.of(packed), packed);
    try (TestServer server = new TestServer(TestServer.honest(zip))) {
      fetch(server).fetch(digits);
      for (String set : List.of("emnist-digits", "emnist-letters")) {
        try (Stream<Path> files = Files.list(root.resolve(set))) {
          assertEquals(4 + 1, files.filter(path -> !path.endsWith(".lock")).count(), set);
        }
      }
      assertFalse(Files.exists(root.resolve("emnist/gzip.zip")), "the archive was kept");
      fetch(server).fetch(entry("emnist-letters", Optional.of(packed), packed));
      assertEquals(1, server.requests().size(), "it was fetched for each of its sets");
      Path member = root.resolve("emnist-digits/emnist-digits-test-labels-idx1-ubyte.gz");
      byte[] whole = Files.readAllBytes(member);
      Files.write(member, new byte[whole.length]);
      fetch(server).fetch(digits);
      assertEquals(2, server.requests().size(), "the damage went unnoticed");
      assertEquals(Sha256.of(whole), Sha256.of(member));
    }
  }

  /** By hand, where there is no network. */
  @Test
  void anArchiveThatIsHereAlreadyIsTaken() throws IOException {
    byte[] zip = archive();
    RemoteFile packed = file("gzip.zip", zip);
    Files.createDirectory(root.resolve("emnist"));
    PrivateCache.folder(root.resolve("emnist"));
    Files.write(root.resolve("emnist/gzip.zip"), zip);
    try (TestServer server = new TestServer((path, headers, out) -> out.flush())) {
      fetch(server).fetch(entry("emnist-digits", Optional.of(packed), packed));
      assertEquals(0, server.requests().size());
    }
  }

  @Test
  void twoAtOnceFetchItOnce() throws Exception {
    byte[] content = new byte[1 << 20];
    DataSetRegistry.Entry entry = entry("shoes", Optional.empty(), file("a.gz", content));
    ExecutorService two = Executors.newFixedThreadPool(2);
    try (TestServer server = new TestServer(TestServer.honest(content))) {
      List<Future<Path>> both = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        both.add(two.submit(() -> fetch(server).fetch(entry)));
      }
      for (Future<Path> one : both) {
        assertTrue(Files.isRegularFile(one.get().resolve("a.gz")));
      }
      assertEquals(1, server.requests().size());
    } finally {
      two.shutdown();
    }
  }

  /** Whatever the catalogue says must be whole: every file has a size, a digest and a mirror. */
  @Test
  void theCatalogueIsWhole() {
    for (DataSetRegistry.Entry entry : DataSetRegistry.entries()) {
      assertEquals(entry.classes().size(), entry.classes().stream().distinct().count());
      for (RemoteFile file : entry.files()) {
        assertTrue(file.sha256().matches("[0-9a-f]{64}"), file.name());
        assertTrue(file.mirrors().size() >= 2, file.name());
        assertTrue(file.mirrors().stream().allMatch(url -> url.endsWith("/" + file.name())));
      }
    }
    assertEquals(30_878_645, DataSetRegistry.find("fashion-mnist").orElseThrow().bytes());
  }

  private static byte[] archive() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (String set : List.of("emnist-digits", "emnist-letters")) {
        for (String name : DataSetRegistry.find(set).orElseThrow().members()) {
          zip.putNextEntry(new ZipEntry("gzip/" + name));
          zip.write(name.getBytes(StandardCharsets.UTF_8));
        }
      }
    }
    return bytes.toByteArray();
  }
}
