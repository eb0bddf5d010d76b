package zerofive.run;

import static zerofive.train.Settings.TENSORBOARD;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import zerofive.backend.Optimizer;
import zerofive.files.AtomicFile;
import zerofive.files.FileGuarantees;
import zerofive.files.InputException;
import zerofive.files.OutputException;
import zerofive.files.TextFile;
import zerofive.model.Architecture;
import zerofive.train.Checkpoint;
import zerofive.train.EpochRecord;
import zerofive.train.EpochSink;
import zerofive.train.Recipe;
import zerofive.train.RunStore;

/**
 * Where a run lives. Its files are written so that a kill at any moment leaves a run that can be
 * read and resumed; {@code config.json} is the last file of the beginning, so a folder that has it
 * has the others. A lock on {@code .lock}, a file that is never replaced, keeps a second process
 * out.
 */
public final class RunFolder implements RunStore, AutoCloseable {
  private static final String LOCK = ".lock";
  private static final String RECEIPT = "receipt.json";
  private static final String CHECKPOINT = "checkpoint.safetensors";
  private static final String METRICS = "metrics.csv";

  /** The file of the settings: what makes a folder a run. */
  public static final String CONFIG = "config.json";

  /** What only the settings of a run of pairs have: the classes whose pairs are trained. */
  public static final String PAIRS_OF = "pairs_of";

  /** What a run begins with, in the order of writing; the settings last. */
  private static final List<String> BEGINNING = List.of(LOCK, RECEIPT, CHECKPOINT, METRICS, CONFIG);

  private final Path folder;

  /** Whether this process made the folder. */
  private final boolean made;

  private FileChannel lock;

  private RunFolder(Path folder, boolean made) {
    this.folder = folder;
    this.made = made;
  }

  /**
   * Makes and locks a new run folder; an existing one must be free.
   *
   * @throws OutputException where it is not, or cannot be made
   */
  public static RunFolder create(Path folder) {
    checkFree(folder);
    try {
      makeParents(folder);
      boolean made = make(folder);
      return new RunFolder(folder, made).claim();
    } catch (IOException e) {
      throw new OutputException(folder, e);
    }
  }

  /** Makes and locks {@code parent/name}, or {@code name-2}, {@code name-3} where that exists. */
  public static RunFolder createNumbered(Path parent, String name) {
    try {
      makeParents(parent.resolve(name));
      Path folder = parent.resolve(name);
      for (int number = 2; !make(folder); number++) {
        folder = parent.resolve(name + "-" + number);
      }
      return new RunFolder(folder, true).claim();
    } catch (IOException e) {
      throw new OutputException(parent, e);
    }
  }

  /**
   * Finds an existing run, without locking it.
   *
   * @throws InputException where it is not a run folder
   */
  public static RunFolder find(Path folder) {
    RunFolder run = new RunFolder(folder, false);
    if (!isRun(folder)) {
      throw new InputException(
          folder
              + " is not a run folder: it holds no config.json; name one that train wrote, or start a"
              + " new run");
    }
    return run;
  }

  /** An error of writing, which names {@code command} where the folder has become a run. */
  public OutputException resumable(OutputException error, String command) {
    return isRun(folder) ? error.resumable(command) : error;
  }

  /** Whether {@code folder} holds a run. */
  public static boolean isRun(Path folder) {
    return Files.isRegularFile(folder.resolve(CONFIG));
  }

  /** What {@code config.json} sets of a backend that can no longer be chosen, by name. */
  public List<String> formerSettings() {
    return Recipe.removedDeviceSettings(TextFile.readJson(file(CONFIG)));
  }

