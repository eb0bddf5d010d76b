package zerofive.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import zerofive.data.Refusal;

class InputExceptionTest {
  @Test
  void aSentenceIsKeptAsItIs() {
    IOException cause = new IOException("cause");
    InputException e = new InputException("größe.gz: at byte 3: 7 dimensions; fetch again", cause);
    assertEquals("größe.gz: at byte 3: 7 dimensions; fetch again", e.getMessage());
    assertSame(cause, e.getCause());
  }

  @Test
  void anErrorOfTheOperatingSystemIsToldInWordsWithARemedy() {
    Path file = Path.of("digits", "labels");
    Refusal.of(
            () -> {
              throw new InputException(file, new AccessDeniedException(file.toString()));
            })
        .exactly(file + " cannot be read: permission denied; check its permissions and the disk");
    Refusal.of(
            () -> {
              throw new InputException(file, new IOException("Input/output error"));
            })
        .saying(file.toString(), "Input/output error");
  }

  @Test
  void namesCannotBreakTheLineOrReachTheTerminal() {
    assertEquals(
        "tensor a?b?[31mc?? is wrong",
        new InputException("tensor a\nb\u001b[31mc\0\u0085 is wrong").getMessage());
  }

  @Test
  void aNameOfMillionsOfLettersLeavesTheFileAndTheRemedyReadable() {
    String message =
        new InputException("file: tensor " + "x".repeat(5_000_000) + " is wrong; name another")
            .getMessage();
    assertTrue(message.startsWith("file: tensor xxx"), message);
    assertTrue(message.endsWith("xxx is wrong; name another"), message);
    assertTrue(message.length() < 3000, message.length() + " characters");
  }
}
