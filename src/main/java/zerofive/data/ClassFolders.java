package zerofive.data;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import zerofive.data.image.ImagePaths;
import zerofive.files.InputException;

/** A folder such as {@code train} with a folder of images for each class. */
final class ClassFolders {
  /** {@code 2} before {@code 10} before {@code cat}. */
  private static final Comparator<String> BY_NUMBER_OR_NAME =
      Comparator.comparing((String name) -> !name.matches("\\d{1,9}"))
          .thenComparing(name -> name.matches("\\d{1,9}") ? Integer.parseInt(name) : 0)
          .thenComparing(Comparator.naturalOrder());

  private static final String FOLDERS = "folder";

  private final Path path;

  /** By the names of the classes; a Mac may have written the folders' decomposed. */
  private final SortedMap<String, List<Path>> images = new TreeMap<>(BY_NUMBER_OR_NAME);

  /** What else there is in each class's folder: how many files of each ending, and folders. */
  private final Map<String, SortedMap<String, Integer>> others = new TreeMap<>();

  /** Lists the folder; throws InputException where it cannot be read. */
  ClassFolders(Path path) {
    this.path = path;
    for (Path folder : list(path)) {
      String name = Normalizer.normalize(folder.getFileName().toString(), Normalizer.Form.NFC);
      if (!Files.isDirectory(folder)) {
        continue;
      }
      List<Path> found = new ArrayList<>();
      SortedMap<String, Integer> other = new TreeMap<>();
      for (Path file : list(folder)) {
        if (ImagePaths.hasEnding(file)) {
          found.add(file);
        } else {
          other.merge(kind(file), 1, Integer::sum);
        }
      }
      Collections.sort(found);
      if (images.putIfAbsent(name, found) != null) {
        throw new InputException(
            path
                + " has two folders called "
                + name
                + ", once composed and once decomposed"
                + " (Unicode NFC and NFD); move the images of both into one");
      }
      others.put(name, other);
    }
  }

  /** The files and folders in a folder but the hidden ones, in any order. */
  static List<Path> list(Path folder) {
    List<Path> paths = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
      for (Path path : stream) {
        if (!ImagePaths.isHidden(path.getFileName())) {
          paths.add(path);
        }
      }
    } catch (IOException e) {
      throw new InputException(folder, e);
    }
    return paths;
  }

  private static String kind(Path file) {
    if (Files.isDirectory(file)) {
      return FOLDERS;
    }
    String name = file.getFileName().toString();
    int dot = name.lastIndexOf('.');
    return dot < 0 ? "file without an ending" : name.substring(dot).toLowerCase(Locale.ROOT);
  }

  Path path() {
    return path;
  }

  /** The names of the classes, numbers in order of size before words in order of their letters. */
  List<String> names() {
    return List.copyOf(images.keySet());
  }

  /** The image files of some classes, each in the order of their names. */
  List<List<Path>> images(List<String> classes) {
    return classes.stream().map(name -> images.getOrDefault(name, List.of())).toList();
  }

  /** Throws InputException where the folder of one of these classes has no image. */
  void checkImages(List<String> classes) {
    for (String name : classes) {
      if (images.containsKey(name) && images.get(name).isEmpty()) {
        throw withoutImages(path.resolve(name), others.get(name));
      }
    }
  }

  private static InputException withoutImages(Path folder, SortedMap<String, Integer> other) {
    String elsewhere = "or name the other classes with --classes";
    if (other.isEmpty()) {
      return new InputException(folder + " is empty; put its images there, " + elsewhere);
    }
    return new InputException(
        folder
            + " holds no PNG or JPEG file ("
            + words(other)
            + "); "
            + (other.firstKey().equals(FOLDERS) && other.size() == 1
                ? "move the images up from below, "
                : "convert its images to PNG, ")
            + elsewhere);
  }

  /** What is beside the images of these classes, in words; empty where there is nothing. */
  Optional<String> passedOver(List<String> classes) {
    SortedMap<String, Integer> all = new TreeMap<>();
    for (String name : classes) {
      others
          .getOrDefault(name, Collections.emptySortedMap())
          .forEach((kind, count) -> all.merge(kind, count, Integer::sum));
    }
    return all.isEmpty()
        ? Optional.empty()
        : Optional.of(path + ": passed over " + words(all) + "; only PNG and JPEG files are read");
  }

  /** {@code 3 .bmp, 1 folder}. */
  private static String words(SortedMap<String, Integer> kinds) {
    return kinds.entrySet().stream()
        .map(
            kind ->
                kind.getValue()
                    + " "
                    + (kind.getKey().equals(FOLDERS) && kind.getValue() > 1
                        ? "folders"
                        : kind.getKey()))
        .collect(Collectors.joining(", "));
  }
}
