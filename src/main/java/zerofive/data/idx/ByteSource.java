package zerofive.data.idx;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import zerofive.files.InputException;
import zerofive.files.RegularFile;

/**
 * Bytes to be read once: a file, raw or gzipped (its first two bytes say which), or a resource of
 * the jar.
 *
 * @param name how messages call it
 * @param raw the uncompressed bytes
 * @param capacity the most raw bytes there can be, in bytes; a header that claims more is lying
 * @param exact whether there are exactly {@code capacity} raw bytes
 * @param digests what an unpacked file has to be; null for any other
 */
public record ByteSource(
    String name, InputStream raw, long capacity, boolean exact, Digests digests)
    implements AutoCloseable {
  /**
   * What is known of an unpacked file.
   *
   * @param sha256 in hexadecimal
   * @param crc CRC-32
   * @param bytes its size
   */
  record Digests(String sha256, long crc, long bytes) {}

  private static final int BUFFER = 1 << 16;

  /** Deflate packs at most 1,032 bytes into one (zlib's technical details). */
  private static final long DEFLATE_LIMIT = 1032;

  public static ByteSource file(Path file) {
    try {
      long size = RegularFile.size(file, "name a folder with the four IDX files by --data");
      return open(file.toString(), Files.newInputStream(file), size);
    } catch (IOException e) {
      throw new InputException(file, e);
    }
  }

  public static ByteSource resource(String name, Class<?> beside) {
    InputStream stream = beside.getResourceAsStream(name);
    if (stream == null) {
      throw new InputException(
          "the bundled "
              + name
              + " is missing or damaged beside the program; unpack the bundle or build zerofive again");
    }
    try {
      return open("bundled " + name, stream, stream.available());
    } catch (IOException e) {
      throw new InputException("the bundled " + name + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static ByteSource open(String name, InputStream stored, long size) throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(stored, BUFFER);
    try {
      buffered.mark(2);
      boolean gzipped = buffered.read() == 0x1f && buffered.read() == 0x8b;
      buffered.reset();
      return gzipped
          ? of(name, new GzipStream(buffered, BUFFER), size * DEFLATE_LIMIT, false)
          : of(name, buffered, size, true);
    } catch (IOException e) {
      stored.close();
      throw new InputException(
          name
              + ": at byte 0: starts like a .gz but has no whole gzip header ("
              + reason(e)
              + "); fetch the file again",
          e);
    }
  }

  private static ByteSource of(String name, InputStream raw, long capacity, boolean exact) {
    return new ByteSource(name, raw, capacity, exact, null);
  }

  static ByteSource unpacked(String name, InputStream raw, Digests digests) {
    return new ByteSource(name, raw, digests.bytes(), true, digests);
  }

  /** What the unpacker says is wrong; of a file that ends too early it says nothing. */
  static String reason(IOException e) {
    return Objects.requireNonNullElse(e.getMessage(), "it ends too early");
  }

  @Override
  public void close() throws IOException {
    raw.close();
  }
}
