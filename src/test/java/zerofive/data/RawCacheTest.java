package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bundled data through the cache, each time in a process with a cache folder of its own. */
class RawCacheTest {
  @TempDir Path folder;

  /** Prints where the training images came from and a hash of all that was read. */
  static final class Load {
    private Load() {}

    public static void main(String[] args) {
      DataSet data = DataSets.load("mnist", ClassFilter.parse("0,5"));
      System.out.print(
          java.util.Arrays.hashCode(data.train().pixels())
              + " "
              + java.util.Arrays.hashCode(data.valid().pixels())
              + " "
              + data.sha256());
    }
  }

  private String load(String cache) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Load.class.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("XDG_CACHE_HOME", cache);
    byte[] output = builder.start().getInputStream().readAllBytes();
    return new String(output, StandardCharsets.UTF_8);
  }

  private List<Path> cached() throws IOException {
    try (var files = Files.list(folder.resolve("zerofive"))) {
      return files.sorted().toList();
    }
  }

  @Test
  void whatComesFromTheCacheIsWhatWasUnpackedAndDamageIsMended() throws IOException {
    String unpacked = load(folder.toString());
    assertTrue(unpacked.contains("train-images"), unpacked);
    List<Path> files = cached();
    assertEquals(4, files.size(), files.toString());
    assertEquals(unpacked, load(folder.toString()));

    for (Path file : files) {
      byte[] whole = Files.readAllBytes(file);
      for (int at : new int[] {3, whole.length - 1}) {
        byte[] damaged = whole.clone();
        damaged[at] ^= 4;
        Files.write(file, damaged);
        assertEquals(unpacked, load(folder.toString()), file + " at byte " + at);
        assertArrayEquals(whole, Files.readAllBytes(file), "made anew");
      }
      Files.write(file, java.util.Arrays.copyOf(whole, 20));
      assertEquals(unpacked, load(folder.toString()), file + " cut off");
    }
    assertEquals(files, cached());
  }

  @Test
  void aFolderThatCannotBeWrittenIsNoError() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertTrue(load(file.toString()).contains("train-images"));
    assertFalse(Files.exists(folder.resolve("zerofive")));
  }

  @Test
  void aFolderThatOthersCanWriteIsNotUsed() throws IOException {
    Path shared = Files.createDirectory(folder.resolve("zerofive"));
    Files.setPosixFilePermissions(
        shared, java.nio.file.attribute.PosixFilePermissions.fromString("rwxrwxrwx"));
    assertTrue(load(folder.toString()).contains("train-images"));
    assertEquals(List.of(), cached());
  }
}
