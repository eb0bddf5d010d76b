package zerofive.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import zerofive.backend.Gradients;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Parameters;

class StatisticsTest {
  private static final ImageSet IMAGES = new ImageSet(new byte[2], new int[1], 1, 2);

  private static final Gradients THREE_FOUR_FIVE =
      new Gradients() {
        @Override
        public double[] of(Parameters model, ImageSet images) {
          return new double[] {-3, 0, 4};
        }

        @Override
        public void close() {}
      };

  @Test
  void areTheseOfTheGradientAndOfEachWeight() {
    Architecture linear = new Architecture(2, List.of(), 1);
    Parameters before = new Parameters(linear, new float[] {3, -4, 100});
    Parameters after = new Parameters(linear, new float[] {6, -8, 200});
    try (Statistics statistics = new Statistics(THREE_FOUR_FIVE, IMAGES, before)) {
      assertEquals(
          "{gradient_norm=5.0, weight_norm=10.0, weight_mean=-1.0, weight_std=7.0,"
              + " weight_max_abs=8.0, weight_update_ratio=1.0}",
          statistics.next(after).toString());
      assertEquals(0.0, statistics.next(after).get("weight_update_ratio"));
    }
  }

  @Test
  void aDeeperNetNamesItsLayersAsItsTensors() {
    List<String> names = Statistics.names(new Architecture(4, List.of(3), 1));
    assertEquals(11, names.size());
    assertEquals("0.weight_norm", names.get(1));
    assertEquals("2.weight_update_ratio", names.get(10));
  }
}
