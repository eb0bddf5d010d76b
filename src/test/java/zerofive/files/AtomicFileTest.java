package zerofive.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.IdxFolder;

class AtomicFileTest {
  @TempDir private Path folder;

  @Test
  void aNewFileHoldsTheTextInUtf8() throws IOException {
    Path file = folder.resolve("new.txt");
    AtomicFile.write(file, "Größe 0\n");
    assertArrayEquals("Größe 0\n".getBytes(StandardCharsets.UTF_8), Files.readAllBytes(file));
    assertEquals(List.of("new.txt"), names());
  }

  /**
   * A folder from elsewhere may hold a link under the temporary name; it is not written through.
   */
  @Test
  void aLinkUnderTheTemporaryNameIsReplacedAndNotFollowed() throws IOException {
    Path victim = Files.writeString(folder.resolve("victim"), "mine");
    Files.createSymbolicLink(folder.resolve(".config.json.part"), victim);
    AtomicFile.write(folder.resolve("config.json"), "ours");
    assertEquals("mine", Files.readString(victim));
    assertEquals(List.of("config.json", "victim"), names());
  }

  @Test
  void anOldFileIsReplacedWhole() throws IOException {
    Path file = Files.writeString(folder.resolve("config.json"), "a longer text than the new one");
    AtomicFile.write(file, "short");
    assertEquals("short", Files.readString(file));
    assertEquals(List.of("config.json"), names());
  }

  @Test
  void severalFilesAreReplacedInTheirOrderUpToTheFirstFailure() throws IOException {
    Files.createDirectory(folder.resolve("b"));
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("a", "1");
    texts.put("b", "2");
    texts.put("c", "3");
    OutputException refused =
        assertThrows(OutputException.class, () -> AtomicFile.write(folder, texts));
    assertTrue(refused.getMessage().contains(folder.resolve("b").toString()), refused.toString());
    assertEquals(List.of("a", "b"), names());
    Files.delete(folder.resolve("b"));
    AtomicFile.write(folder, texts);
    assertEquals(List.of("a", "b", "c"), names());
    assertEquals("3", Files.readString(folder.resolve("c")));
  }

  @Test
  void partsFollowEachOther() throws IOException {
    Path file = folder.resolve("parts");
    byte[] large = new byte[300_001];
    large[300_000] = 7;
    AtomicFile.write(
        file, ByteBuffer.wrap(new byte[] {1, 2}), ByteBuffer.wrap(large), ByteBuffer.allocate(0));
    assertArrayEquals(IdxFolder.join(new byte[] {1, 2}, large), Files.readAllBytes(file));
  }

  @Test
  void anEmptyFileIsWritten() throws IOException {
    Path file = folder.resolve("empty");
    AtomicFile.write(file, "");
    assertEquals(0, Files.size(file));
  }

  @Test
  void aLeftoverOfAKilledWriterIsOverwritten() throws IOException {
    Files.writeString(folder.resolve(".model.part"), "half of a model that was never finished");
    AtomicFile.write(folder.resolve("model"), "whole");
    assertEquals("whole", Files.readString(folder.resolve("model")));
    assertEquals(List.of("model"), names());
  }

  /** A reader beside the writer: whole old text or whole new text, never a mixture or a gap. */
  @Test
  void aReaderSeesTheOldContentOrTheNew() throws Exception {
    Path file = folder.resolve("shared");
    String a = "a".repeat(100_000);
    String b = "b".repeat(70_000);
    AtomicFile.write(file, a);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread writer =
        new Thread(
            () -> {
              for (int i = 0; i < 40; i++) {
                AtomicFile.write(file, i % 2 == 0 ? b : a);
              }
            });
    writer.setUncaughtExceptionHandler((thread, thrown) -> failure.set(thrown));
    writer.start();
    while (writer.isAlive()) {
      String seen = Files.readString(file);
      assertTrue(
          seen.equals(a) || seen.equals(b), "neither content, but " + seen.length() + " bytes");
    }
    writer.join();
    assertEquals(null, failure.get());
  }

