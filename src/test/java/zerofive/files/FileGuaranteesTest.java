package zerofive.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is no error and what stays one; FileSystemIT has the same with the system's own calls. */
class FileGuaranteesTest {
  @TempDir private Path folder;

  private final List<String> warnings = new ArrayList<>();

  @BeforeEach
  void listen() {
    FileGuarantees.forgetWarnings();
    FileGuarantees.onWarning(warnings::add);
  }

  @AfterEach
  void forget() {
    FileGuarantees.forgetWarnings();
    FileGuarantees.onWarning(warning -> {});
  }

  @Test
  void aFileSystemWithoutSyncOrLocksIsWarnedOfOnce() throws IOException {
    Path file = folder.resolve("file");
    for (int i = 0; i < 2; i++) {
      FileGuarantees.sync(file, new Failing("Invalid argument"));
      FileGuarantees.sync(file, new Failing("Operation not supported"));
      assertTrue(FileGuarantees.tryLock(file, new Failing("No locks available")));
    }
    assertEquals(
        List.of(
            "the file system of "
                + folder
                + " cannot sync a file or folder (Invalid argument): a power failure may lose what"
                + " was just written, a kill loses nothing; where that matters, use a folder of"
                + " another file system",
            "the file system of "
                + folder
                + " has no locks (No locks available): a second zerofive in the same folder would"
                + " not be noticed; start one at a time in it"),
        warnings);
  }

  @Test
  void anErrorThatMeansLostDataStaysOne() {
    Path file = folder.resolve("file");
    for (String reason : List.of("Input/output error", "No space left on device")) {
      Failing channel = new Failing(reason);
      assertThrows(IOException.class, () -> FileGuarantees.sync(file, channel));
      assertThrows(IOException.class, () -> FileGuarantees.tryLock(file, channel));
    }
    assertEquals(List.of(), warnings);
  }

  @Test
  void aLockThatIsHeldIsNoLack() throws IOException {
    Path file = folder.resolve("file");
    try (FileChannel first = open(file);
        FileChannel second = open(file)) {
      assertTrue(FileGuarantees.tryLock(file, first));
      assertFalse(FileGuarantees.tryLock(file, second));
    }
    assertEquals(List.of(), warnings);
  }

  private static FileChannel open(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  /** A folder without the right to read is written as before; root may read it all the same. */
  @Test
  void aFolderThatCannotBeReadIsWritten() throws IOException {
    assertTrue(folder.toFile().setReadable(false));
    try {
      boolean readable = Files.isReadable(folder);
      AtomicFile.write(folder.resolve("file"), "text");
      assertEquals(readable ? 0 : 1, warnings.size(), warnings.toString());
    } finally {
      assertTrue(folder.toFile().setReadable(true));
    }
    assertEquals("text", Files.readString(folder.resolve("file")));
  }

  /** A channel whose calls fail as the system words it. */
  private static final class Failing extends FileChannel {
    private final String reason;

    Failing(String reason) {
      this.reason = reason;
    }

    @Override
    public void force(boolean metaData) throws IOException {
      throw new IOException(reason);
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) throws IOException {
      throw new IOException(reason);
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(ByteBuffer bytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long read(ByteBuffer[] bytes, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(ByteBuffer bytes, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer bytes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] bytes, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer bytes, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long position() {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel position(long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long size() {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel truncate(long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) {
      throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    protected void implCloseChannel() {}
  }
}
