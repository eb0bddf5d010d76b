package zerofive.study;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A shard of a list: of trainings every {@code count}-th, so that all shards take about the same
 * time; of files to predict a block, so that the shards' results one after the other are the
 * list's.
 *
 * @param number counted from 1
 * @param count of shards, 1 for the whole
 */
public record Shard(int number, int count) {
  /** All of it. */
  public static final Shard WHOLE = new Shard(1, 1);

  /** Throws IllegalArgumentException where there is no such shard. */
  public Shard {
    if (number < 1 || number > count) {
      throw new IllegalArgumentException("there is no shard " + number + " of " + count);
    }
  }

  /** Parses {@code 2/4}, the second of four; throws IllegalArgumentException. */
  public static Shard parse(String text) {
    String[] parts = text.split("/", -1);
    try {
      if (parts.length == 2) {
        return new Shard(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(notAShard(text), e);
    }
    throw new IllegalArgumentException(notAShard(text));
  }

  private static String notAShard(String text) {
    return "'" + text + "' is not a shard; 2/4 is the second of four";
  }

  /** This shard of the list. */
  <T> List<T> of(List<T> all) {
    return IntStream.range(0, all.size())
        .filter(i -> i % count == number - 1)
        .mapToObj(all::get)
        .toList();
  }

  /** The part of the list that is this shard where every shard is a block of it. */
  public <T> List<T> block(List<T> all) {
    int start = (int) ((long) all.size() * (number - 1) / count);
    int end = (int) ((long) all.size() * number / count);
    return all.subList(start, end);
  }

  @Override
  public String toString() {
    return number + "/" + count;
  }
}
