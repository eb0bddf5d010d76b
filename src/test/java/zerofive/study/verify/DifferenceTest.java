package zerofive.study.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.model.Architecture;
import zerofive.model.Parameters;
import zerofive.train.EpochRecord;

class DifferenceTest {
  private static final Architecture ARCHITECTURE = new Architecture(4, List.of(3), 1);

  private static Parameters parameters() {
    float[] values = new float[ARCHITECTURE.parameterCount()];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return new Parameters(ARCHITECTURE, values);
  }

  /** 12 weights, 3 biases, 3 weights, 1 bias. */
  @ParameterizedTest
  @CsvSource({
    "0, '0.weight[0, 0]'",
    "6, '0.weight[1, 2]'",
    "11, '0.weight[2, 3]'",
    "12, '0.bias[0]'",
    "14, '0.bias[2]'",
    "15, '2.weight[0, 0]'",
    "18, '2.bias[0]'"
  })
  void theFirstValueThatDiffersIsNamedByItsTensorAndIndex(int place, String name) {
    Parameters changed = parameters();
    changed.values()[place] += 0.5f;
    ValueDifference difference = ValueDifference.first(parameters(), changed).orElseThrow();
    assertEquals(name, difference.place());
    assertEquals(place, difference.file());
    assertEquals(place + 0.5f, difference.computed());
    assertEquals(1, difference.count());
    assertEquals(19, difference.of());
  }

  @Test
  void allThatDifferAreCountedAndBitsCount() {
    assertEquals(Optional.empty(), ValueDifference.first(parameters(), parameters()));
    Parameters changed = parameters();
    changed.values()[0] = -0f;
    changed.values()[17] = 1;
    ValueDifference difference = ValueDifference.first(parameters(), changed).orElseThrow();
    assertEquals("0.weight[0, 0]", difference.place());
    assertEquals(2, difference.count());
  }

  private static EpochRecord row(int epoch, double trainLoss, double validLoss) {
    return new EpochRecord(epoch, trainLoss, validLoss, 0.5, 3, 1, 1);
  }

  @Test
  void lossesAreComparedToNineDigitsInTheEpochsThatBothHave() {
    List<EpochRecord> file = List.of(row(1, 0.123456789, 0.2), row(2, 0.1, 0.2), row(3, 0.1, 0.2));
    List<EpochRecord> alike = List.of(row(1, 0.1234567890001, 0.2), row(2, 0.1, 0.2));
    assertEquals(Optional.empty(), LossDifference.first(file, alike));
    LossDifference train =
        LossDifference.first(file, List.of(row(1, 0.12345679, 0.2))).orElseThrow();
    assertEquals(1, train.epoch());
    assertEquals(0.123456789, train.trainLoss());
    assertEquals(0.12345679, train.computedTrainLoss());
    LossDifference valid =
        LossDifference.first(file, List.of(file.get(0), row(2, 0.1, Double.NaN))).orElseThrow();
    assertEquals(2, valid.epoch());
    assertTrue(Double.isNaN(valid.computedValidLoss()));
  }
}
