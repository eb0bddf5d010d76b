package zerofive.study;

import static zerofive.train.Settings.ARITHMETIC;
import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.DATA;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.SEED;
import static zerofive.train.Settings.THREADS;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import zerofive.backend.Arithmetic;
import zerofive.data.ClassFilter;
import zerofive.files.AtomicFile;
import zerofive.files.InputException;
import zerofive.files.Json;
import zerofive.files.TextFile;
import zerofive.run.NotComparableException;
import zerofive.run.RunFolder;
import zerofive.train.Recipe;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.Settings;

/**
 * The settings of {@code pairs}: what its {@code config.json} holds. The settings of each training
 * are those of {@code train}, without what changes no bit of it (threads) and what keeps a single
 * run (checkpoints).
 *
 * @param training the settings of each training, whose classes and seed are the pair's
 * @param classes whose pairs are trained
 * @param seeds of each pair, counted on from the training's
 * @param shard the share that is trained here
 */
public record PairsConfig(Recipe training, List<String> classes, int seeds, Shard shard) {
  /** What {@code config.json} has of a training's settings. */
  private static final List<Setting<?>> OF_TRAINING =
      Settings.without(EnumSet.of(Group.RUN), CLASSES, THREADS);

  /** In what runs must agree whose results stand in one table, beside the arithmetic. */
  private static final List<Setting<?>> COMPARED =
      Settings.without(EnumSet.of(Group.RUN, Group.RECORDED), CLASSES, THREADS);

  private static final String SEEDS = "seeds";
  private static final String SHARD = "shard";
  private static final String SHARDS = "shards";

  /** As many rows as a pairs.csv may have to be read; a damaged file may ask for any number. */
  private static final long MAX_TRAININGS = 400_000;

  /** Throws IllegalArgumentException where there are too many trainings, or no seeds for them. */
  public PairsConfig {
    classes = List.copyOf(classes);
    if (classes.size() < 2 || new HashSet<>(classes).size() < classes.size() || seeds < 1) {
      throw new IllegalArgumentException("these classes or seeds make no pairs");
    }
    training = training.with(CLASSES, new ClassFilter(classes.subList(0, 2))).checked();
    long pairs = (long) classes.size() * (classes.size() - 1) / 2;
    if (pairs > MAX_TRAININGS / seeds) {
      throw new IllegalArgumentException(
          pairs + " pairs with " + seeds + " seeds are more than " + MAX_TRAININGS + " trainings");
    }
    long seed = training.get(SEED);
    if (seed > Long.MAX_VALUE - seeds) {
      throw new IllegalArgumentException(
          seeds + " seeds from " + seed + " on reach beyond the largest number");
    }
  }

  /** The same settings for all shares together. */
  public PairsConfig whole() {
    return new PairsConfig(training, classes, seeds, Shard.WHOLE);
  }

  /** Reads the settings of the run in {@code folder}. Throws InputException. */
  public static PairsConfig read(RunFolder folder) {
    Path file = folder.file(RunFolder.CONFIG);
    try {
      JsonObject json = Json.parse(TextFile.readJson(file));
      if (!json.has(RunFolder.PAIRS_OF)) {
        throw new InputException(
            folder.path() + " is not a run of pairs; name a folder that pairs wrote");
      }
      return of(json);
    } catch (IllegalArgumentException
        | IllegalStateException
        | ArithmeticException
        | ClassCastException
        | UnsupportedOperationException
        | NullPointerException e) {
      throw new InputException(
          file + " is damaged: it is not the JSON that pairs writes; restore it or start anew", e);
    }
  }

  private static PairsConfig of(JsonObject json) {
    List<String> classes = new ArrayList<>();
    json.getAsJsonArray(RunFolder.PAIRS_OF).forEach(name -> classes.add(name.getAsString()));
    return new PairsConfig(
        Recipe.of(json, OF_TRAINING),
        classes,
        integer(json, SEEDS),
        new Shard(integer(json, SHARD), integer(json, SHARDS)));
  }

  private static int integer(JsonObject json, String name) {
    return json.get(name).getAsBigDecimal().intValueExact();
  }

  /** Writes the settings, which makes the folder a run. */
  public void write(RunFolder folder) {
    JsonObject json = training.json(OF_TRAINING);
    JsonArray names = new JsonArray();
    classes.forEach(names::add);
    json.add(RunFolder.PAIRS_OF, names);
    json.addProperty(SEEDS, seeds);
    json.addProperty(SHARD, shard.number());
    json.addProperty(SHARDS, shard.count());
    AtomicFile.write(folder.file(RunFolder.CONFIG), Json.file(json));
  }

  /**
   * The first setting in which another run differs, shard and arithmetic apart: {@code lr 0.5, not
   * 0.1}.
   */
  public Optional<String> difference(PairsConfig other) {
    return training
        .difference(other.training, COMPARED)
        .or(() -> difference(RunFolder.PAIRS_OF, classes, other.classes))
        .or(() -> difference(SEEDS, seeds, other.seeds));
  }

  private static Optional<String> difference(String name, Object here, Object there) {
    return here.equals(there)
        ? Optional.empty()
        : Optional.of(name + " " + here + ", not " + there);
  }

  /**
   * Throws NotComparableException where another run of these settings has another arithmetic.
   *
   * @param run where this one is
   * @param remedy what to do then
   */
  void checkArithmetic(PairsConfig other, Path run, String remedy) {
    Optional<Integer> here = training.get(ARITHMETIC);
    Optional<Integer> there = other.training.get(ARITHMETIC);
    if (!here.equals(there)) {
      throw new NotComparableException(
          run
              + " was made with "
              + Arithmetic.describe(here)
              + ", not with "
              + Arithmetic.describe(there)
              + ", and one table has no mixture of them; "
              + remedy);
    }
  }

  /** The model's name. */
  public String model() {
    return training.get(MODEL);
  }

  /** The data set's name, or the last part of its folder's. */
  public String data() {
    String data = training.get(DATA);
    return data.substring(data.lastIndexOf(File.separatorChar) + 1);
  }

  /** The trainings of all shares. */
  public List<Pair> all() {
    return Pair.all(classes, training.get(SEED), seeds);
  }

  /** The trainings of this share. */
  public List<Pair> pairs() {
    return shard.of(all());
  }
}
