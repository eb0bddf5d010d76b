package zerofive.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.Refusal;

class TextFileTest {
  @TempDir private Path folder;

  @Test
  void aFileIsReadWhole() throws IOException {
    assertEquals("Größe\n", TextFile.read(Files.writeString(folder.resolve("a"), "Größe\n")));
  }

  @Test
  void whatIsNoSmallTextFileIsRefused() throws IOException {
    Refusal.of(() -> TextFile.read(folder)).saying("not a regular file");
    Refusal.of(() -> TextFile.read(folder.resolve("b"))).saying("is missing");
    Path bytes = Files.write(folder.resolve("c"), new byte[] {(byte) 0xff, 0, 1});
    Refusal.of(() -> TextFile.read(bytes)).saying("not text in UTF-8");
    Path huge = folder.resolve("d");
    try (RandomAccessFile sparse = new RandomAccessFile(huge.toFile(), "rw")) {
      sparse.setLength(1L << 32);
    }
    Refusal.of(() -> TextFile.read(huge)).saying("larger than 64 MiB");
  }

  /** Parsed, 64 MiB of short numbers would fill 2.6 GB. */
  @Test
  void jsonIsSmaller() throws IOException {
    Path json = folder.resolve("e");
    try (RandomAccessFile sparse = new RandomAccessFile(json.toFile(), "rw")) {
      sparse.setLength(4 << 20);
      assertEquals(4 << 20, TextFile.readJson(json).length());
      sparse.setLength((4 << 20) + 1);
    }
    Refusal.of(() -> TextFile.readJson(json)).saying("larger than 4 MiB");
  }
}
