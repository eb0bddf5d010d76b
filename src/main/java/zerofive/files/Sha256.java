package zerofive.files;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256, by which receipts name files. */
public final class Sha256 {
  private Sha256() {}

  /** The hash of a whole file, in hexadecimal. Throws InputException. */
  public static String of(Path file) {
    MessageDigest digest = digest();
    byte[] chunk = new byte[1 << 16];
    try (InputStream stream = Files.newInputStream(file)) {
      for (int got = stream.read(chunk); got >= 0; got = stream.read(chunk)) {
        digest.update(chunk, 0, got);
      }
      return hex(digest.digest());
    } catch (IOException e) {
      throw new InputException(file, e);
    }
  }

  /** The hash of bytes, in hexadecimal. */
  public static String of(byte[] bytes) {
    return hex(digest().digest(bytes));
  }

  /** The hash of bytes, one part after the other, in hexadecimal. */
  public static String of(ByteBuffer... parts) {
    MessageDigest digest = digest();
    for (ByteBuffer part : parts) {
      digest.update(part);
    }
    return hex(digest.digest());
  }

  public static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  public static String hex(byte[] hash) {
    return HexFormat.of().formatHex(hash);
  }
}
