package zerofive.run;

import static zerofive.train.Settings.ARITHMETIC;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.INIT_FROM;
import static zerofive.train.Settings.SEED;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import zerofive.data.DataSet;
import zerofive.files.AtomicFile;
import zerofive.files.InputException;
import zerofive.files.Json;
import zerofive.files.Sha256;
import zerofive.files.TextFile;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;

/**
 * {@code receipt.json}: what is needed to make a run's figures again. The data is named by SHA-256;
 * every start and every resumption adds the program, the device and the command line it ran with.
 */
public final class Receipt {
  private static final String SESSIONS = "sessions";
  private static final String DATA = "data";
  private static final String SHA256 = "sha256";
  private static final String RESULT = "result";
  private static final String MODEL_SHA256 = "model_sha256";
  private static final String PAIRS_SHA256 = "pairs_csv_sha256";
  private static final String START_SHA256 = "init_from_sha256";
  private static final String TRAINED_EPOCHS = "trained_epochs";
  private static final String STOPPED_EARLY = "stopped_early";

  private final Path file;
  private final JsonObject json;

  /**
   * Who computed a part of a run.
   *
   * @param program version and commit of zerofive
   * @param backend name
   * @param device in words
   * @param details what else is worth knowing of the device
   * @param commandLine as it was given
   */
  public record Session(
      String program,
      String backend,
      String device,
      Map<String, String> details,
      List<String> commandLine) {}

  /**
   * A part of a run: from a start or a resumption on.
   *
   * @param started when, in UTC to the second
   * @param fromEpoch epochs that were finished before
   * @param epochs that the whole run was to have, as the learning rate's schedule took them
   * @param arithmetic the number of {@link zerofive.backend.Arithmetic} that computed it; or none
   * @param session who computed it
   * @param java the virtual machine
   * @param system the operating system
   * @param folder where the command was given
   */
  public record Part(
      String started,
      String fromEpoch,
      String epochs,
      String arithmetic,
      Session session,
      String java,
      String system,
      String folder) {}

  private Receipt(Path file, JsonObject json) {
    this.file = file;
    this.json = json;
  }

  /** A new run's receipt. Reads the file the run starts from, where there is one. */
  public static Receipt begin(Path file, DataSet data, Recipe recipe) {
    JsonObject json = new JsonObject();
    json.add(DATA, describe(data));
    json.addProperty("seed", recipe.get(SEED));
    recipe
        .get(INIT_FROM)
        .ifPresent(start -> json.addProperty(START_SHA256, Sha256.of(Path.of(start))));
    json.add(SESSIONS, new JsonArray());
    return new Receipt(file, json);
  }

  /** Reads the receipt of a run to be resumed. Throws InputException where it is damaged. */
  public static Receipt read(Path file) {
    JsonObject json;
    try {
      json = Json.parse(TextFile.readJson(file));
    } catch (IllegalArgumentException e) {
      throw damaged(file, e);
    }
    if (!isReceipt(json)) {
      throw damaged(file, null);
    }
    return new Receipt(file, json);
  }

  /**
   * How a finished run ended.
   *
   * @param epoch that the model is of
   * @param trainedEpochs in all
   * @param stoppedEarly whether it was by {@code --early-stop}, so that no more will follow
   * @param modelSha256 of the model file
   */
  public record Ending(int epoch, int trainedEpochs, boolean stoppedEarly, String modelSha256) {}

  /** How it ended, where {@link #finish} was the last word, and of this very model file. */
  public Optional<Ending> ending(Path model) {
    return ending()
        .filter(end -> Files.isRegularFile(model) && end.modelSha256().equals(Sha256.of(model)));
  }

  /** How it ended, where {@link #finish} was the last word. */
  public Optional<Ending> ending() {
    if (json.get(RESULT) instanceof JsonObject result) {
      try {
        int epoch = Integer.parseInt(text(result, "epoch"));
        // Earlier versions, which knew no early stop, wrote the one number alone.
        int trained =
            result.has(TRAINED_EPOCHS) ? Integer.parseInt(text(result, TRAINED_EPOCHS)) : epoch;
        boolean stoppedEarly = text(result, STOPPED_EARLY).equals("true");
        return Optional.of(new Ending(epoch, trained, stoppedEarly, text(result, MODEL_SHA256)));
      } catch (NumberFormatException e) {
        throw damaged(file, e);
      }
    }
    return Optional.empty();
  }

