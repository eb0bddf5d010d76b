package zerofive.spark;

import com.google.gson.JsonObject;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import zerofive.cli.option.UsageException;
import zerofive.files.InputException;
import zerofive.files.Json;
import zerofive.files.OutputException;

/** Files in any of the cluster's file systems, with zerofive's own errors. */
final class ClusterFiles {
  private final Configuration configuration;

  ClusterFiles(Configuration configuration) {
    this.configuration = configuration;
  }

  /** What an option names; throws UsageException where it is not a URI. */
  static Path path(String option, String uri) {
    try {
      return new Path(uri);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--" + option + " '" + uri + "' is not a path or URI", e);
    }
  }

  FileSystem of(Path path) {
    try {
      return path.getFileSystem(configuration);
    } catch (IOException e) {
      throw new InputException(
          path + " lies in a file system that cannot be reached: " + e.getMessage(), e);
    }
  }

  boolean exists(Path path) {
    try {
      return of(path).exists(path);
    } catch (IOException e) {
      throw unreadable(path, e);
    }
  }

  /** A whole file of at most {@code maxBytes}. Throws InputException. */
  byte[] read(Path file, int maxBytes) {
    try (InputStream stream = of(file).open(file)) {
      byte[] bytes = stream.readNBytes(maxBytes + 1);
      if (bytes.length > maxBytes) {
        throw new InputException(
            file + " has more than " + (maxBytes >> 20) + " MiB, the most it may have");
      }
      return bytes;
    } catch (FileNotFoundException e) {
      throw new InputException(file + " is missing; name a file that exists", e);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  String text(Path file) {
    return new String(read(file, 64 << 20), StandardCharsets.UTF_8);
  }

  /** A JSON object that a job wrote; empty where there is no file. */
  Optional<JsonObject> json(Path file) {
    if (!exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Json.parse(text(file)));
    } catch (IllegalArgumentException e) {
      throw new InputException(file + " is damaged; name another folder with --out", e);
    }
  }

  private static InputException unreadable(Path path, IOException e) {
    return new InputException(path + " cannot be read: " + e.getMessage(), e);
  }

  /** Replaces a file as a whole, by renaming. Throws OutputException. */
  void write(Path file, String text) {
    Path part = new Path(file.getParent(), "." + file.getName() + ".part");
    FileSystem system = of(file);
    try {
      try (OutputStream stream = system.create(part, true)) {
        stream.write(text.getBytes(StandardCharsets.UTF_8));
      }
      // Hadoop's rename does not replace.
      system.delete(file, false);
      if (!system.rename(part, file)) {
        throw new IOException("it cannot be renamed from " + part.getName());
      }
    } catch (IOException e) {
      throw failed(file, e);
    }
  }

  void delete(Path path) {
    try {
      of(path).delete(path, true);
    } catch (IOException e) {
      throw failed(path, e);
    }
  }

  private static OutputException failed(Path path, IOException e) {
    return new OutputException(
        path + " cannot be written: " + e.getMessage() + "; name another folder with --out");
  }

  /** What lies in a folder; none where it is not there. */
  List<FileStatus> list(Path folder) {
    try {
      return exists(folder) ? List.of(of(folder).listStatus(folder)) : List.of();
    } catch (IOException e) {
      throw unreadable(folder, e);
    }
  }

  /** All files below a folder, or the file itself. */
  List<Path> below(Path path) {
    List<Path> files = new ArrayList<>();
    try {
      FileSystem system = of(path);
      if (system instanceof LocalFileSystem) {
        addBelow(system, system.getFileStatus(path), files);
        return files;
      }
      RemoteIterator<LocatedFileStatus> all = system.listFiles(path, true);
      while (all.hasNext()) {
        files.add(all.next().getPath());
      }
    } catch (FileNotFoundException e) {
      throw new InputException(path + " is missing; name a folder or file that exists", e);
    } catch (IOException e) {
      throw unreadable(path, e);
    }
    return files;
  }

  /** listFiles would start a process for each local file, to learn of its permissions. */
  private static void addBelow(FileSystem system, FileStatus status, List<Path> files)
      throws IOException {
    if (status.isFile()) {
      files.add(status.getPath());
      return;
    }
    for (FileStatus inside : system.listStatus(status.getPath())) {
      addBelow(system, inside, files);
    }
  }

  /**
   * Throws OutputException where a folder is in use by something else than the job that {@code
   * description}, in it, is of.
   *
   * @param key what makes a job the same
   * @return what the job has left there so far; empty where the folder is free
   */
  Optional<JsonObject> claim(Path folder, Path description, String key) {
    Optional<JsonObject> before = json(description);
    if (before.isEmpty()) {
      if (!list(folder).isEmpty()) {
        throw new OutputException(
            folder + " exists and is not empty; name another folder with --out");
      }
      return before;
    }
    if (!before.get().has("job") || !before.get().get("job").getAsString().equals(key)) {
      throw new OutputException(
          folder
              + " was begun by another job (its settings, data or program differ); submit that one"
              + " again to continue it, or name another folder with --out");
    }
    return before;
  }
}
