package zerofive.train;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import zerofive.data.AtomicFile;
import zerofive.data.InputException;
import zerofive.data.TextFile;

/**
 * The settings of {@code pairs}: what its {@code config.json} holds. The settings of each training
 * are those of {@code train}, without what changes no bit of it (threads) and what keeps a single
 * run (checkpoints).
 */
public final class PairsConfig {
  private static final String PAIRS_OF = "pairs_of";
  private static final String SEED = "seed";
  private static final String SEEDS = "seeds";
  private static final String SHARD = "shard";
  private static final String SHARDS = "shards";

  /** Enough for every experiment; a damaged file may ask for any number. */
  private static final long MOST_TRAININGS = 10_000_000;

  private final JsonObject json;
  private final String model;
  private final String data;
  private final List<String> classes;
  private final long seed;
  private final int seeds;
  private final Shard shard;

  private PairsConfig(JsonObject json) {
    this.json = json;
    List<String> names = new ArrayList<>();
    json.get(PAIRS_OF).getAsJsonArray().forEach(name -> names.add(name.getAsString()));
    classes = List.copyOf(names);
    seeds = json.get(SEEDS).getAsBigDecimal().intValueExact();
    shard =
        new Shard(
            json.get(SHARD).getAsBigDecimal().intValueExact(),
            json.get(SHARDS).getAsBigDecimal().intValueExact());
    model = json.get("model").getAsString();
    data = json.get("data").getAsString();
    seed = json.get(SEED).getAsLong();
    if (classes.size() < 2 || new HashSet<>(classes).size() < classes.size() || seeds < 1) {
      throw new IllegalArgumentException("these classes or seeds make no pairs");
    }
    long pairs = (long) classes.size() * (classes.size() - 1) / 2;
    if (pairs > MOST_TRAININGS / seeds) {
      throw new IllegalArgumentException(
          pairs + " pairs with " + seeds + " seeds are more than " + MOST_TRAININGS + " trainings");
    }
    if (seed > Long.MAX_VALUE - seeds) {
      throw new IllegalArgumentException(
          seeds + " seeds from " + seed + " on reach beyond the largest number");
    }
  }

  /**
   * New settings.
   *
   * @param training the settings of each training, of any two of the classes and the first seed
   * @param classes whose pairs are trained
   * @param seeds of each pair, counted on from the training's
   * @param shard the share that is trained here
   * @throws IllegalArgumentException where there are too many trainings, or no seeds for them
   */
  public static PairsConfig of(RunConfig training, List<String> classes, int seeds, Shard shard) {
    JsonObject json = JsonParser.parseString(training.toJson()).getAsJsonObject();
    for (String own : List.of("classes", "threads", "checkpoint_every", "tensorboard")) {
      json.remove(own);
    }
    JsonArray names = new JsonArray();
    classes.forEach(names::add);
    json.add(PAIRS_OF, names);
    json.addProperty(SEEDS, seeds);
    return of(json, shard);
  }

  private static PairsConfig of(JsonObject json, Shard shard) {
    json.addProperty(SHARD, shard.number());
    json.addProperty(SHARDS, shard.count());
    return new PairsConfig(json);
  }

  /** The same settings for all shares together. */
  public PairsConfig whole() {
    return of(json.deepCopy(), Shard.WHOLE);
  }

  /** Whether a {@code config.json} that no single training has written is one of pairs. */
  static boolean isIn(String text) {
    return text.contains('"' + PAIRS_OF + '"');
  }

  /** Reads the settings of the run in {@code folder}. Throws InputException. */
  public static PairsConfig read(RunFolder folder) {
    Path file = folder.file(RunFolder.CONFIG);
    try {
      JsonObject json = JsonParser.parseString(TextFile.read(file)).getAsJsonObject();
      if (!json.has(PAIRS_OF)) {
        throw new InputException(
            folder.path() + " is not a run of pairs; name a folder that pairs wrote");
      }
      return new PairsConfig(json);
    } catch (JsonParseException
        | IllegalStateException
        | IllegalArgumentException
        | ArithmeticException
        | UnsupportedOperationException
        | NullPointerException
        | StackOverflowError e) {
      throw new InputException(
          file + " is damaged: it is not the JSON that pairs writes; restore it or start anew", e);
    }
  }

  /** Writes the settings, which makes the folder a run. */
  public void write(RunFolder folder) {
    AtomicFile.write(
        folder.file(RunFolder.CONFIG),
        new GsonBuilder().setPrettyPrinting().create().toJson(json) + "\n");
  }

  /** The first setting in which another run differs, the share apart: {@code lr 0.5, not 0.1}. */
  public Optional<String> difference(PairsConfig other) {
    Set<String> names = new TreeSet<>(json.keySet());
    names.addAll(other.json.keySet());
    names.removeAll(List.of(SHARD, SHARDS));
    for (String name : names) {
      JsonElement here = json.get(name);
      JsonElement there = other.json.get(name);
      if (here == null || !here.equals(there)) {
        return Optional.of(name + " " + text(here) + ", not " + text(there));
      }
    }
    return Optional.empty();
  }

  private static String text(JsonElement value) {
    return value == null ? "none" : value.toString().replace("\"", "");
  }

  /** The model's name. */
  public String model() {
    return model;
  }

  /** The data set's name, or the last part of its folder's. */
  public String data() {
    return data.substring(data.lastIndexOf(File.separatorChar) + 1);
  }

  /** The classes whose pairs are trained. */
  public List<String> classes() {
    return classes;
  }

  /** How many seeds each pair is trained from. */
  public int seeds() {
    return seeds;
  }

  /** The share that is trained here. */
  public Shard shard() {
    return shard;
  }

  /** The trainings of all shares. */
  public List<Pair> all() {
    return Pair.all(classes, seed, seeds);
  }

  /** The trainings of this share. */
  public List<Pair> pairs() {
    return shard.of(all());
  }
}
