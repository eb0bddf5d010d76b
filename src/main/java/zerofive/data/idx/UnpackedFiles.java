package zerofive.data.idx;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;
import zerofive.files.DamagedFileException;
import zerofive.files.FileGuarantees;
import zerofive.files.PrivateCache;
import zerofive.files.Sha256;

/**
 * Raw IDX files in one folder, beside a table of their digests: they cost a quarter of a second
 * less than files that have to be inflated and hashed. A CRC-32 is checked as the bytes go by, so
 * that the SHA-256 of the table holds for what was read. (A memory mapping takes longer than plain
 * reads: each byte is used once, and every page of a mapping has to be entered into the page
 * table.)
 */
public final class UnpackedFiles {
  private static final String TABLE = "digests.txt";
  private static final int BUFFER = 1 << 16;

  private final Path folder;
  private final Map<String, ByteSource.Digests> files;

  private UnpackedFiles(Path folder, Map<String, ByteSource.Digests> files) {
    this.folder = folder;
    this.files = files;
  }

  /**
   * The files of a folder; empty where it has no table, or a file is missing or of another size.
   */
  public static Optional<UnpackedFiles> in(Path folder) {
    Map<String, ByteSource.Digests> files = new HashMap<>();
    try {
      for (String line : Files.readAllLines(folder.resolve(TABLE), StandardCharsets.US_ASCII)) {
        String[] fields = line.split(" ", 4);
        ByteSource.Digests digests =
            new ByteSource.Digests(fields[0], Long.parseLong(fields[1]), Long.parseLong(fields[2]));
        if (folder.resolve(fields[3]).toFile().length() != digests.bytes()) {
          return Optional.empty();
        }
        files.put(fields[3], digests);
      }
    } catch (IOException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return Optional.empty();
    }
    return Optional.of(new UnpackedFiles(folder, files));
  }

  /** One of the files, to be read once. */
  public ByteSource open(String name) {
    ByteSource.Digests digests = files.get(name);
    Path file = folder.resolve(name);
    if (digests == null) {
      throw new DamagedFileException(file + " is not in " + TABLE);
    }
    try {
      return ByteSource.unpacked(file.toString(), Files.newInputStream(file), digests);
    } catch (IOException e) {
      throw new DamagedFileException(file + " cannot be read: " + e.getMessage());
    }
  }

  /**
   * Unpacks files into a folder, the table last; closes the sources. Several processes may do so at
   * once, and a kill leaves a folder that {@link #in} refuses.
   *
   * @throws IOException where the folder cannot be written or a source is damaged
   */
  public static void write(Path folder, Map<String, ByteSource> packed) throws IOException {
    Files.createDirectories(folder);
    StringBuilder table = new StringBuilder();
    for (Map.Entry<String, ByteSource> entry : packed.entrySet()) {
      String name = entry.getKey();
      ByteSource.Digests digests = unpack(entry.getValue(), folder.resolve(name));
      table.append(digests.sha256()).append(' ').append(digests.crc()).append(' ');
      table.append(digests.bytes()).append(' ').append(name).append('\n');
    }
    Path part = PrivateCache.part(folder.resolve(TABLE));
    try {
      Files.writeString(part, table, StandardCharsets.US_ASCII);
      publish(part, folder.resolve(TABLE));
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Temporary files are private, and whoever may run the program may read its data. */
  private static void publish(Path part, Path file) throws IOException {
    if (part.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rw-r--r--"));
    }
    FileGuarantees.replace(part, file);
  }

  private static ByteSource.Digests unpack(ByteSource source, Path file) throws IOException {
    MessageDigest sha256 = Sha256.digest();
    CRC32 crc = new CRC32();
    long bytes = 0;
    Path part = PrivateCache.part(file);
    try {
      try (source;
          OutputStream out = Files.newOutputStream(part)) {
        byte[] buffer = new byte[BUFFER];
        for (int got = source.raw().read(buffer); got > 0; got = source.raw().read(buffer)) {
          sha256.update(buffer, 0, got);
          crc.update(buffer, 0, got);
          out.write(buffer, 0, got);
          bytes += got;
        }
      }
      publish(part, file);
    } finally {
      Files.deleteIfExists(part);
    }
    return new ByteSource.Digests(Sha256.hex(sha256.digest()), crc.getValue(), bytes);
  }
}
