package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.image.ImageFile;
import zerofive.data.remote.TestServer;
import zerofive.report.chart.Png;

/** {@code data} through the real launcher, with a cache and a mirror of its own. */
class DataIT {
  private static final Path DEBIAN = Path.of("/usr/share/datasets/fashion-mnist");

  /** When the originals were packed, which Debian leaves out of them, in seconds since 1970. */
  private static final int TRAIN_PACKED = 1504176606;

  private static final int VALID_PACKED = 1504176627;

  @TempDir Path folder;

  private Map<String, String> environment(String mirror) {
    return Map.of("XDG_CACHE_HOME", folder.resolve("cache").toString(), "ZEROFIVE_MIRROR", mirror);
  }

  private static void assertRefused(int code, Launcher.Result result, String... parts) {
    assertEquals(code, result.code(), result.err());
    assertEquals("", result.out());
    List<String> errors =
        result.err().lines().filter(line -> line.startsWith("zerofive: ")).toList();
    assertEquals(1, errors.size(), result.err());
    for (String part : parts) {
      assertTrue(errors.get(0).contains(part), errors.get(0));
    }
  }

  @Test
  void listTellsWhatThereIs() {
    Launcher.Result list = Launcher.run(environment(""), folder, "data", "list");
    assertEquals(0, list.code(), list.err());
    assertTrue(list.out().contains("bundled  CC BY-SA 3.0"), list.out());
    assertTrue(list.out().contains("240,000 + 40,000"), list.out());
    assertTrue(list.out().lines().allMatch(line -> line.length() <= 96), list.out());
    Launcher.Result json = Launcher.run(environment(""), folder, "data", "list", "--json");
    List<String> names =
        JsonParser.parseString(json.out())
            .getAsJsonObject()
            .getAsJsonArray("data")
            .asList()
            .stream()
            .map(JsonElement::getAsJsonObject)
            .filter(set -> !set.get("here").getAsBoolean())
            .map(set -> set.get("name").getAsString())
            .toList();
    assertEquals(
        List.of("fashion-mnist", "kmnist", "emnist-digits", "emnist-letters", "qmnist"), names);
  }

