package zerofive.data;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
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
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import zerofive.data.DataRequest.Split;
import zerofive.data.image.GreyImage;
import zerofive.data.image.ImageFile;
import zerofive.files.InputException;
import zerofive.files.Sha256;

/**
 * A folder of images, one folder a class: {@code train/CLASS/*.png} and {@code valid/CLASS/*.png}.
 * The second may be called {@code val} or {@code validation}, and where there is none {@code test}
 * or {@code testing}; the first {@code training}, in capitals too; PNG and JPEG may be mixed.
 * Hidden files are passed over, and those with other endings, which are counted in a note.
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

  private static final List<String> VALID = List.of("valid", "val", "validation");

  /** For the final figure; for validation too where there is no other. */
  private static final List<String> TEST = List.of("test", "testing");

  /** Enough of them for a sentence. */
  private static final int FEW = 3;

  private static final int MAX_SIDE = 4096;

  private ImageFolder() {}

  /** Whether there is a folder of training images in it. */
  static boolean isOne(Path folder) {
    return find(folder, TRAIN).isPresent();
  }

  /** Reads the chosen classes; throws InputException where an image or a class is not as needed. */
  static DataSet load(Path folder, DataRequest request) {
    List<String> notes = new ArrayList<>();
    ClassFolders train = new ClassFolders(find(folder, TRAIN).orElseThrow());
    ClassFolders valid = new ClassFolders(measured(folder, request.split(), notes));
    ClassFilter filter = request.classes();
    LabelNames labels = new LabelNames(train.names(), false);
    train.checkImages(filter.names().isEmpty() ? labels.names() : filter.names());
    List<List<Path>> trainFiles = train.images(labels.names());
    ClassFilter.Resolved chosen =
        filter.resolve(count(trainFiles), labels, train.path().toString());
    valid.checkImages(chosen.classes());
    checkValidation(valid, labels, chosen, filter);
    train.passedOver(chosen.classes()).ifPresent(notes::add);
    valid.passedOver(chosen.classes()).ifPresent(notes::add);
    SortedMap<String, String> sha256 = new TreeMap<>();
    Images trainImages = new Images(train.path(), trainFiles, chosen, request.skipUnreadable());
    Images validImages =
        new Images(valid.path(), valid.images(labels.names()), chosen, request.skipUnreadable());
    GreyImage first = trainImages.first();
    ImageSet trainSet = trainImages.read(first, trainImages.firstFile(), sha256);
    ImageSet validSet = validImages.read(first, trainImages.firstFile(), sha256);
    List<Path> unreadable = new ArrayList<>(trainImages.unreadable);
    unreadable.addAll(validImages.unreadable);
    if (!unreadable.isEmpty()) {
      notes.add(skipped(unreadable));
    }
    return new DataSet(
        folder.toString(),
        chosen.classes(),
        trainSet,
        validSet,
        Collections.unmodifiableSortedMap(sha256),
        notes,
        unreadable.size());
  }

  private static String skipped(List<Path> files) {
    String named = files.stream().limit(FEW).map(Path::toString).collect(Collectors.joining(", "));
    return (files.size() == 1 ? "an image" : files.size() + " images")
        + " that cannot be read "
        + (files.size() == 1 ? "is" : "are")
        + " left out, as --skip-unreadable asks: "
        + named
        + (files.size() > FEW ? " and " + (files.size() - FEW) + " more" : "");
  }

  /** The folder of the images to measure with; says which where that is not plain. */
  private static Path measured(Path folder, Split split, List<String> notes) {
    Optional<Path> valid = find(folder, VALID);
    Optional<Path> test = find(folder, TEST);
    if (split == Split.TEST) {
      Path found = test.orElseThrow(() -> missing(folder, TEST));
      notes.add("the validation images are those of " + found + ", as --split test asks");
      return found;
    }
    if (valid.isPresent() && test.isPresent()) {
      notes.add(
          valid.get()
              + " is used for validation; "
              + test.get()
              + " is left for evaluate --split test");
    } else if (test.isPresent()) {
      notes.add(
          "there is no folder valid, so "
              + test.get()
              + " is used for validation and is no longer an independent test");
    }
    return valid
        .or(() -> test)
        .orElseThrow(() -> missing(folder, Stream.concat(VALID.stream(), TEST.stream()).toList()));
  }

  private static InputException missing(Path folder, List<String> names) {
    return new InputException(
        folder
            + " has a folder train but none called "
            + String.join(" or ", names)
            + "; put images to measure with there, in a folder for each class");
  }

  /** The folder of the first of some names that there is, spelt so or with capitals. */
  private static Optional<Path> find(Path folder, List<String> names) {
    List<Path> folders =
        ClassFolders.list(folder).stream().filter(Files::isDirectory).sorted().toList();
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
      ClassFolders valid, LabelNames labels, ClassFilter.Resolved chosen, ClassFilter filter) {
    List<String> all = new ArrayList<>(labels.names());
    valid.names().stream().filter(name -> !all.contains(name)).forEach(all::add);
    int[] index = Arrays.copyOf(chosen.index(), all.size());
    Arrays.fill(index, chosen.index().length, index.length, -1);
    filter.checkValidation(
        new ClassFilter.Resolved(chosen.classes(), index),
        count(valid.images(all)),
        new LabelNames(all, false),
        valid.path().toString());
  }

  private static long[] count(List<List<Path>> files) {
    return files.stream().mapToLong(List::size).toArray();
  }

  /** The images of one half, [count] in the order of their paths. */
  private static final class Images {
    private final Path half;
    private final List<String> classes;
    private final boolean skipUnreadable;
    private final List<Path> files = new ArrayList<>();
    private final int[] targets;
    private final List<Path> unreadable = new ArrayList<>();
    private int first;

    Images(
        Path half, List<List<Path>> byLabel, ClassFilter.Resolved chosen, boolean skipUnreadable) {
      this.half = half;
      this.classes = chosen.classes();
      this.skipUnreadable = skipUnreadable;
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

    /** The image whose size all must have: the first that can be read. */
    GreyImage first() {
      while (skipUnreadable && first < files.size() - 1) {
        try {
          return checkSide(ImageFile.read(firstFile()), firstFile());
        } catch (InputException e) {
          first++; // Reading all of them finds it once more, and names it.
        }
      }
      return checkSide(readable(first), firstFile());
    }

    Path firstFile() {
      return files.get(first);
    }

    /** The refusal names the option that goes on without it. */
    private GreyImage readable(int i) {
      try {
        return ImageFile.read(files.get(i));
      } catch (InputException e) {
        throw skipUnreadable
            ? e
            : new InputException(
                e.getMessage() + "; or leave such files out with --skip-unreadable", e);
      }
    }

    private static GreyImage checkSide(GreyImage image, Path file) {
      if (image.width() > MAX_SIDE || image.height() > MAX_SIDE) {
        throw new InputException(
            file
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
                  Optional<GreyImage> image = image(i);
                  if (image.isPresent()) {
                    checkSize(image.get(), files.get(i), like, likeFile);
                    System.arraycopy(image.get().pixels(), 0, pixels, i * size, size);
                    digests[i] = Sha256.of(files.get(i));
                  }
                } catch (InputException e) {
                  refusals.set(i, e);
                  firstBad.accumulateAndGet(i, Math::min);
                }
              });
      if (firstBad.get() < files.size()) {
        throw refusals.get(firstBad.get());
      }
      sha256.put(half.getFileName().toString(), digest(digests));
      return withoutUnreadable(new ImageSet(pixels, targets, like.height(), like.width()), digests);
    }

    /** Nothing where it cannot be read and is to be left out. */
    private Optional<GreyImage> image(int i) {
      if (!skipUnreadable) {
        return Optional.of(readable(i));
      }
      try {
        return Optional.of(ImageFile.read(files.get(i)));
      } catch (InputException e) {
        return Optional.empty();
      }
    }

    /** Those with a digest. */
    private ImageSet withoutUnreadable(ImageSet all, String[] digests) {
      for (int i = 0; i < digests.length; i++) {
        if (digests[i] == null) {
          unreadable.add(files.get(i));
        }
      }
      if (unreadable.isEmpty()) {
        return all;
      }
      ImageSet read = all.only(i -> digests[i] != null);
      for (int target = 0; target < classes.size(); target++) {
        int wanted = target;
        if (Arrays.stream(read.targets()).noneMatch(found -> found == wanted)) {
          throw new InputException(
              half.resolve(classes.get(target))
                  + ": none of its images can be read; save them again as PNG");
        }
      }
      return read;
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
        if (digests[i] != null) {
          String line = digests[i] + "  " + half.relativize(files.get(i)) + "\n";
          digest.update(line.getBytes(StandardCharsets.UTF_8));
        }
      }
      return Sha256.hex(digest.digest());
    }
  }
}
