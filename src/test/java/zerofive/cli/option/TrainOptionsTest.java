package zerofive.cli.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static zerofive.train.Settings.TENSORBOARD;

import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.ParseException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.cli.command.TrainCommand;
import zerofive.train.Recipe;

class TrainOptionsTest {
  private static Recipe config(List<String> words, List<String> classes) throws ParseException {
    CommandLine line =
        new DefaultParser().parse(new TrainCommand().options(), words.toArray(String[]::new));
    return TrainOptions.of(new Arguments(line)).resolve(classes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--model linear --lr 0.003 --epochs 7 --batch-size 31 --seed -5",
        "--preset notebook",
        "--preset notebook --loss bce --init normal",
        "--optimizer adamw",
        "--optimizer adamw --weight-decay 0",
        "--optimizer adam --lr 1e-5 --schedule one-cycle --order sequential",
        "--momentum 0.9 --weight-decay 0.0001 --checkpoint-every 3",
        "--device cpu --threads 3",
        "--early-stop 3 --epochs 500",
        "--device cuda:1 --precision tf32",
        "--device cuda --exact"
      })
  void theCommandLineOfSettingsAsksForTheSameSettings(String line) throws ParseException {
    List<String> words = line.isEmpty() ? List.of() : List.of(line.split(" ", -1));
    for (List<String> classes : List.of(List.of("0", "5"), List.of("3", "7"))) {
      Recipe config = config(words, classes);
      List<String> again = config.options();
      assertEquals(config, config(again, classes), again.toString());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"3,7", "0,5", "2,1,0"})
  void classesAreListedUnlessACommaIsInOne(String list) throws ParseException {
    List<String> classes = List.of(list.split(",", -1));
    List<String> again = config(List.of("--classes", list), classes).options();
    assertEquals(!list.equals("0,5"), again.contains(list), again.toString());
    List<String> comma = config(List.of(), List.of("a,b", "c")).options();
    assertEquals(List.of("--classes", "all"), comma);
  }

  @Test
  void whatIsOnOrOffTakesNoValue() {
    assertEquals(List.of("--tensorboard"), Recipe.DEFAULTS.with(TENSORBOARD, true).options());
  }
}
