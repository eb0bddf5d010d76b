package zerofive.study.predict;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import zerofive.files.AtomicFile;
import zerofive.files.InputException;
import zerofive.files.Json;
import zerofive.files.Sha256;
import zerofive.files.TextFile;
import zerofive.study.Shard;

/**
 * One shard of predictions: a file, and its description in {@code FILE.json}, which is written
 * last. Shards are consecutive blocks of one listing: their files, concatenated, are what a single
 * process writes.
 *
 * @param file of the predictions
 * @param shard which one it is
 * @param options what all shards must agree in: model, images and options, by name
 * @param unreadable files that were named on standard error and have no row
 */
public record PredictionShard(
    Path file, Shard shard, Map<String, String> options, long unreadable) {
  /** The name of what the rows are written as, among the options. */
  public static final String FORMAT = "format";

  /** The value of {@link #FORMAT} whose first line is the {@link #HEADER}. */
  public static final String CSV = "csv";

  /** The columns of predictions as CSV. */
  public static final String HEADER = "path,class,probability";

  private static final String SHARD = "shard";
  private static final String SHARDS = "shards";
  private static final String OPTIONS = "options";
  private static final String UNREADABLE = "unreadable";
  private static final String SHA256 = "sha256";

  /** The file beside the predictions. */
  public static Path description(Path file) {
    return file.resolveSibling(file.getFileName() + ".json");
  }

  /** SHA-256 of names in their order, by which shards know that they are of one listing. */
  public static String listing(List<Path> paths) {
    MessageDigest digest = Sha256.digest();
    for (Path path : paths) {
      digest.update((path + "\0").getBytes(StandardCharsets.UTF_8));
    }
    return Sha256.hex(digest.digest());
  }

  /**
   * Writes the description of a file that is complete. Throws OutputException.
   *
   * @param receipt who computed it, for people
   */
  public void write(Record receipt) {
    JsonObject json = new JsonObject();
    json.addProperty(SHARD, shard.number());
    json.addProperty(SHARDS, shard.count());
    json.add(OPTIONS, Json.of(options));
    json.addProperty(UNREADABLE, unreadable);
    json.addProperty(SHA256, Sha256.of(file));
    json.add("receipt", Json.of(receipt));
    AtomicFile.write(description(file), Json.file(json));
  }

  /**
   * Reads what a file says of itself.
   *
   * @throws InputException where it is damaged, or not the file that its description is of
   */
  static PredictionShard read(Path file) {
    Path description = description(file);
    if (!Files.exists(description)) {
      throw new InputException(
          description
              + " is missing, which predict --shard writes when "
              + file
              + " is complete; let that shard finish, or name the files that it wrote");
    }
    try {
      JsonObject json = Json.parse(TextFile.readJson(description));
      Map<String, String> options = new LinkedHashMap<>();
      for (Map.Entry<String, JsonElement> option : json.getAsJsonObject(OPTIONS).entrySet()) {
        options.put(option.getKey(), option.getValue().getAsString());
      }
      if (!json.get(SHA256).getAsString().equals(Sha256.of(file))) {
        throw new InputException(
            file
                + " is not the file that "
                + description
                + " describes (its SHA-256 is another); predict that shard again");
      }
      return new PredictionShard(
          file,
          new Shard(json.get(SHARD).getAsInt(), json.get(SHARDS).getAsInt()),
          options,
          json.get(UNREADABLE).getAsLong());
    } catch (IllegalArgumentException
        | IllegalStateException
        | ClassCastException
        | UnsupportedOperationException
        | NullPointerException e) {
      throw new InputException(
          description
              + " is damaged: it is not the JSON that predict --shard writes; predict that shard"
              + " again",
          e);
    }
  }

  /**
   * All shards of one listing, in its order.
   *
   * @throws IllegalArgumentException where one is missing or there twice, or they differ in what
   *     they must agree in
   * @throws InputException where a file is damaged
   */
  public static List<PredictionShard> all(List<Path> files) {
    PredictionShard[] shards = null;
    PredictionShard first = null;
    for (Path file : files) {
      PredictionShard next = read(file);
      if (first == null) {
        first = next;
        // As many as were named at most: a damaged file may say any number.
        shards = new PredictionShard[Math.min(next.shard.count(), files.size() + 1)];
      }
      checkSame(first, next);
      int index = next.shard.number() - 1;
      if (index < shards.length) {
        if (shards[index] != null) {
          throw new IllegalArgumentException(
              "shard "
                  + next.shard
                  + " is in both "
                  + shards[index].file
                  + " and "
                  + file
                  + "; name each shard once");
        }
        shards[index] = next;
      }
    }
    List<PredictionShard> all = new ArrayList<>();
    for (int i = 0; i < shards.length; i++) {
      if (shards[i] == null) {
        throw new IllegalArgumentException(
            "shard "
                + (i + 1)
                + "/"
                + first.shard.count()
                + " is in none of the files; let every shard finish, and name them all");
      }
      all.add(shards[i]);
    }
    return all;
  }

  private static void checkSame(PredictionShard first, PredictionShard next) {
    if (next.shard.count() != first.shard.count()) {
      throw differs(next.file, "shard " + next.shard, "shard " + first.shard, first.file);
    }
    for (String name : first.options.keySet()) {
      String here = Objects.toString(next.options.get(name), "unknown");
      String there = first.options.get(name);
      if (!here.equals(there)) {
        throw differs(next.file, name + " " + here, there, first.file);
      }
    }
  }

  private static IllegalArgumentException differs(
      Path file, String here, String there, Path first) {
    return new IllegalArgumentException(
        file
            + " was made with "
            + here
            + ", not "
            + there
            + " as "
            + first
            + "; merge shards of one listing, model and set of options");
  }

  /** Writes the predictions of all shards one after the other, with one header. */
  public static void join(List<PredictionShard> shards, OutputStream stream) {
    for (int i = 0; i < shards.size(); i++) {
      Path file = shards.get(i).file;
      try (InputStream rows = Files.newInputStream(file)) {
        if (i > 0 && CSV.equals(shards.get(i).options.get(FORMAT))) {
          rows.skipNBytes(HEADER.length() + 1L);
        }
        rows.transferTo(stream);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
