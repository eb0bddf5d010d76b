package zerofive.data.idx;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

  /** Finds them; throws InputException where one is missing, or there are several sets. */
  public static IdxFiles find(Path folder) {
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
    for (String part : parts) {
      for (String kind : kinds) {
        for (String spelling : List.of(kind, kind.replace("-idx", ".idx"))) {
          for (String ending : List.of("", ".gz")) {
            Path file = folder.resolve(prefix + part + spelling + ending);
            if (Files.exists(file)) {
              return file;
            }
          }
        }
      }
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
