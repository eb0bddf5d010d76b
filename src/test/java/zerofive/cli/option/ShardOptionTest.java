package zerofive.cli.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Shares named by the user, by Kubernetes and by Slurm. */
class ShardOptionTest {
  private static Map<String, String> environment(String text) {
    return Arrays.stream(text.strip().split(" +", -1))
        .filter(pair -> pair.contains("="))
        .map(
            pair ->
                pair.replace("K8S", "JOB_COMPLETION_INDEX")
                    .replace("ID=", "SLURM_ARRAY_TASK_ID=")
                    .replace("COUNT=", "SLURM_ARRAY_TASK_COUNT=")
                    .replace("MIN=", "SLURM_ARRAY_TASK_MIN=")
                    .replace("STEP=", "SLURM_ARRAY_TASK_STEP="))
        .map(pair -> pair.split("=", -1))
        .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2/4 | K8S=0 | 2/4",
        "1/1 | - | 1/1",
        "auto/4 | K8S=0 | 1/4",
        "auto | K8S=3 JOB_COMPLETIONS=4 | 4/4",
        "auto/4 | K8S=3 JOB_COMPLETIONS=4 | 4/4",
        "auto | ID=0 COUNT=3 MIN=0 | 1/3",
        "auto | ID=12 COUNT=3 MIN=10 | 3/3",
        "auto | ID=7 COUNT=3 MIN=3 STEP=2 | 3/3",
        "auto/5 | ID=4 | 5/5",
        "auto | ID=2 COUNT=3 K8S= | 3/3",
      })
  void whoIsAskedTellsTheShare(String text, String variables, String share) {
    assertEquals(share, ShardOption.parse(text, environment(variables)).toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "auto | - | has neither",
        "auto | K8S=1 ID=1 COUNT=2 | has both",
        "auto | K8S=1 | JOB_COMPLETIONS is not set",
        "auto | ID=1 | SLURM_ARRAY_TASK_COUNT is not set",
        "auto/4 | K8S=4 | beyond the last of 4",
        "auto/4 | K8S=-1 | makes no sense",
        "auto/4 | K8S=one | is not an integer",
        "auto/4 | K8S=99999999999 | is not an integer",
        "auto/4 | K8S=1 JOB_COMPLETIONS=5 | contradicts JOB_COMPLETIONS=5",
        "auto | K8S=1 JOB_COMPLETIONS=0 | makes no sense",
        "auto | ID=1 COUNT=3 MIN=2 | SLURM_ARRAY_TASK_ID=1 makes no sense",
        "auto | ID=4 COUNT=3 MIN=3 STEP=2 | SLURM_ARRAY_TASK_ID=4 makes no sense",
        "auto/0 | K8S=0 | beyond the last of 0",
        "auto/x | K8S=0 | is no share",
        "auto/2/3 | K8S=0 | is no share",
        "1/2/3 | - | is no share",
        "-1/2 | - | no share -1 of 2",
        "5/4 | - | no share 5 of 4",
      })
  void whatMakesNoSenseIsSaid(String text, String variables, String said) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> ShardOption.parse(text, environment(variables)))
            .getMessage();
    assertTrue(message.contains(said), message);
  }
}