  /** As two launches with the same --out: the second may not rename what the first half wrote. */
  @Test
  void aSecondWriterIsRefusedWhileTheFirstWrites() throws IOException {
    Path file = folder.resolve("out.csv");
    AtomicFile.stream(
        file,
        stream -> {
          stream.write('1');
          OutputException refused =
              assertThrows(OutputException.class, () -> AtomicFile.write(file, "2"));
          assertTrue(refused.getMessage().contains(" is being written by "), refused.toString());
          assertFalse(Files.exists(file));
        });
    assertEquals("1", Files.readString(file));
    assertEquals(List.of("out.csv"), names());
  }

  @Test
  void aLinkStaysAndWhatItLeadsToIsReplaced() throws IOException {
    Path target = Files.writeString(folder.resolve("target"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("target"));
    AtomicFile.write(link, "new");
    assertTrue(Files.isSymbolicLink(link));
    assertEquals("new", Files.readString(target));
    assertEquals(List.of("link", "target"), names());
  }

  /** As --out /dev/null or /dev/stdout: a file in its place would break the machine for root. */
  @Test
  void aPipeIsWrittenThroughAndStays() throws Exception {
    Path pipe = folder.resolve("pipe");
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/mkfifo"))
            && new ProcessBuilder("/usr/bin/mkfifo", pipe.toString()).start().waitFor() == 0,
        "there is no mkfifo to make a pipe with");
    // Opened for both ways it waits for nobody.
    try (FileChannel reader =
        FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      AtomicFile.write(pipe, "through");
      assertFalse(Files.isRegularFile(pipe));
      ByteBuffer seen = ByteBuffer.allocate(7);
      while (seen.hasRemaining()) {
        reader.read(seen);
      }
      assertEquals("through", new String(seen.array(), StandardCharsets.UTF_8));
    }
    assertEquals(List.of("pipe"), names());
  }

  @Test
  void aFolderInTheWayIsReportedAndLeftAlone() throws IOException {
    Path target = Files.createDirectory(folder.resolve("model.safetensors"));
    Files.writeString(target.resolve("precious"), "kept");
    OutputException refused =
        assertThrows(OutputException.class, () -> AtomicFile.write(target, "text"));
    assertSentence(refused, target);
    assertEquals("kept", Files.readString(target.resolve("precious")));
    assertEquals(List.of("model.safetensors"), names(), "no temporary is left");
  }

  @Test
  void aMissingFolderIsReportedAndNotMade() {
    Path file = folder.resolve("missing").resolve("model");
    OutputException refused =
        assertThrows(OutputException.class, () -> AtomicFile.write(file, "text"));
    assertSentence(refused, file);
    assertTrue(refused.getMessage().contains("no such folder"), refused.getMessage());
    assertFalse(Files.exists(file.getParent()));
  }

  @Test
  void aFileInPlaceOfTheFolderIsReported() throws IOException {
    Path file = Files.writeString(folder.resolve("plain"), "kept").resolve("model");
    assertSentence(assertThrows(OutputException.class, () -> AtomicFile.write(file, "text")), file);
    assertEquals("kept", Files.readString(folder.resolve("plain")));
  }

  @Test
  void aReadOnlyFolderKeepsTheOldFile() throws IOException {
    Path file = Files.writeString(folder.resolve("old"), "old");
    assumeTrue(
        folder.toFile().setWritable(false) && !Files.isWritable(folder),
        "this user (root?) may write into a read-only folder, so there is nothing to see");
    try {
      OutputException refused =
          assertThrows(OutputException.class, () -> AtomicFile.write(file, "new"));
      assertSentence(refused, file);
      assertTrue(refused.getMessage().contains("permission denied"), refused.getMessage());
      assertEquals("old", Files.readString(file));
    } finally {
      assertTrue(folder.toFile().setWritable(true));
    }
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static void assertSentence(OutputException refused, Path file) {
    String message = refused.getMessage();
    assertTrue(message.startsWith(file + " cannot be written: "), message);
    assertTrue(message.contains("; "), message);
    assertFalse(message.contains("null") || message.contains("\n"), message);
    assertInstanceOf(IOException.class, refused.getCause());
  }
}