  /** SHA-256 of the finished table of pairs; empty where it is not finished. */
  public Optional<String> pairsSha256() {
    return json.get(RESULT) instanceof JsonObject result
        ? Optional.of(text(result, PAIRS_SHA256))
        : Optional.empty();
  }

  private static boolean isReceipt(JsonObject json) {
    return json.get(DATA) instanceof JsonObject data
        && data.get(SHA256) instanceof JsonObject
        && json.get(SESSIONS) instanceof JsonArray sessions
        && sessions.asList().stream().allMatch(JsonElement::isJsonObject);
  }

  private static InputException damaged(Path file, Throwable cause) {
    return new InputException(
        file + " is damaged: it is not the JSON that train writes; start a new run", cause);
  }

  /** Throws InputException where {@code data} is not the data this run began with. */
  public void checkData(DataSet data) {
    JsonObject before = sha256();
    JsonObject now = describe(data).getAsJsonObject(SHA256);
    if (!before.equals(now)) {
      throw new InputException(
          "the files of data set "
              + data.name()
              + " are not those the run began with (their SHA-256 differs from "
              + file
              + "); restore them or start a new run");
    }
  }

  /** Throws InputException where {@code start} is not the file of weights this run began with. */
  public void checkStart(Path start) {
    if (!Files.isRegularFile(start)) {
      throw new InputException(
          start + ", whose weights the run began with, is not there; bring it back");
    }
    if (!text(json, START_SHA256).equals(Sha256.of(start))) {
      throw new InputException(
          start
              + " is not the file whose weights the run began with (its SHA-256 differs from "
              + file
              + "); bring that one back");
    }
  }

  /** Who computed the latest part, if any was. */
  public Optional<Session> latest() {
    List<Part> parts = parts();
    return parts.isEmpty() ? Optional.empty() : Optional.of(parts.get(parts.size() - 1).session());
  }

  /** All parts of the run so far, the first one first; what was damaged in the file is empty. */
  public List<Part> parts() {
    List<Part> parts = new ArrayList<>();
    for (JsonElement element : json.getAsJsonArray(SESSIONS)) {
      JsonObject part = element.getAsJsonObject();
      Map<String, String> details = new LinkedHashMap<>();
      if (part.get("device_details") instanceof JsonObject object) {
        object.keySet().forEach(name -> details.put(name, text(object, name)));
      }
      List<String> commandLine = new ArrayList<>();
      if (part.get("command_line") instanceof JsonArray words) {
        words.forEach(word -> commandLine.add(text(word)));
      }
      parts.add(
          new Part(
              text(part, "started"),
              text(part, "from_epoch"),
              text(part, EPOCHS.name()),
              text(part, ARITHMETIC.name()),
              new Session(
                  text(part, "program"),
                  text(part, "backend"),
                  text(part, "device"),
                  details,
                  commandLine),
              text(part, "java"),
              text(part, "system"),
              text(part, "folder")));
    }
    return parts;
  }

  /**
   * The parts that have a share in the epochs 1 to {@code trainedEpochs}, the first one first: not
   * those that were stopped before they saved an epoch.
   */
  public List<Part> partsWithEpochs(int trainedEpochs) {
    List<Part> all = parts();
    List<Part> some = new ArrayList<>();
    int end = trainedEpochs;
    for (int i = all.size() - 1; i >= 0; i--) {
      int from = fromEpoch(all.get(i));
      if (from < end) {
        some.add(0, all.get(i));
        end = from;
      }
    }
    return some;
  }

  private int fromEpoch(Part part) {
    try {
      return Integer.parseInt(part.fromEpoch());
    } catch (NumberFormatException e) {
      throw damaged(file, e);
    }
  }