  @Test
  void whatCannotBeFetchedLeavesNothing() throws IOException {
    String closed;
    try (TestServer server = new TestServer((path, headers, out) -> out.flush())) {
      closed = server.address();
    }
    Launcher.Result result = Launcher.run(environment(closed), folder, "data", "fetch", "kmnist");
    assertRefused(3, result, "train-images-idx3-ubyte.gz cannot be fetched", "yourself");
    try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
      assertEquals(
          List.of(),
          files.filter(Files::isRegularFile).filter(path -> !path.endsWith(".lock")).toList());
    }
  }

  @Test
  void aFullDiskIsTheOutputsFault() throws IOException {
    byte[] zeros = new byte[18_165_135];
    try (TestServer server = new TestServer(TestServer.honest(zeros))) {
      Launcher.Result result =
          Launcher.shell(
              folder,
              "ulimit -f 1000; XDG_CACHE_HOME=$PWD/cache ZEROFIVE_MIRROR="
                  + server.address()
                  + " $ZEROFIVE data fetch kmnist");
      assertRefused(6, result, "train-images-idx3-ubyte.gz.part cannot be written: ");
      assertFalse(
          Files.exists(
              folder.resolve("cache/zerofive/data/kmnist/train-images-idx3-ubyte.gz.part")));
    }
  }

  @Test
  void showDrawsSheets() throws IOException {
    Launcher.Result file =
        Launcher.run(
            folder, "data", "show", "--classes", "3,7", "--count", "2", "--out", "sheet.png");
    assertEquals(0, file.code(), file.err());
    assertTrue(file.out().contains("rows     3, 7"), file.out());
    assertEquals(2 * 60 + 4, ImageFile.read(folder.resolve("sheet.png")).width());
    Launcher.Result text = Launcher.run(folder, "data", "show", "mnist", "--classes", "3,7");
    assertEquals(0, text.code(), text.err());
    assertTrue(text.out().contains("@@"), text.out());
    assertTrue(text.out().lines().allMatch(line -> line.length() <= 96), text.out());
    assertRefused(2, Launcher.run(folder, "data", "list", "--out", "x.png"), "data show only");
  }

  /** A small one, as fast.ai's mnist_sample is laid out. */
  @Test
  void aFolderOfImagesIsTrainedOnAndFoundAgain() throws IOException {
    for (String half : List.of("train", "valid")) {
      for (String name : List.of("cat", "dog")) {
        Path images = Files.createDirectories(folder.resolve("pets").resolve(half).resolve(name));
        for (int i = 0; i < 20; i++) {
          byte[] pixels = new byte[64];
          Arrays.fill(pixels, name.equals("cat") ? 0 : 32, name.equals("cat") ? 32 : 64, (byte) -1);
          pixels[i] = 100;
          Files.write(images.resolve(i + ".png"), Png.grey(8, 8, pixels));
        }
      }
    }
    Launcher.Result trained =
        Launcher.run(
            folder,
            "train",
            "--data",
            "pets",
            "--classes",
            "cat,dog",
            "--epochs",
            "2",
            "--schedule",
            "constant",
            "--out",
            "run");
    assertEquals(0, trained.code(), trained.err());
    assertTrue(trained.err().contains("cat vs dog: 40 training and 40 validation"), trained.err());
    JsonObject receipt =
        JsonParser.parseString(Files.readString(folder.resolve("run/receipt.json")))
            .getAsJsonObject();
    assertEquals(
        "[train, valid]",
        receipt.getAsJsonObject("data").getAsJsonObject("sha256").keySet().toString());
    assertTrue(Files.readString(folder.resolve("run/confusion.csv")).contains("cat,dog"));
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Launcher.Result resumed =
        Launcher.run(elsewhere, "train", "--resume", "../run", "--epochs", "3");
    assertEquals(0, resumed.code(), resumed.err());
    Files.write(folder.resolve("pets/train/dog/0.png"), Png.grey(8, 8, new byte[64]));
    assertRefused(
        3,
        Launcher.run(elsewhere, "train", "--resume", "../run", "--epochs", "4"),
        "are not those the run began with");
  }

  /** The real Fashion-MNIST against the catalogue's own sizes and SHA-256. */
  @Test
  void trainFetchesItsData() throws IOException {
    assumeTrue(
        Files.isDirectory(DEBIAN),
        "skipped: install Debian's package dataset-fashion-mnist to fetch a real data set");
    TestServer.Answer answer =
        (path, headers, out) -> {
          String name = path.replaceFirst("^/fashion-mnist/", "");
          TestServer.honest(original(name)).to(path, headers, out);
        };
    try (TestServer server = new TestServer(answer)) {
      Launcher.Result trained =
          Launcher.run(
              environment(server.address()),
              folder,
              "train",
              "--data",
              "fashion-mnist",
              "--classes",
              "sandal,bag",
              "--epochs",
              "1",
              "--out",
              "run");
      assertEquals(0, trained.code(), trained.err());
      assertTrue(trained.err().contains("fetching train-images-idx3-ubyte.gz"), trained.err());
      assertTrue(trained.err().contains("sandal vs bag: 12,000 training"), trained.err());
    }
    Launcher.Result fetched =
        Launcher.run(environment(""), folder, "data", "fetch", "fashion-mnist", "--json");
    assertEquals(0, fetched.code(), fetched.err());
    assertTrue(JsonParser.parseString(fetched.out()).getAsJsonObject().get("here").getAsBoolean());
    Launcher.Result resumed =
        Launcher.run(environment(""), folder, "train", "--resume", "run", "--epochs", "2");
    assertEquals(0, resumed.code(), resumed.err());
  }

  /** Debian's file with its name and time put back, as its authors packed it. */
  private static byte[] original(String file) {
    try {
      byte[] packed = Files.readAllBytes(DEBIAN.resolve(file));
      byte[] name = file.replace(".gz", "").getBytes(StandardCharsets.US_ASCII);
      ByteBuffer original =
          ByteBuffer.allocate(packed.length + name.length + 1).order(ByteOrder.LITTLE_ENDIAN);
      original.put(new byte[] {0x1f, (byte) 0x8b, 8, 8});
      original.putInt(file.startsWith("train") ? TRAIN_PACKED : VALID_PACKED);
      original.put(packed, 8, 2).put(name).put((byte) 0).put(packed, 10, packed.length - 10);
      return original.array();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
