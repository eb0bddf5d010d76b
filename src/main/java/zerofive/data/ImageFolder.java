package zerofive.data;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import zerofive.data.image.GreyImage;
import zerofive.data.image.ImageFile;
import zerofive.data.image.ImagePaths;
import zerofive.files.InputException;
import zerofive.files.Sha256;

/**
 * A folder of images, one folder a class: {@code train/CLASS/*.png} and {@code valid/CLASS/*.png}.
 * The second may be called {@code val}, {@code validation}, {@code test} or {@code testing}, the
 * first {@code training}, in capitals too; PNG and JPEG may be mixed. Hidden files and those with
 * other endings are passed over.
 *
 * <p>Classes are called as their folders, in Unicode's composed form (NFC), numbers in order of
 * size before words in order of their letters. Images come in the order of their paths, whichever
 * is decoded first. The two digests of the data set are those of what {@code sha256sum} prints for
 * the chosen classes' files:
 *
 * <pre>cd DIR/train; find CLASS... -type f | LC_ALL=C sort | xargs sha256sum | sha256sum</pre>
 */
final class ImageFolder {
  private static final List<String> TRAIN = List.of("train", "training");

  /** Where there is a set for validation and one for the final test, it is not the test's turn. */
  private static final List<String> VALID =
      List.of("valid", "val", "validation", "test", "testing");

  private static final int MAX_SIDE = 4096;

  /** {@code 2} before {@code 10} before {@code cat}. */
  private static final Comparator<String> BY_NUMBER_OR_NAME =
      Comparator.comparing((String name) -> !name.matches("\\d{1,9}"))
          .thenComparing(name -> name.matches("\\d{1,9}") ? Integer.parseInt(name) : 0)
          .thenComparing(Comparator.naturalOrder());

  private ImageFolder() {}

  /** Whether there is a folder of training images in it. */
  static boolean isOne(Path folder) {
    return find(folder, TRAIN).isPresent();
  }

  /** Reads the chosen classes; throws InputException where an image or a class is not as needed. */
  static DataSet load(Path folder, ClassFilter filter) {
    Path train = half(folder, TRAIN);
    Path valid = half(folder, VALID);
    LabelNames labels = new LabelNames(List.copyOf(classes(train).keySet()), false);
    List<List<Path>> trainFiles = files(train, labels);
    ClassFilter.Resolved chosen = filter.resolve(count(trainFiles), labels, train.toString());
    checkValidation(valid, labels, chosen, filter);
    SortedMap<String, String> sha256 = new TreeMap<>();
    Images images = new Images(train, trainFiles, chosen);
    GreyImage first = images.first();
    ImageSet trainSet = images.read(first, images.files.get(0), sha256);
    ImageSet validSet =
        new Images(valid, files(valid, labels), chosen).read(first, images.files.get(0), sha256);
    return new DataSet(
        folder.toString(),
        chosen.classes(),
        trainSet,
        validSet,
        Collections.unmodifiableSortedMap(sha256));
  }

  private static Path half(Path folder, List<String> names) {
    return find(folder, names)
        .orElseThrow(
            () ->
                new InputException(
                    folder
                        + " has a folder train but none called "
                        + String.join(" or ", names)
                        + "; put images to measure with there, in a folder for each class"));
  }

  /** The folder of the first of some names that there is, spelt so or with capitals. */
  private static Optional<Path> find(Path folder, List<String> names) {
    List<Path> folders = list(folder).stream().filter(Files::isDirectory).sorted().toList();
    return names.stream()
        .flatMap(
            name ->
                Stream.concat(
                    Stream.of(folder.resolve(name)).filter(Files::isDirectory),
                    folders.stream()
                        .filter(path -> path.getFileName().toString().equalsIgnoreCase(name))))
        .findFirst();
  }

  private static void checkValidation(
      Path valid, LabelNames labels, ClassFilter.Resolved chosen, ClassFilter filter) {
    List<String> all = new ArrayList<>(labels.names());
    classes(valid).keySet().stream().filter(name -> !all.contains(name)).forEach(all::add);
    LabelNames both = new LabelNames(all, false);
    int[] index = Arrays.copyOf(chosen.index(), all.size());
    Arrays.fill(index, chosen.index().length, index.length, -1);
    filter.checkValidation(
        new ClassFilter.Resolved(chosen.classes(), index),
        count(files(valid, both)),
        both,
        valid.toString());
  }

