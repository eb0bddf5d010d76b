package zerofive.study;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class QuartilesTest {
  @Test
  void oneValueIsAllOfThem() {
    assertEquals(new Quartiles(7, 7, 7, 7, 7), Quartiles.of(new double[] {7}));
  }

  @Test
  void theyStandOnValuesWhereThereAreSome() {
    double[] values = {5, 1, 4, 2, 3};
    assertEquals(new Quartiles(1, 2, 3, 4, 5), Quartiles.of(values));
    assertArrayEquals(new double[] {5, 1, 4, 2, 3}, values, "the values are changed");
  }

  @Test
  void elseTheyLieBetweenThem() {
    assertEquals(
        new Quartiles(10, 17.5, 25, 32.5, 40), Quartiles.of(new double[] {40, 10, 30, 20}));
    assertEquals(new Quartiles(1, 1.5, 2, 2.5, 3), Quartiles.of(new double[] {1, 3}));
  }
}
