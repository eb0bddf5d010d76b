package zerofive.data.idx;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import zerofive.files.InputException;

/**
 * The four IDX files of a folder, raw or .gz, under the names that MNIST has, or EMNIST ({@code
 * emnist-digits-train-images-idx3-ubyte}), or QMNIST ({@code qmnist-test-labels-idx2-int}).
 *
 * @param set what the names begin with, without the hyphen behind it; empty for MNIST's own
 */
public record IdxFiles(
    String set, Path trainImages, Path trainLabels, Path validImages, Path validLabels) {
  static final String IMAGES = "images-idx3-ubyte";
  static final String LABELS = "labels-idx1-ubyte";

  /** QMNIST's: eight integers an image, the first of them its class. */
  public static final String WIDE_LABELS = "labels-idx2-int";

  private static final String NEEDED =
      String.join(", ", "train-" + IMAGES, "train-" + LABELS, "t10k-" + IMAGES, "t10k-" + LABELS);

  /** All four. */
  public List<Path> all() {
    return List.of(trainImages, trainLabels, validImages, validLabels);
  }

  /**
   * Finds them, in {@code folder} or where torchvision puts them below it: in {@code raw} or {@code
   * NAME/raw}.
   *
   * @throws InputException where one is missing, or there are several sets
   */
  public static IdxFiles find(Path folder) {
    List<Path> found = new ArrayList<>();
    for (Path place : places(folder)) {
      if (hasTrainImages(place)) {
        found.add(place);
      }
    }
    if (found.size() > 1 && !found.get(0).equals(folder)) {
      throw new InputException(
          folder
              + " holds several data sets: "
              + found.stream().map(Path::toString).collect(Collectors.joining(", "))
              + "; name one of these folders");
    }
    return findIn(found.isEmpty() ? folder : found.get(0));
  }

  /** The folder itself first. */
  private static List<Path> places(Path folder) {
    List<Path> places = new ArrayList<>(List.of(folder, folder.resolve("raw")));
    try (DirectoryStream<Path> below = Files.newDirectoryStream(folder, Files::isDirectory)) {
      below.forEach(place -> places.add(place.resolve("raw")));
    } catch (IOException e) {
      return places; // Why it cannot be read is said where its files are looked for.
    }
    return places;
  }

  private static boolean hasTrainImages(Path folder) {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*train-images*")) {
      return files.iterator().hasNext();
    } catch (IOException e) {
      return false;
    }
  }

  private static IdxFiles findIn(Path folder) {
    if (!Files.isReadable(folder) || !Files.isExecutable(folder)) {
      throw new InputException(folder + " cannot be read: permission denied; make it readable");
    }
    String set = set(folder);
    String prefix = set.isEmpty() ? "" : set + "-";
    return new IdxFiles(
        set,
        file(folder, prefix, List.of("train-"), List.of(IMAGES)),
        file(folder, prefix, List.of("train-"), List.of(LABELS, WIDE_LABELS)),
        file(folder, prefix, List.of("t10k-", "test-"), List.of(IMAGES)),
        file(folder, prefix, List.of("t10k-", "test-"), List.of(LABELS, WIDE_LABELS)));
  }

  /** What a file is called when it is neither packed nor spelt with a dot. */
  public static String canonical(Path file) {
    return file.getFileName().toString().replaceFirst("\\.gz$", "").replace(".idx", "-idx");
  }

  private static String set(Path folder) {
    Pattern trainImages = Pattern.compile("(?:(.+)-)?train-images[.-]idx3-ubyte(?:\\.gz)?");
    TreeSet<String> sets = new TreeSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*train-images*")) {
      for (Path file : files) {
        Matcher name = trainImages.matcher(file.getFileName().toString());
        if (name.matches()) {
          sets.add(Optional.ofNullable(name.group(1)).orElse(""));
        }
      }
    } catch (IOException e) {
      throw new InputException(folder, e);
    }
    if (sets.size() > 1 && !sets.first().isEmpty()) {
      throw new InputException(
          folder
              + " holds several data sets: "
              + String.join(", ", sets)
              + "; put the four files of one into a folder of their own");
    }
    return sets.isEmpty() ? "" : sets.first();
  }

  /** The raw file if it is there, else the .gz; both with {@code -idx} or {@code .idx}. */
  private static Path file(Path folder, String prefix, List<String> parts, List<String> kinds) {
    Path other = null; // of such a name, but no file
    for (String part : parts) {
      for (String kind : kinds) {
        for (String spelling : List.of(kind, kind.replace("-idx", ".idx"))) {
          for (String ending : List.of("", ".gz")) {
            String name = prefix + part + spelling + ending;
            // Archives on Kaggle have each file once more in a folder of its own name.
            for (Path file : List.of(folder.resolve(name), folder.resolve(name).resolve(name))) {
              if (Files.isRegularFile(file)) {
                return file;
              }
              other = other == null && Files.exists(file) ? file : other;
            }
          }
        }
      }
    }
    if (other != null) {
      return other; // Whoever opens it says what it is.
    }
    String first = prefix + parts.get(0) + kinds.get(0);
    throw new InputException(
        folder
            + " holds no "
            + first
            + " or "
            + first
            + ".gz; a data folder needs "
            + NEEDED
            + ", or images in train/CLASS and valid/CLASS");
  }
}
