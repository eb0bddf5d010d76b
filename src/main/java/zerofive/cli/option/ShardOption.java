package zerofive.cli.option;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import zerofive.study.Shard;

/**
 * {@code --shard}: {@code 2/4}, counted from 1, or {@code auto}: the place that a cluster's
 * scheduler gave this process, an indexed Job of Kubernetes or an array of Slurm. Kubernetes tells
 * no count, so {@code auto/4} does.
 */
public final class ShardOption {
  static final String AUTO = "auto";

  private static final String KUBERNETES = "JOB_COMPLETION_INDEX";
  private static final String KUBERNETES_COUNT = "JOB_COMPLETIONS";
  private static final String SLURM = "SLURM_ARRAY_TASK_ID";
  private static final String SLURM_COUNT = "SLURM_ARRAY_TASK_COUNT";
  private static final String SLURM_MIN = "SLURM_ARRAY_TASK_MIN";
  private static final String SLURM_STEP = "SLURM_ARRAY_TASK_STEP";

  private final Map<String, String> environment;

  private ShardOption(Map<String, String> environment) {
    this.environment = environment;
  }

  /** Throws IllegalArgumentException where the text or the environment makes no sense. */
  public static Shard parse(String text, Map<String, String> environment) {
    String[] parts = text.split("/", -1);
    if (parts[0].equals(AUTO) && parts.length <= 2) {
      Optional<Integer> count =
          parts.length == 2 ? Optional.of(number(text, parts[1])) : Optional.empty();
      return new ShardOption(environment).automatic(count);
    }
    if (parts.length != 2) {
      throw notAShare(text, null);
    }
    return new Shard(number(text, parts[0]), number(text, parts[1]));
  }

  private static int number(String text, String part) {
    try {
      return Integer.parseInt(part);
    } catch (NumberFormatException e) {
      throw notAShare(text, e);
    }
  }

  private static IllegalArgumentException notAShare(String text, Exception cause) {
    return new IllegalArgumentException(
        "'" + text + "' is no share; 2/4 is the second of four, auto asks the environment", cause);
  }

  private Shard automatic(Optional<Integer> asked) {
    List<String> there = List.of(KUBERNETES, SLURM).stream().filter(this::isSet).toList();
    if (there.size() != 1) {
      throw new IllegalArgumentException(
          "auto needs "
              + KUBERNETES
              + " (an indexed Job of Kubernetes) or "
              + SLURM
              + " (an array of Slurm) in the environment, which has "
              + (there.isEmpty() ? "neither" : "both")
              + "; name the share, as 2/4");
    }
    boolean slurm = there.contains(SLURM);
    String name = slurm ? SLURM : KUBERNETES;
    String countName = slurm ? SLURM_COUNT : KUBERNETES_COUNT;
    int count;
    if (isSet(countName)) {
      count = variable(countName, value -> value > 0);
      if (asked.isPresent() && asked.get() != count) {
        throw new IllegalArgumentException(
            "auto/" + asked.get() + " contradicts " + countName + "=" + count);
      }
    } else {
      count =
          asked.orElseThrow(
              () ->
                  new IllegalArgumentException(
                      countName
                          + " is not set; say how many shares there are, as auto/4, or set it"));
    }
    int least = slurm && isSet(SLURM_MIN) ? variable(SLURM_MIN, value -> value >= 0) : 0;
    int step = slurm && isSet(SLURM_STEP) ? variable(SLURM_STEP, value -> value > 0) : 1;
    int index = variable(name, value -> value >= least && (value - least) % step == 0);
    if ((index - least) / step >= count) {
      throw new IllegalArgumentException(
          name + "=" + index + " is beyond the last of " + count + " shares");
    }
    return new Shard((index - least) / step + 1, count);
  }

  private boolean isSet(String name) {
    return !environment.getOrDefault(name, "").isBlank();
  }

  private int variable(String name, Predicate<Integer> sensible) {
    String text = environment.get(name);
    try {
      int value = Integer.parseInt(text.strip());
      if (sensible.test(value)) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(name + "='" + text + "' is not an integer", e);
    }
    throw new IllegalArgumentException(name + "=" + text + " makes no sense");
  }
}
