package zerofive.backend.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.backend.DeviceException;
import zerofive.backend.cuda.FakeLibraries;
import zerofive.backend.cuda.FakeMachine;

/** The loader's words, real ones where they can be had, become a sentence with the remedy. */
class SharedObjectTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          file too short | it is cut off | install it anew
          cannot read file data | it is cut off | install it anew
          invalid ELF header | it is no shared library | install it anew
          ELF load command address/offset not page-aligned | it is damaged | install it anew
          wrong ELF class: ELFCLASS32 | it is for another processor | install that for this one
          cannot open (Possible cause: can't load AARCH64 .so on a AMD 64 platform) | it is for another processor | install that for this one
          cannot open shared object file: Permission denied | this user may not read it | allow it to be read
          failed to map segment from shared object | its folder is mounted noexec | mount the folder without noexec
          /lib/libc.so.6: version `GLIBC_2.99' not found (required by it) | this system's libraries are older than it needs | use a newer system
          Error relocating it: __strdup: symbol not found | it needs glibc | use a system with glibc, not musl
          """)
  void eachTroubleHasItsSentence(String said, String meaning, String remedy) {
    Path file = Path.of("/x/libcuda.so.1");
    UnsatisfiedLinkError error = new UnsatisfiedLinkError(file + ": " + file + ": " + said);
    DeviceException sentence = SharedObject.explain(file, error);
    assertEquals(
        "/x/libcuda.so.1 cannot be loaded: " + meaning + " (" + said + "); " + remedy,
        sentence.getMessage());
    assertEquals(error, sentence.getCause());
  }

  @Test
  void wordsThatNobodyKnowsStandAsTheyAre() {
    assertEquals(
        "/x/l.so cannot be loaded (out of luck); install it anew",
        SharedObject.explain(Path.of("/x/l.so"), new UnsatisfiedLinkError("out of luck\nand more"))
            .getMessage());
  }

  private DeviceException load(Path file) {
    FakeLibraries.assumeLoader();
    DeviceException e = assertThrows(DeviceException.class, () -> SharedObject.load(file));
    assertInstanceOf(UnsatisfiedLinkError.class, e.getCause());
    return e;
  }

  private void assertMeaning(String meaning, Path file) {
    String message = load(file).getMessage();
    assertTrue(message.startsWith(file + " cannot be loaded: " + meaning + " ("), message);
  }

  @Test
  void aRealLibraryIsTakenWholeAndNotWithoutItsLastByte() throws Exception {
    Path file = FakeLibraries.compile(folder, "l.so", "int one;");
    assertEquals(Optional.empty(), SharedObject.refusal(file));
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
    assertEquals(
        Optional.of("is cut off: it has " + (bytes.length - 1) + " bytes"),
        SharedObject.refusal(file));
  }

  @Test
  void theRealLoaderOnAFileCutOff() throws Exception {
    byte[] bytes = withPlainStack(FakeMachine.elfHeader().array());
    bytes[56] = 2; // program headers, and there is one
    assertMeaning("it is cut off", Files.write(folder.resolve("l.so"), bytes));
  }

  @Test
  void theRealLoaderOnOtherProcessors() throws Exception {
    byte[] narrow = withPlainStack(FakeMachine.elfHeader().put(4, (byte) 1).array());
    assertMeaning("it is for another processor", Files.write(folder.resolve("32.so"), narrow));
    byte[] arm = withPlainStack(FakeMachine.elfHeader().putShort(18, (short) 183).array());
    assertMeaning("it is for another processor", Files.write(folder.resolve("arm.so"), arm));
  }

  /** With PT_GNU_STACK as its only program header: without it the JVM prints a warning. */
  private static byte[] withPlainStack(byte[] header) {
    return ByteBuffer.allocate(120)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(0, header)
        .putInt(20, 1)
        .putLong(32, 64)
        .putShort(54, (short) 56)
        .putShort(56, (short) 1)
        .putInt(64, 0x6474e551)
        .putInt(68, 6)
        .array();
  }

  @Test
  void theRealLoaderOnALibraryThatLacksAnother() throws Exception {
    Path needed = FakeLibraries.compile(folder, "libneeded.so", "int needed;");
    Path file =
        FakeLibraries.compile(
            folder, "l.so", "extern int needed; int *n = &needed;", needed.toString());
    Files.delete(needed);
    assertMeaning("a library that it needs is missing", file);
  }

  @Test
  void theRealLoaderOnAMissingFunction() throws Exception {
    assertMeaning(
        "another library that it needs is of another version",
        FakeLibraries.compile(folder, "l.so", "extern int missing; int *m = &missing;"));
  }
}