  /**
   * Throws OutputException where {@link #create} would, as far as can be seen without writing. A
   * folder is free where it is empty, or holds no more than a beginning that was killed before it
   * became a run.
   */
  public static void checkFree(Path folder) {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new OutputException(
          folder + " is a file, not a folder; name another folder with --out");
    }
    if (Files.isDirectory(folder) && !isFree(folder)) {
      throw new OutputException(
          folder + " exists and is not empty; name another folder with --out");
    }
  }

  private static boolean isFree(Path folder) {
    boolean empty = true;
    try (DirectoryStream<Path> content = Files.newDirectoryStream(folder)) {
      for (Path file : content) {
        String name = file.getFileName().toString();
        if (!BEGINNING.contains(name.replaceFirst("^\\.(.+)\\.part$", "$1"))
            || name.equals(CONFIG)) {
          return false;
        }
        empty = false;
      }
      // Every beginning makes its lock first; files of our names without it are somebody's own.
      return empty || Files.exists(folder.resolve(LOCK));
    } catch (IOException e) {
      throw new OutputException(folder, e);
    }
  }

  private static void makeParents(Path folder) throws IOException {
    Path parent = folder.toAbsolutePath().getParent();
    if (parent != null && !Files.isDirectory(parent)) {
      Files.createDirectories(parent);
    }
  }

  /** Whether the folder was made now; false where something of that name exists. */
  private static boolean make(Path folder) throws IOException {
    try {
      Files.createDirectory(folder);
      return true;
    } catch (FileAlreadyExistsException found) {
      return false;
    }
  }

  /** Of several processes that found the folder free, the one that gets the lock has it. */
  private RunFolder claim() throws IOException {
    try {
      if (!tryLock()) {
        throw new OutputException(
            folder + " is in use: another zerofive begins a run in it; name another with --out");
      }
      checkFree(folder);
      return this;
    } catch (RuntimeException | IOException e) {
      close();
      throw e;
    }
  }

  private boolean tryLock() throws IOException {
    lock = FileChannel.open(file(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    return FileGuarantees.tryLock(file(LOCK), lock);
  }

  /**
   * Locks an existing run.
   *
   * @throws InputException where another process trains in it
   */
  public void lock() {
    try {
      if (!tryLock()) {
        throw new InputException(
            folder + " is in use: another zerofive trains in it; wait for it or stop it");
      }
    } catch (IOException e) {
      throw new OutputException(folder, e, "make it writable to resume its run");
    }
  }

  /**
   * Removes what a beginning that failed has written, and the folder where it was made for it.
   *
   * @param results further files that were to be written with it
   */
  public void abandon(String... results) {
    try {
      for (String name : results) {
        Files.deleteIfExists(file(name));
      }
      for (String name : BEGINNING) {
        Files.deleteIfExists(file(name));
      }
      if (made) {
        Files.deleteIfExists(folder);
      }
    } catch (DirectoryNotEmptyException somebodyElses) {
      // What others put there stays, and so the folder.
      return;
    } catch (IOException e) {
      throw new OutputException(folder, e);
    }
  }

  /** Writes the settings, which makes the folder a run. */
  @Override
  public void write(Recipe recipe) {
    AtomicFile.write(file(CONFIG), recipe.toJson());
  }

  /** Reads the settings. Throws InputException. */
  public Recipe config() {
    Path file = file(CONFIG);
    String text = TextFile.readJson(file);
    try {
      return Recipe.fromJson(text);
    } catch (IllegalArgumentException e) {
      if (isPairs(text)) {
        throw new InputException(
            folder + " is a run of pairs; resume it by pairs with its options and --out", e);
      }
      throw new InputException(
          file + " is damaged: " + e.getMessage() + "; restore it or start a new run", e);
    }
  }

  /** Whether it is a run of pairs. Throws InputException where there are no settings. */
  public boolean isPairs() {
    return isPairs(TextFile.readJson(file(CONFIG)));
  }

  private static boolean isPairs(String config) {
    return config.contains('"' + PAIRS_OF + '"');
  }

  /** The path of a file in this folder. */
  public Path file(String name) {
    return folder.resolve(name);
  }

  /** The trained model's file. */
  public Path model() {
    return file("model.safetensors");
  }

  /** The receipt's file. */
  public Path receipt() {
    return file(RECEIPT);
  }

  /** The folder itself. */
  public Path path() {
    return folder;
  }

  @Override
  public void save(Checkpoint checkpoint) {
    CheckpointFile.write(file(CHECKPOINT), checkpoint);
  }

  @Override
  public Checkpoint checkpoint(Architecture architecture, Optimizer optimizer) {
    return CheckpointFile.read(file(CHECKPOINT), architecture, optimizer);
  }

  @Override
  public List<EpochRecord> history(int lastEpoch) {
    return MetricsCsv.read(file(METRICS), lastEpoch);
  }

  /** The columns that metrics.csv has of an option that has left; none in most runs. */
  public List<String> formerColumns() {
    return MetricsCsv.formerColumns(file(METRICS));
  }

  @Override
  public void beginMetrics() {
    MetricsCsv.begin(file(METRICS));
  }

  @Override
  public EpochSink metrics(int lastEpoch, Recipe recipe) {
    MetricsCsv csv = new MetricsCsv(file(METRICS), lastEpoch);
    if (!recipe.get(TENSORBOARD)) {
      return csv;
    }
    try {
      // TensorBoard drops what older event files have of the epochs after the checkpoint.
      return both(csv, TensorBoardWriter.begin(folder, lastEpoch + 1, recipe.toJson()));
    } catch (RuntimeException | Error e) {
      csv.close();
      throw e;
    }
  }

  private static EpochSink both(EpochSink first, EpochSink second) {
    return new EpochSink() {
      @Override
      public void append(EpochRecord row, float learningRate) {
        first.append(row, learningRate);
        second.append(row, learningRate);
      }

      @Override
      public void sync() {
        first.sync();
        second.sync();
      }

      @Override
      public void close() {
        try (first) {
          second.close();
        }
      }
    };
  }

  @Override
  public String place() {
    return folder.toString();
  }

  @Override
  public String keeps(int epoch) {
    return "; the checkpoint of epoch " + epoch + " is kept in " + folder;
  }

  /** Gives up the lock. */
  @Override
  public void close() {
    if (lock != null) {
      try {
        lock.close();
      } catch (IOException e) {
        throw new OutputException(file(LOCK), e);
      }
    }
  }
}
