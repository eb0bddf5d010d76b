package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Option;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.cli.command.Commands;
import zerofive.cli.option.Choices;

/** What the program says of itself. */
class HelpTest {
  @Test
  void helpTellsTheSameAsTheOption() {
    for (Command command : Commands.ALL) {
      Launcher.Result help = InProcess.run("help", command.name());
      assertEquals(0, help.code());
      assertEquals(InProcess.run(command.name(), "--help"), help);
      for (Option option : Cli.allOptions(command).getOptions()) {
        assertTrue(help.out().contains("--" + option.getLongOpt()), help.out());
      }
      command.details().forEach(text -> assertTrue(flat(help.out()).contains(text), help.out()));
    }
    assertEquals(InProcess.run("--help"), InProcess.run("help"));
  }

  private static String flat(String text) {
    return text.replaceAll("\\s+", " ");
  }

  @Test
  void noLineIsWiderThan96Columns() {
    String all = InProcess.run("help").out();
    for (Command command : Commands.ALL) {
      assertTrue(all.contains("\n  " + command.name() + " "), all);
      all += InProcess.run("help", command.name()).out();
    }
    assertEquals(List.of(), all.lines().filter(line -> line.length() > 96).toList());
  }

  @ParameterizedTest
  @CsvSource({
    "train,train,0",
    "tarin,train,1",
    "trani,train,1",
    "trian,train,1",
    "trin,train,1",
    "ttrain,train,1",
    "brain,train,1",
    "'',train,5",
    "kitten,sitting,3"
  })
  void slipsAreCounted(String word, String meant, int slips) {
    assertEquals(slips, EditDistance.between(word, meant));
    assertEquals(slips, EditDistance.between(meant, word));
  }

  @Test
  void onlyWhatIsNearIsSuggested() {
    List<String> known = List.of("devices", "evaluate", "train");
    assertEquals(Optional.of("devices"), EditDistance.closest("device", known));
    assertEquals(Optional.of("evaluate"), EditDistance.closest("evalaute", known));
    assertEquals(Optional.empty(), EditDistance.closest("paint", known));
    assertEquals(Optional.empty(), EditDistance.closest("", known));
  }

  @Test
  void everyOptionWithAFewNamesCarriesThem() {
    for (Command command : Commands.ALL) {
      for (Option option : Cli.allOptions(command).getOptions()) {
        if (option.hasArg() && option.getArgName().contains("NAME")) {
          boolean carries = option.getConverter() instanceof Choices;
          assertTrue(carries, command.name() + " --" + option.getLongOpt());
        }
      }
    }
  }
}
