package zerofive.data.idx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.Refusal;

class IdxImagesTest {
  private static final byte[] IMAGE =
      HexFormat.of().parseHex("00000803000000010000000100000001" + "07");

  @TempDir Path folder;

  private static byte[] gzipped(byte[] raw) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(raw);
    }
    return packed.toByteArray();
  }

  /** A .gz with {@code count} empty members, one with an image, and again {@code count}. */
  private Path withEmptyMembers(int count) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    for (int i = 0; i < count; i++) {
      packed.writeBytes(gzipped(new byte[0]));
    }
    byte[] empty = packed.toByteArray();
    packed.writeBytes(gzipped(IMAGE));
    packed.writeBytes(empty);
    return Files.write(folder.resolve("images.gz"), packed.toByteArray());
  }

  /** As block compressors end a file. */
  @Test
  void someEmptyMembersAreSkipped() throws IOException {
    Path file = withEmptyMembers(50);
    assertTrue(IdxImages.isIdx(file));
    try (IdxImages images = new IdxImages(file)) {
      assertEquals(7, images.next().at(0, 0));
    }
  }

  /** Java's stream goes one call deeper for each: 400 KB exhausted the stack. */
  @Test
  void veryManyEmptyMembersAreRefused() throws IOException {
    Path file = withEmptyMembers(20_000);
    assertFalse(IdxImages.isIdx(file));
    Refusal.of(() -> new IdxImages(file).close())
        .saying(file.toString(), "after raw byte 0", "over 100 of its members are empty");
  }
}