  /** The folders of the classes, by their names; a Mac may have written them decomposed. */
  private static SortedMap<String, Path> classes(Path half) {
    SortedMap<String, Path> folders = new TreeMap<>(BY_NUMBER_OR_NAME);
    for (Path folder : list(half)) {
      String name = Normalizer.normalize(folder.getFileName().toString(), Normalizer.Form.NFC);
      if (Files.isDirectory(folder) && folders.putIfAbsent(name, folder) != null) {
        throw new InputException(
            half
                + " has two folders called "
                + name
                + ", once composed and once decomposed"
                + " (Unicode NFC and NFD); move the images of both into one");
      }
    }
    return folders;
  }

  /** The image files of each class, in the order of their names. */
  private static List<List<Path>> files(Path half, LabelNames labels) {
    SortedMap<String, Path> folders = classes(half);
    return labels.names().stream()
        .map(name -> folders.containsKey(name) ? list(folders.get(name)) : List.<Path>of())
        .map(paths -> paths.stream().filter(ImagePaths::hasEnding).sorted().toList())
        .toList();
  }

  private static List<Path> list(Path folder) {
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

  private static long[] count(List<List<Path>> files) {
    return files.stream().mapToLong(List::size).toArray();
  }

  /** The images of one half, [count] in the order of their paths. */
  private static final class Images {
    private final Path half;
    private final List<Path> files = new ArrayList<>();
    private final int[] targets;

    Images(Path half, List<List<Path>> byLabel, ClassFilter.Resolved chosen) {
      this.half = half;
      List<Integer> found = new ArrayList<>();
      for (int label : inOrderOfPath(byLabel)) {
        if (chosen.index()[label] >= 0) {
          files.addAll(byLabel.get(label));
          found.addAll(Collections.nCopies(byLabel.get(label).size(), chosen.index()[label]));
        }
      }
      targets = found.stream().mapToInt(Integer::intValue).toArray();
    }

    private static int[] inOrderOfPath(List<List<Path>> byLabel) {
      return IntStream.range(0, byLabel.size())
          .filter(label -> !byLabel.get(label).isEmpty())
          .boxed()
          .sorted(Comparator.comparing(label -> path(byLabel.get(label).get(0))))
          .mapToInt(Integer::intValue)
          .toArray();
    }

    private static String path(Path file) {
      return file.getParent().getFileName() + "/";
    }

    /** The image whose size all must have. */
    GreyImage first() {
      GreyImage image = ImageFile.read(files.get(0));
      if (image.width() > MAX_SIDE || image.height() > MAX_SIDE) {
        throw new InputException(
            files.get(0)
                + " has "
                + image.shape().describe()
                + ", expected at most "
                + MAX_SIDE
                + " x "
                + MAX_SIDE
                + "; make the images smaller");
      }
      return image;
    }

    /** Decodes all of them at once; of several that are not as needed the first is reported. */
    ImageSet read(GreyImage like, Path likeFile, SortedMap<String, String> sha256) {
      int size = like.width() * like.height();
      if ((long) size * files.size() > Integer.MAX_VALUE - 8) {
        throw new InputException(
            half
                + " holds "
                + files.size()
                + " images of "
                + like.shape().describe()
                + ", expected at most 2 GiB of pixels; name fewer --classes or make them smaller");
      }
      byte[] pixels = new byte[size * files.size()];
      String[] digests = new String[files.size()];
      AtomicInteger firstBad = new AtomicInteger(files.size());
      AtomicReferenceArray<InputException> refusals = new AtomicReferenceArray<>(files.size());
      IntStream.range(0, files.size())
          .parallel()
          .filter(i -> i < firstBad.get())
          .forEach(
              i -> {
                try {
                  GreyImage image = ImageFile.read(files.get(i));
                  checkSize(image, files.get(i), like, likeFile);
                  System.arraycopy(image.pixels(), 0, pixels, i * size, size);
                  digests[i] = Sha256.of(files.get(i));
                } catch (InputException e) {
                  refusals.set(i, e);
                  firstBad.accumulateAndGet(i, Math::min);
                }
              });
      if (firstBad.get() < files.size()) {
        throw refusals.get(firstBad.get());
      }
      sha256.put(half.getFileName().toString(), digest(digests));
      return new ImageSet(pixels, targets, like.height(), like.width());
    }

    private static void checkSize(GreyImage image, Path file, GreyImage like, Path likeFile) {
      if (!image.shape().equals(like.shape())) {
        throw new InputException(
            file
                + " has "
                + image.shape().describe()
                + ", but "
                + likeFile
                + " has "
                + like.shape()
                + "; all images must have one size, so resize it or take it out");
      }
    }

    private String digest(String[] digests) {
      MessageDigest digest = Sha256.digest();
      for (int i = 0; i < digests.length; i++) {
        String line = digests[i] + "  " + half.relativize(files.get(i)) + "\n";
        digest.update(line.getBytes(StandardCharsets.UTF_8));
      }
      return Sha256.hex(digest.digest());
    }
  }
}