  /**
   * Adds a part that starts after {@code fromEpoch} and trains by {@code recipe}, which ends any
   * result, and writes the file.
   */
  public void add(Session session, Recipe recipe, int fromEpoch) {
    JsonObject entry = new JsonObject();
    JsonArray commandLine = new JsonArray();
    session.commandLine().forEach(commandLine::add);
    entry.addProperty("started", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    entry.addProperty("from_epoch", fromEpoch);
    entry.addProperty(EPOCHS.name(), recipe.get(EPOCHS));
    recipe.get(ARITHMETIC).ifPresent(number -> entry.addProperty(ARITHMETIC.name(), number));
    entry.addProperty("program", session.program());
    entry.addProperty("backend", session.backend());
    entry.addProperty("device", session.device());
    JsonObject details = new JsonObject();
    session.details().forEach(details::addProperty);
    entry.add("device_details", details);
    entry.addProperty("java", Runtime.version() + " " + System.getProperty("java.vm.name"));
    entry.addProperty(
        "system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    entry.addProperty("folder", Path.of("").toAbsolutePath().toString());
    entry.add("command_line", commandLine);
    json.getAsJsonArray(SESSIONS).add(entry);
    json.remove(RESULT);
    write();
  }

  /**
   * Adds what came out and writes the file.
   *
   * @param selected the epoch that the model is of
   */
  public void finish(
      EpochRecord selected, int trainedEpochs, boolean stoppedEarly, String modelSha256) {
    JsonObject result = new JsonObject();
    result.addProperty("epoch", selected.epoch());
    result.addProperty("valid_loss", selected.validLoss());
    result.addProperty("accuracy", selected.accuracy());
    result.addProperty("errors", selected.errors());
    result.addProperty(TRAINED_EPOCHS, trainedEpochs);
    result.addProperty(STOPPED_EARLY, stoppedEarly);
    result.addProperty(MODEL_SHA256, modelSha256);
    json.add(RESULT, result);
    write();
  }

  /** Adds what many trainings came to and writes the file. */
  public void finish(int pairs, double meanAccuracy, String csvSha256) {
    JsonObject result = new JsonObject();
    result.addProperty("pairs", pairs);
    result.addProperty("mean_accuracy", meanAccuracy);
    result.addProperty(PAIRS_SHA256, csvSha256);
    json.add(RESULT, result);
    write();
  }

  /**
   * A receipt of several runs on the same data, which all took part in its result.
   *
   * @throws InputException where the data are not the same
   */
  public static Receipt join(Path file, List<Receipt> parts) {
    Receipt first = parts.get(0);
    JsonObject json = first.json.deepCopy();
    json.remove(RESULT);
    JsonArray sessions = new JsonArray();
    for (Receipt part : parts) {
      if (!part.sha256().equals(first.sha256())) {
        throw new InputException(
            part.file
                + " names other data than "
                + first.file
                + " (their SHA-256 differs); merge runs on the same files");
      }
      sessions.addAll(part.json.getAsJsonArray(SESSIONS));
    }
    json.add(SESSIONS, sessions);
    return new Receipt(file, json);
  }

  private JsonObject sha256() {
    return json.getAsJsonObject(DATA).getAsJsonObject(SHA256);
  }

  private void write() {
    AtomicFile.write(file, Json.file(json));
  }

  private static JsonObject describe(DataSet data) {
    JsonObject files = new JsonObject();
    data.sha256().forEach(files::addProperty);
    JsonObject json = new JsonObject();
    json.addProperty("name", data.name());
    json.addProperty("train_images", data.train().count());
    json.addProperty("valid_images", data.valid().count());
    if (data.unreadable() > 0) {
      json.addProperty("unreadable_images", data.unreadable());
    }
    json.add(SHA256, files);
    return json;
  }

  private static String text(JsonObject json, String name) {
    return text(json.get(name));
  }

  private static String text(JsonElement value) {
    return value != null && value.isJsonPrimitive() ? value.getAsString() : "";
  }
}
