package zerofive.cli.option;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import zerofive.study.Shard;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;

/** The options by which several processes do a part of the work each, and one joins the parts. */
public final class ShardOptions {
  /** Which part is done here. */
  public static final Setting<Shard> SHARD =
      Setting.parsed("shard", Group.RUN, Shard::parse)
          .valueName("I/N")
          .defaultValue(Shard.WHOLE)
          .build();

  private static final String MERGE = "merge";

  private ShardOptions() {}

  /** The option that names what is to be joined. */
  public static Option merge(String names, String description) {
    return Option.builder().longOpt(MERGE).hasArgs().argName(names).desc(description).get();
  }

  /** What --merge names. */
  public static List<Path> merged(CommandLine line) {
    return Arrays.stream(line.getOptionValues(MERGE))
        .map(
            name -> {
              try {
                return Path.of(name);
              } catch (InvalidPathException e) {
                throw new UsageException("--merge '" + name + "' is not the name of a path", e);
              }
            })
        .toList();
  }

  /** Throws UsageException where an option other than those stands beside --merge. */
  public static void checkMerge(CommandLine line, Set<String> allowed) {
    for (Option option : line.getOptions()) {
      if (!allowed.contains(option.getLongOpt())) {
        throw new UsageException(
            "--"
                + option.getLongOpt()
                + " cannot stand beside --merge, which computes nothing; only --out may");
      }
    }
  }
}
