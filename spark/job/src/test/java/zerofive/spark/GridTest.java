package zerofive.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.OPTIMIZER;

import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.backend.Optimizer;
import zerofive.cli.option.UsageException;
import zerofive.data.DataSet;
import zerofive.data.ImageSet;
import zerofive.files.InputException;
import zerofive.train.Recipe;

/** Tables of settings, and the trainings that they make. */
class GridTest {
  private static final DataSet DATA =
      new DataSet("three", List.of("a", "b", "c"), images(6), images(3), new TreeMap<>());

  private static ImageSet images(int count) {
    int[] targets = new int[count];
    for (int i = 0; i < count; i++) {
      targets[i] = i % 3;
    }
    return new ImageSet(new byte[4 * count], targets, 2, 2);
  }

  private static Grid grid(String text) {
    return Grid.parse("grid.csv", text);
  }

  @Test
  void cellsAreAsRfc4180HasThem() {
    Grid grid = grid("a,\"b, c\"\r\n\"x \"\"y\"\"\", z\n\n\"1\n2\",\n");
    assertEquals(List.of("a", "b, c"), grid.columns());
    assertEquals(List.of(List.of("x \"y\"", "z"), List.of("1\n2", "")), grid.rows());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "lr,lr;1,2 | repeated column name",
        "lr,;1,2 | empty or repeated",
        "lr | no row below its header",
        "lr,seed;1 | row 1 has 1 cells, expected 2",
        "lr;\"1 | within quotation marks",
      })
  void whatIsNoTableIsRefused(String text, String said) {
    String message =
        assertThrows(InputException.class, () -> grid(text.replace(';', '\n'))).getMessage();
    assertTrue(message.contains(said), message);
  }

  @Test
  void aColumnIsTheSettingOfItsNameAndAnEmptyCellItsDefault() {
    Grid grid = grid("name,lr,batch_size,optimizer\nx,0.5,7,\ny,,,adam\n");
    Recipe first = grid.recipe(Recipe.DEFAULTS, 0);
    assertEquals(0.5f, first.get(LEARNING_RATE));
    assertEquals(7, first.get(BATCH_SIZE));
    Recipe second = grid.recipe(Recipe.DEFAULTS, 1);
    assertEquals(Optimizer.Kind.ADAM, second.get(OPTIMIZER));
    assertEquals(0.01f, second.get(LEARNING_RATE));
  }

  @Test
  void aCellThatIsNoValueIsRefusedWithItsRow() {
    Grid grid = grid("lr\n0.1\n-1\n");
    String message =
        assertThrows(UsageException.class, () -> grid.recipe(Recipe.DEFAULTS, 1)).getMessage();
    assertTrue(message.startsWith("row 2 of the grid: --lr"), message);
  }

  @Test
  void whatAllTrainingsShareIsNoColumn() {
    for (String column : List.of("device", "threads", "checkpoint_every", "data")) {
      Grid grid = grid(column + "\n1\n");
      String message =
          assertThrows(UsageException.class, () -> grid.check(SweepCommand.SETTINGS)).getMessage();
      assertTrue(message.contains("a column " + column), message);
    }
  }

  @Test
  void rowsAreCrossedWithPairsAndSeeds() {
    Sweep sweep = Sweep.of(grid("lr,tag\n0.1,x\n0.2,y\n"), Recipe.DEFAULTS, DATA, 2);
    assertEquals(List.of("lr", "tag", "classes", "seed"), sweep.columns());
    assertEquals(12, sweep.trainings().size());
    assertEquals(List.of("0.1", "x", "a,b", "42"), sweep.trainings().get(0).cells());
    assertEquals(List.of("0.1", "x", "a,b", "43"), sweep.trainings().get(1).cells());
    assertEquals(List.of("0.2", "y", "b,c", "43"), sweep.trainings().get(11).cells());
    assertEquals(List.of("b", "c"), sweep.trainings().get(11).recipe().get(CLASSES).names());
  }

  @Test
  void aColumnOfClassesAndOneOfSeedsAreTaken() {
    Sweep sweep = Sweep.of(grid("classes,seed\nall,7\n\"c,a\",\n"), Recipe.DEFAULTS, DATA, 1);
    assertEquals(
        List.of(List.of("a,b,c", "7"), List.of("c,a", "42")),
        sweep.trainings().stream().map(Sweep.Training::cells).toList());
  }

  @Test
  void columnsOfResultsAndUnknownClassesAreRefused() {
    Grid results = grid("errors\n1\n");
    assertThrows(UsageException.class, () -> Sweep.of(results, Recipe.DEFAULTS, DATA, 1));
    Grid unknown = grid("classes\n\"a,x\"\n");
    String message =
        assertThrows(UsageException.class, () -> Sweep.of(unknown, Recipe.DEFAULTS, DATA, 1))
            .getMessage();
    assertTrue(message.contains("class x"), message);
  }
}
