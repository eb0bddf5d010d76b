package zerofive.train;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import zerofive.backend.Optimizer;
import zerofive.data.AtomicFile;
import zerofive.data.InputException;
import zerofive.data.OutputException;
import zerofive.model.Architecture;

/**
 * Where a run lives. Its files are written so that a kill at any moment leaves a run that can be
 * read and resumed; {@code config.json} is the last file of the beginning, so a folder that has it
 * has the others. A lock on it keeps a second process out.
 */
public final class RunFolder implements AutoCloseable {
  private static final String CONFIG = "config.json";

  private final Path folder;
  private FileChannel lockFile;

  private RunFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * Makes a new, empty run folder.
   *
   * @throws OutputException where it exists and is not empty, or cannot be made
   */
  public static RunFolder create(Path folder) {
    try {
      Files.createDirectories(folder);
      try (DirectoryStream<Path> content = Files.newDirectoryStream(folder)) {
        if (content.iterator().hasNext()) {
          throw new OutputException(
              folder + " exists and is not empty; name another folder with --out");
        }
      }
      if (!Files.isWritable(folder)) {
        throw new OutputException(
            folder + " cannot be written: permission denied; name another folder with --out");
      }
    } catch (FileAlreadyExistsException e) {
      throw new OutputException(
          e.getFile() + " is a file, not a folder; name another folder with --out");
    } catch (IOException e) {
      throw new OutputException(folder, e);
    }
    return new RunFolder(folder);
  }

  /**
   * Opens an existing run and locks it.
   *
   * @throws InputException where it is no run folder, or another process trains in it
   */
  public static RunFolder open(Path folder) {
    RunFolder run = new RunFolder(folder);
    if (!Files.isRegularFile(run.file(CONFIG))) {
      throw new InputException(
          folder
              + " is no run folder: it holds no config.json; name one that train wrote, or start a"
              + " new run");
    }
    run.lock();
    return run;
  }

  /** Writes the settings, which makes the folder a run, and locks it. */
  void begin(RunConfig config) {
    write(config);
    lock();
  }

  /** Replaces the settings of a run that is locked already. */
  void rewrite(RunConfig config) {
    FileChannel old = lockFile;
    write(config);
    lock();
    close(old);
  }

  private void write(RunConfig config) {
    AtomicFile.write(file(CONFIG), config.toJson());
  }

  /** Reads the settings. Throws InputException. */
  public RunConfig config() {
    Path file = file(CONFIG);
    try {
      return RunConfig.fromJson(Files.readString(file));
    } catch (IllegalArgumentException e) {
      throw new InputException(
          file + " is damaged: " + e.getMessage() + "; restore it or start a new run", e);
    } catch (IOException e) {
      throw new InputException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** The path of a file in this folder. */
  public Path file(String name) {
    return folder.resolve(name);
  }

  /** The trained model's file. */
  public Path model() {
    return file("model.safetensors");
  }

  /** The folder itself. */
  public Path path() {
    return folder;
  }

  void save(Checkpoint checkpoint) {
    checkpoint.write(file("checkpoint.safetensors"));
  }

  Checkpoint checkpoint(Architecture architecture, Optimizer optimizer) {
    return Checkpoint.read(file("checkpoint.safetensors"), architecture, optimizer);
  }

  List<EpochRecord> history(int lastEpoch) {
    return Metrics.read(file("metrics.csv"), lastEpoch);
  }

  Metrics metrics(List<EpochRecord> history) {
    return new Metrics(file("metrics.csv"), history);
  }

  private void lock() {
    Path file = file(CONFIG);
    try {
      lockFile = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
      FileLock lock = lockFile.tryLock();
      if (lock == null) {
        close(lockFile);
        throw new InputException(
            folder + " is in use: another zerofive trains in it; wait for it or stop it");
      }
    } catch (OverlappingFileLockException e) {
      throw new InputException(folder + " is in use by this very process", e);
    } catch (IOException e) {
      throw new OutputException(file, e);
    }
  }

  private void close(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      throw new OutputException(file(CONFIG), e);
    }
  }

  @Override
  public void close() {
    if (lockFile != null) {
      close(lockFile);
    }
  }
}
