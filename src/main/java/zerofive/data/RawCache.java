package zerofive.data;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * The bundled files unpacked, in the user's cache: inflating and hashing them takes a quarter of a
 * second. A cached file is the raw bytes, their SHA-256 and a CRC-32 of both; it is read through a
 * memory mapping, and the CRC is checked as the bytes go by. Where there is no cache, or none that
 * can be written, everything works without.
 */
final class RawCache {
  private static final int SHA256_BYTES = 32;
  private static final int TRAILER = SHA256_BYTES + Long.BYTES;

  private RawCache() {}

  /** What a cached file claims of itself; the CRC goes over raw bytes and hash. */
  record Claim(String sha256, long crc) {
    /** Whether these raw bytes, whose CRC so far is {@code raw}, are those of the claim. */
    boolean holds(CRC32 raw) {
      raw.update(HexFormat.of().parseHex(sha256));
      return raw.getValue() == crc;
    }
  }

  /** The name tells the packed size too: another version of the data is another file. */
  private static Path file(String name, long packedSize) throws IOException {
    return PrivateCache.folder().resolve("raw-" + packedSize + "-" + name);
  }

  /** The raw bytes of {@code name}, if they are there; whoever reads them checks the claim. */
  static Optional<ByteSource> read(String name, long packedSize) {
    try {
      Path file = file(name, packedSize);
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        return Optional.empty();
      }
      try (FileChannel channel = FileChannel.open(file)) {
        long size = channel.size() - TRAILER;
        if (size < 0 || size > Integer.MAX_VALUE - TRAILER) {
          return Optional.empty();
        }
        ByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
        byte[] hash = new byte[SHA256_BYTES];
        mapped.get((int) size, hash);
        Claim claim =
            new Claim(HexFormat.of().formatHex(hash), mapped.getLong((int) size + SHA256_BYTES));
        return Optional.of(
            ByteSource.cached("cached " + name, stream(mapped.limit((int) size)), size, claim));
      }
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static InputStream stream(ByteBuffer bytes) {
    return new InputStream() {
      @Override
      public int read() {
        return bytes.hasRemaining() ? bytes.get() & 0xff : -1;
      }

      @Override
      public int read(byte[] into, int from, int length) {
        int here = Math.min(length, bytes.remaining());
        bytes.get(into, from, here);
        return here > 0 || length == 0 ? here : -1;
      }
    };
  }

  /** Hands raw bytes through and writes them to the cache; a disk that is full stops only that. */
  static final class Writer extends FilterInputStream {
    private final CRC32 crc = new CRC32();
    private Path file;
    private Path part;
    private OutputStream out;

    Writer(InputStream raw, String name, long packedSize) {
      super(raw);
      try {
        file = file(name, packedSize);
        part = PrivateCache.part(file);
        out = Files.newOutputStream(part);
      } catch (IOException e) {
        giveUp();
      }
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int from, int length) throws IOException {
      int got = super.read(into, from, length);
      if (got > 0 && out != null) {
        crc.update(into, from, got);
        try {
          out.write(into, from, got);
        } catch (IOException e) {
          giveUp();
        }
      }
      return got;
    }

    /** All bytes have gone by and are good: the cached file may appear. */
    void finish(String sha256) {
      if (out == null) {
        return;
      }
      byte[] hash = HexFormat.of().parseHex(sha256);
      crc.update(hash);
      try {
        out.write(ByteBuffer.allocate(TRAILER).put(hash).putLong(crc.getValue()).array());
        out.close();
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        out = null;
        part = null;
      } catch (IOException e) {
        giveUp();
      }
    }

    private void giveUp() {
      try {
        if (out != null) {
          out.close();
        }
        if (part != null) {
          Files.deleteIfExists(part);
        }
      } catch (IOException e) {
        // The cache folder has trouble of its own; what is read does not need it.
      }
      out = null;
      part = null;
    }

    @Override
    public void close() throws IOException {
      giveUp();
      super.close();
    }
  }
}
