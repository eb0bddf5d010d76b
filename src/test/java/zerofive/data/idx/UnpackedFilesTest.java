package zerofive.data.idx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.DataSets;
import zerofive.files.DamagedFileException;
import zerofive.files.Sha256;

/** Files that are unpacked once, and MNIST, which the build unpacks. */
class UnpackedFilesTest {
  private static final String NAME = "train-labels-idx1-ubyte";
  private static final byte[] RAW = HexFormat.of().parseHex("0000080100000003050005");

  @TempDir Path temporary;
  private Path folder;

  @BeforeEach
  void unpack() throws IOException {
    folder = temporary.resolve("unpacked");
    UnpackedFiles.write(folder, Map.of(NAME, source(new ByteArrayInputStream(RAW))));
  }

  private static ByteSource source(InputStream stream) {
    return new ByteSource("packed", stream, RAW.length, true, null);
  }

  /** The digest of the labels, read as a data set's are. */
  private static String read(ByteSource source) {
    try (IdxReader reader = new IdxReader(source, 1, IdxReader.Type.UNSIGNED_BYTE)) {
      byte[] labels = new byte[(int) reader.dimension(0)];
      reader.read(labels, 0, labels.length);
      return HexFormat.of().formatHex(labels) + " " + reader.finish();
    }
  }

  @Test
  void whatIsUnpackedReadsLikeTheOriginal() {
    String original = read(source(new ByteArrayInputStream(RAW)));
    assertEquals("050005 " + Sha256.of(RAW), original);
    assertEquals(original, read(UnpackedFiles.in(folder).orElseThrow().open(NAME)));
  }

  @Test
  void aChangedByteAnywhereIsNoticed() throws IOException {
    for (int at = 0; at < RAW.length; at++) {
      byte[] damaged = RAW.clone();
      damaged[at] ^= 4;
      Files.write(folder.resolve(NAME), damaged);
      ByteSource source = UnpackedFiles.in(folder).orElseThrow().open(NAME);
      assertThrows(DamagedFileException.class, () -> read(source), "byte " + at);
    }
  }

  @Test
  void aFolderThatIsNotWholeIsNotUsed() throws IOException {
    assertTrue(UnpackedFiles.in(temporary).isEmpty(), "no table");
    Path table = folder.resolve("digests.txt");
    String good = Files.readString(table);
    for (String bad : new String[] {"x", "x y z\n", good + "x 1 2\n", good.replace(NAME, "gone")}) {
      Files.writeString(table, bad);
      assertTrue(UnpackedFiles.in(folder).isEmpty(), bad);
    }
    Files.writeString(table, good);
    Files.write(folder.resolve(NAME), new byte[RAW.length - 1]);
    assertTrue(UnpackedFiles.in(folder).isEmpty(), "cut off");
  }

  @Test
  void aSourceThatBreaksOffLeavesNoTable() throws IOException {
    Path other = temporary.resolve("other");
    InputStream broken = InputStream.nullInputStream();
    broken.close();
    assertThrows(IOException.class, () -> UnpackedFiles.write(other, Map.of(NAME, source(broken))));
    try (var left = Files.list(other)) {
      assertEquals(0, left.count());
    }
  }

  @Test
  void aFileThatIsCutOffWhileItIsReadIsNoticed() throws IOException {
    ByteSource source = UnpackedFiles.in(folder).orElseThrow().open(NAME);
    try (FileChannel channel = FileChannel.open(folder.resolve(NAME), StandardOpenOption.WRITE)) {
      channel.truncate(9);
    }
    assertThrows(DamagedFileException.class, () -> read(source));
  }

  @Test
  void theBuildHasUnpackedMnist() throws IOException {
    UnpackedFiles files = UnpackedFiles.in(Path.of("target/mnist")).orElseThrow();
    for (String name : DataSets.packedMnist().keySet()) {
      try (ByteSource unpacked = files.open(name);
          ByteSource packed = DataSets.packedMnist().get(name)) {
        assertEquals(
            -1, Arrays.mismatch(unpacked.raw().readAllBytes(), packed.raw().readAllBytes()), name);
      }
    }
  }
}
