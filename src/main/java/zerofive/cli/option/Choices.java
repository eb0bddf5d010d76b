package zerofive.cli.option;

import java.util.List;
import org.apache.commons.cli.Converter;

/**
 * What may stand behind an option, for completion and help; the option carries it as its converter.
 *
 * @param values the names; others may be allowed too, as {@code cuda:3} beside {@code cuda}
 */
public record Choices(List<String> values) implements Converter<String, RuntimeException> {
  @Override
  public String apply(String value) {
    return value;
  }
}
