package zerofive.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ScheduleTest {
  @Test
  void constantIsTheSameAtEveryStep() {
    assertEquals(0.5f, Schedule.CONSTANT.rate(0.5f, 0, 100));
    assertEquals(0.5f, Schedule.CONSTANT.rate(0.5f, 99, 100));
  }

  @Test
  void cosineFallsFromTheRateTowardsZero() {
    assertEquals(0.5f, Schedule.COSINE.rate(0.5f, 0, 100));
    assertEquals(0.25f, Schedule.COSINE.rate(0.5f, 50, 100), 1e-7f);
    assertEquals(
        0.5 * (1 + Math.cos(0.99 * Math.PI)) / 2, Schedule.COSINE.rate(0.5f, 99, 100), 1e-9);
  }

  /**
   * torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=100): 0.04 first, 1 at step 29, 0.04
   * / 10000 last.
   */
  @Test
  void oneCycleHasTorchsStartPeakAndEnd() {
    assertEquals(0.04f, Schedule.ONE_CYCLE.rate(1, 0, 100), 1e-9f);
    assertEquals(1f, Schedule.ONE_CYCLE.rate(1, 29, 100));
    assertEquals(4e-6f, Schedule.ONE_CYCLE.rate(1, 99, 100), 1e-12f);
    double middle = 0.04 + 0.96 * (1 - Math.cos(Math.PI * 10 / 29)) / 2;
    assertEquals(middle, Schedule.ONE_CYCLE.rate(1, 10, 100), 1e-7);
  }

  @Test
  void everyScheduleIsPositiveAndFiniteForRunsOfFewSteps() {
    for (Schedule schedule : Schedule.values()) {
      for (int steps = 1; steps <= 12; steps++) {
        for (int step = 0; step < steps; step++) {
          float rate = schedule.rate(0.1f, step, steps);
          assertEquals(true, rate > 0 && rate <= 0.1f, schedule + " " + step + "/" + steps);
        }
      }
    }
  }
}
