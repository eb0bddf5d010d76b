package zerofive.data.idx;

import java.io.EOFException;
import java.io.IOException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.ZipException;
import zerofive.files.DamagedFileException;
import zerofive.files.InputException;
import zerofive.files.Sha256;

/**
 * Streams one IDX file: magic {@code 00 00 TYPE N}, N big-endian 32-bit dimensions, then the
 * values, unsigned bytes (type 08) or big-endian 32-bit integers (type 0c). Every claim of the
 * header is checked against what the file can hold before anything is allocated.
 */
public final class IdxReader implements AutoCloseable {
  /** The type of a value. */
  public enum Type {
    UNSIGNED_BYTE(0x08, 1, "unsigned byte"),
    INT(0x0c, 4, "32-bit integer");

    private final int code;
    private final int bytes;
    private final String words;

    Type(int code, int bytes, String words) {
      this.code = code;
      this.bytes = bytes;
      this.words = words;
    }
  }

  /**
   * The format's types: bytes with and without a sign, short and long integers, floats, doubles.
   */
  private static final Set<Integer> OTHER_TYPES = Set.of(0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e);

  /** More dimensions than this are damage rather than somebody's own layout. */
  private static final int MAX_RANK = 5;

  private final ByteSource source;
  private final MessageDigest digest;

  /** Of an unpacked file, in place of the digest. */
  private final CRC32 crc = new CRC32();

  private final long[] dimensions;
  private long offset;

  /**
   * Reads and checks the header of an IDX file with {@code rank} dimensions; closes {@code source}
   * where it refuses it.
   */
  public IdxReader(ByteSource source, int rank, Type type) {
    this.source = source;
    digest = Sha256.digest();
    try {
      dimensions = readHeader(rank, type);
    } catch (InputException | DamagedFileException e) {
      close();
      throw e;
    }
  }

  private long[] readHeader(int rank, Type type) {
    byte[] magic = new byte[4];
    read(magic, 0, 4);
    if (magic[0] != 0 || magic[1] != 0) {
      throw broken(
          0,
          String.format(
              "magic %s, expected 0000%02x%02x", HexFormat.of().formatHex(magic), type.code, rank));
    }
    if (magic[2] != type.code) {
      String what =
          String.format("type 0x%02x, expected 0x%02x (%s)", magic[2], type.code, type.words);
      throw OTHER_TYPES.contains((int) magic[2])
          ? refusal(2, what + "; write " + layout(rank, type))
          : broken(2, what);
    }
    if (magic[3] != rank) {
      String what = (magic[3] & 0xff) + " dimensions, expected " + rank;
      throw magic[3] >= 1 && magic[3] <= MAX_RANK
          ? refusal(3, what + "; write " + layout(rank, type))
          : broken(3, what);
    }
    long[] sizes = new long[rank];
    byte[] stored = new byte[4 * rank];
    read(stored, 0, stored.length);
    long claimed = type.bytes;
    for (int i = 0; i < rank; i++) {
      long size = 0;
      for (int j = 0; j < 4; j++) {
        size = (size << 8) | (stored[4 * i + j] & 0xff);
      }
      if (size == 0) {
        throw broken(4 + 4L * i, "dimension " + (i + 1) + " is 0, expected at least 1");
      }
      sizes[i] = size;
      claimed = saturatedProduct(claimed, size);
    }
    long room = source.capacity() - offset;
    if (claimed > room || (source.exact() && claimed < room)) {
      throw broken(
          4,
          "the header claims "
              + shape(sizes)
              + (type.bytes == 1 ? " = " : " values = ")
              + (claimed == Long.MAX_VALUE ? "over 2^63" : claimed)
              + " bytes after byte "
              + offset
              + ", but the file "
              + (source.exact() ? "holds " : "can hold at most ")
              + room);
    }
    return sizes;
  }

  /** How a file must be written, for those who make their own. */
  private static String layout(int rank, Type type) {
    return switch (rank) {
      case 3 -> "grey images as " + type.words + "s from 0 to 255, [images, rows, columns]";
      case 1 -> "labels as " + type.words + "s, [images]";
      default -> type.words + "s in " + rank + " dimensions";
    };
  }

  /** The size of dimension {@code i}, unsigned 32 bits. */
  public long dimension(int i) {
    return dimensions[i];
  }

  /** Fills {@code into[from .. from + length)}. */
  public void read(byte[] into, int from, int length) {
    int got;
    try {
      got = source.raw().readNBytes(into, from, length);
    } catch (EOFException | ZipException e) {
      throw new InputException(
          source.name()
              + ": the .gz is damaged or cut off after raw byte "
              + offset
              + " ("
              + ByteSource.reason(e)
              + "); fetch the file again",
          e);
    } catch (IOException e) {
      throw new InputException(
          source.name() + " cannot be read at byte " + offset + ": " + e.getMessage(), e);
    }
    if (got < length) {
      throw broken(offset + got, "the file ends here, expected " + (length - got) + " more bytes");
    }
    if (source.digests() == null) {
      digest.update(into, from, length);
    } else {
      crc.update(into, from, length);
    }
    offset += length;
  }

  /** Checks that nothing follows, and returns the SHA-256 of the raw file in hexadecimal. */
  public String finish() {
    byte[] beyond = new byte[1];
    try {
      if (source.raw().read(beyond) >= 0) {
        throw broken(offset, "bytes follow the data, expected the end of the file");
      }
    } catch (IOException e) {
      throw new InputException(
          source.name()
              + ": the .gz is damaged or cut off at its end, after raw byte "
              + offset
              + " ("
              + ByteSource.reason(e)
              + "); fetch the file again",
          e);
    }
    if (source.digests() == null) {
      return Sha256.hex(digest.digest());
    }
    if (crc.getValue() != source.digests().crc()) {
      throw new DamagedFileException(source.name() + " is not what its digests say");
    }
    return source.digests().sha256();
  }

  /** The sentence for a wrong byte: file, place, what is there and what was expected, remedy. */
  public RuntimeException broken(long at, String what) {
    return refusal(at, what + "; fetch the file again");
  }

  private RuntimeException refusal(long at, String what) {
    String sentence = source.name() + ": at byte " + at + ": " + what;
    return source.digests() == null
        ? new InputException(sentence)
        : new DamagedFileException(sentence);
  }

  @Override
  public void close() {
    try {
      source.close();
    } catch (IOException e) {
      throw new InputException(source.name() + " cannot be closed: " + e.getMessage(), e);
    }
  }

  private static String shape(long[] sizes) {
    StringBuilder shape = new StringBuilder();
    for (long size : sizes) {
      shape.append(shape.length() == 0 ? "" : " x ").append(size);
    }
    return shape.toString();
  }

  private static long saturatedProduct(long a, long b) {
    return a > Long.MAX_VALUE / b ? Long.MAX_VALUE : a * b;
  }
}
