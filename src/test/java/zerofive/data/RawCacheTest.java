package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

  private static String load(String cache) throws IOException {
    return run(Load.class, cache);
  }

  private static String run(Class<?> program, String cache) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
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

  /** As Load, and cuts the cached validation images off between their mapping and their reading. */
  static final class CutOff {
    private CutOff() {}

    public static void main(String[] args) throws Exception {
      Path images;
      try (var files = Files.newDirectoryStream(PrivateCache.folder(), "raw-*-t10k-images-*")) {
        images = files.iterator().next();
      }
      Thread cutter = new Thread(() -> cutOffWhenMapped(images));
      cutter.start();
      Load.main(args);
      cutter.join();
    }

    private static void cutOffWhenMapped(Path file) {
      try {
        while (!Files.readString(Path.of("/proc/self/maps")).contains(file.toString())) {
          Thread.onSpinWait();
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.truncate(100_000);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @Test
  void aFileThatIsCutOffWhileItIsReadIsMadeAnew() throws IOException {
    assumeTrue(Files.exists(Path.of("/proc/self/maps")), "skipped: this system tells no mappings");
    String unpacked = load(folder.toString());
    assertEquals(unpacked, run(CutOff.class, folder.toString()));
    assertEquals(unpacked, load(folder.toString()));
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
