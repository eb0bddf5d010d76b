package zerofive.backend.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Threads that compute together, without and with pauses between their jobs. */
final class TeamTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void everyMemberDoesEveryJobOnce(int members) {
    int[] done = new int[members];
    try (Team team = new Team(members)) {
      assertEquals(members, team.members());
      for (int job = 1; job <= 300; job++) {
        team.run(member -> done[member]++);
        if (job % 100 == 0) {
          // Long enough that those that wait go to sleep.
          LockSupport.parkNanos(20_000_000);
        }
        int[] expected = new int[members];
        Arrays.fill(expected, job);
        assertArrayEquals(expected, done);
      }
    }
  }

  @Test
  void theEndOfAPartIsTheStartOfTheNext() {
    try (Team team = new Team(3)) {
      assertEquals(0, team.start(100, 0));
      assertEquals(33, team.start(100, 1));
      assertEquals(100, team.start(100, 3));
      assertEquals(Integer.MAX_VALUE, team.start(Integer.MAX_VALUE, 3));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  void whatAMemberThrowsReachesTheCallerAndTheTeamGoesOn(int thrower) {
    try (Team team = new Team(3)) {
      assertThrows(
          IllegalStateException.class,
          () ->
              team.run(
                  member -> {
                    if (member == thrower) {
                      throw new IllegalStateException("it failed");
                    }
                  }));
      int[] done = new int[3];
      team.run(member -> done[member]++);
      assertArrayEquals(new int[] {1, 1, 1}, done);
    }
  }

  @Test
  void aClosedTeamRefuses() {
    Team team = new Team(2);
    team.close();
    team.close();
    assertThrows(IllegalStateException.class, () -> team.run(member -> {}));
  }
}
