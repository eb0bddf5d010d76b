package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.function.Executable;
import zerofive.files.InputException;

/**
 * What every refusal of a file must be: an InputException of one line and one sentence that says
 * what is wrong and, behind a semicolon, what to do about it.
 */
public final class Refusal {
  private final String message;

  private Refusal(String message) {
    this.message = message;
  }

  /** Runs {@code reading}, which must be refused in one sentence with a remedy. */
  public static Refusal of(Executable reading) {
    String message = assertThrows(InputException.class, reading).getMessage();
    assertTrue(message.chars().noneMatch(Character::isISOControl), message);
    assertFalse(message.contains("null"), message);
    assertFalse(message.contains("Exception"), message);
    assertFalse(message.contains(". ") || message.endsWith("."), "one sentence: " + message);
    int remedy = message.lastIndexOf("; ");
    assertTrue(remedy > 0 && remedy + 2 < message.length(), "no remedy: " + message);
    return new Refusal(message);
  }

  /** The sentence holds each of these: file, place, what was expected. */
  public Refusal saying(String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), "expected '" + part + "' in: " + message);
    }
    return this;
  }

  /** The sentence is just this. */
  public void exactly(String sentence) {
    assertEquals(sentence, message);
  }
}
