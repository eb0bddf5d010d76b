package zerofive.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Shares as a user or a shell names them. */
class ShardTest {
  @ParameterizedTest
  @ValueSource(strings = {"1/1", "2/4", "4/4"})
  void aShareIsReadAsItIsWritten(String text) {
    assertEquals(text, Shard.parse(text).toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "auto | 'auto' is not a shard; 2/4 is the second of four",
        "/4 | is not a shard",
        "1/ | is not a shard",
        "one/2 | is not a shard",
        "1/2/3 | is not a shard",
        "99999999999/4 | is not a shard",
        "-1/2 | no shard -1 of 2",
        "0/2 | no shard 0 of 2",
        "5/4 | no shard 5 of 4",
      },
      quoteCharacter = '`')
  void whatIsNoneIsRefused(String text, String said) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Shard.parse(text)).getMessage();
    assertTrue(message.contains(said), message);
  }
}
