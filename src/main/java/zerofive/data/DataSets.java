package zerofive.data;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** Finds a data set by name or folder, and reads the chosen classes of it. */
public final class DataSets {
  /** The bundled data set's name. */
  public static final String MNIST = "mnist";

  private static final String TRAIN_IMAGES = "train-images-idx3-ubyte";
  private static final String TRAIN_LABELS = "train-labels-idx1-ubyte";
  private static final String VALID_IMAGES = "t10k-images-idx3-ubyte";
  private static final String VALID_LABELS = "t10k-labels-idx1-ubyte";

  /** Larger images than this are no job for a small classifier, and more likely a lying header. */
  private static final long MAX_IMAGE_SIZE = 4096L * 4096;

  /** How much is allocated before that many bytes have really arrived. */
  private static final int TRUSTED = 1 << 26;

  private static final int CHUNK = 1 << 20;

  private DataSets() {}

  /** Whether {@code nameOrFolder} is a name this version knows or a folder that exists. */
  public static boolean isKnown(String nameOrFolder) {
    return nameOrFolder.equals(MNIST) || folder(nameOrFolder) != null;
  }

  /**
   * Reads {@code mnist} or a folder of four IDX files (raw or .gz).
   *
   * @throws InputException where a file is missing or damaged, or a class does not occur
   */
  public static DataSet load(String nameOrFolder, ClassFilter filter) {
    if (nameOrFolder.equals(MNIST)) {
      return loadBundled(filter);
    }
    Path folder = folder(nameOrFolder);
    if (folder == null) {
      throw new InputException(
          "the data folder " + nameOrFolder + " does not exist; bring it back or name another");
    }
    return load(folder.toString(), filter, name -> ByteSource.file(find(folder, name)));
  }

  /** From the cache of unpacked files; where one is missing or damaged all are unpacked anew. */
  private static DataSet loadBundled(ClassFilter filter) {
    Map<String, ByteSource> cached = new HashMap<>();
    for (String name : List.of(TRAIN_LABELS, VALID_LABELS, TRAIN_IMAGES, VALID_IMAGES)) {
      RawCache.read(name, packedSize(name)).ifPresent(source -> cached.put(name, source));
    }
    if (cached.size() == 4) {
      try {
        return load(MNIST, filter, cached::get);
      } catch (InputException | InternalError e) {
        // A damaged cache, or a question that the true files will refuse in the right words. The
        // error is the JVM's for a mapped file that another process has cut off.
      }
    }
    return load(
        MNIST,
        filter,
        name ->
            ByteSource.resource("mnist/" + name + ".gz", DataSets.class)
                .toCache(name, packedSize(name)));
  }

  private static long packedSize(String name) {
    return ByteSource.resourceSize("mnist/" + name + ".gz", DataSets.class);
  }

  private static DataSet load(String name, ClassFilter filter, Function<String, ByteSource> files) {
    SortedMap<String, String> sha256 = new TreeMap<>();
    byte[] trainLabels = readLabels(files.apply(TRAIN_LABELS), TRAIN_LABELS, sha256);
    byte[] validLabels = readLabels(files.apply(VALID_LABELS), VALID_LABELS, sha256);
    long[] trainPresent = count(trainLabels);
    ClassFilter.Resolved chosen = filter.resolve(trainPresent, name + " (" + TRAIN_LABELS + ")");
    checkValidation(chosen, count(validLabels), name + " (" + VALID_LABELS + ")", filter);
    ImageSet train =
        readImages(files.apply(TRAIN_IMAGES), TRAIN_IMAGES, trainLabels, chosen, sha256);
    ImageSet valid =
        readImages(files.apply(VALID_IMAGES), VALID_IMAGES, validLabels, chosen, sha256);
    if (train.height() != valid.height() || train.width() != valid.width()) {
      throw new InputException(
          String.format(
              Locale.ROOT,
              "%s: training images are %d x %d but validation images %d x %d;"
                  + " both must have the same size",
              name,
              train.height(),
              train.width(),
              valid.height(),
              valid.width()));
    }
    return new DataSet(
        name, chosen.classes(), train, valid, Collections.unmodifiableSortedMap(sha256));
  }

  private static byte[] readLabels(
      ByteSource source, String name, SortedMap<String, String> sha256) {
    try (IdxReader reader = new IdxReader(source, 1)) {
      byte[] labels = readAll(reader, reader.dimension(0), 1, null);
      sha256.put(name, reader.finish());
      return labels;
    }
  }

  private static ImageSet readImages(
      ByteSource source,
      String name,
      byte[] labels,
      ClassFilter.Resolved chosen,
      SortedMap<String, String> sha256) {
    try (IdxReader reader = new IdxReader(source, 3)) {
      long count = reader.dimension(0);
      if (count != labels.length) {
        throw reader.broken(4, count + " images, but there are " + labels.length + " labels");
      }
      long size = reader.dimension(1) * reader.dimension(2);
      if (reader.dimension(1) > MAX_IMAGE_SIZE || size > MAX_IMAGE_SIZE) {
        throw reader.broken(
            8,
            "images of "
                + reader.dimension(1)
                + " x "
                + reader.dimension(2)
                + " pixels, expected at most 4096 x 4096");
      }
      boolean[] keep = new boolean[labels.length];
      int[] targets = new int[labels.length];
      int kept = 0;
      for (int i = 0; i < labels.length; i++) {
        int target = chosen.index()[labels[i] & 0xff];
        if (target >= 0) {
          keep[i] = true;
          targets[kept++] = target;
        }
      }
      byte[] pixels = readAll(reader, labels.length, (int) size, keep);
      sha256.put(name, reader.finish());
      return new ImageSet(
          pixels,
          Arrays.copyOf(targets, kept),
          (int) reader.dimension(1),
          (int) reader.dimension(2));
    }
  }

  /**
   * Reads {@code rows} rows of {@code width} bytes and returns those to {@code keep} (null: all).
   * Memory grows with what has really arrived, not with what a header promises.
   */
  private static byte[] readAll(IdxReader reader, long rows, int width, boolean[] keep) {
    long total = rows * width;
    if (keep != null) {
      total = 0;
      for (boolean kept : keep) {
        total += kept ? width : 0;
      }
    }
    if (total > Integer.MAX_VALUE - 8) {
      throw reader.broken(
          4, total + " bytes to keep in memory, expected at most 2 GiB, so fewer --classes");
    }
    byte[] result = new byte[(int) Math.min(total, TRUSTED)];
    int filled = 0;
    int rowsAtOnce = Math.max(1, CHUNK / width);
    byte[] chunk = new byte[(int) Math.min(rows, rowsAtOnce) * width];
    for (long row = 0; row < rows; row += rowsAtOnce) {
      int here = (int) Math.min(rowsAtOnce, rows - row);
      reader.read(chunk, 0, here * width);
      if (filled + chunk.length > result.length && result.length < total) {
        result = Arrays.copyOf(result, (int) Math.min(total, 2L * result.length + chunk.length));
      }
      for (int i = 0; i < here; i++) {
        if (keep == null || keep[(int) row + i]) {
          System.arraycopy(chunk, i * width, result, filled, width);
          filled += width;
        }
      }
    }
    return result;
  }

  private static void checkValidation(
      ClassFilter.Resolved chosen, long[] present, String source, ClassFilter filter) {
    List<String> classes = chosen.classes();
    boolean[] seen = new boolean[classes.size()];
    for (int label = 0; label < present.length; label++) {
      int index = chosen.index()[label];
      if (present[label] > 0 && index >= 0) {
        seen[index] = true;
      } else if (present[label] > 0 && filter.equals(ClassFilter.ALL)) {
        throw new InputException(
            "class "
                + label
                + " occurs in "
                + source
                + " but not in the training labels; name the classes to use by --classes");
      }
    }
    for (int i = 0; i < seen.length; i++) {
      if (!seen[i]) {
        throw new InputException(
            "class "
                + classes.get(i)
                + " does not occur in "
                + source
                + "; it holds "
                + ClassFilter.occurring(present));
      }
    }
  }

  private static long[] count(byte[] labels) {
    long[] present = new long[256];
    for (byte label : labels) {
      present[label & 0xff]++;
    }
    return present;
  }

  private static Path folder(String name) {
    try {
      Path folder = Path.of(name);
      return Files.isDirectory(folder) ? folder : null;
    } catch (InvalidPathException e) {
      return null;
    }
  }

  /** The raw file if it is there, else the .gz; both with {@code -idx} or {@code .idx}. */
  private static Path find(Path folder, String name) {
    if (!Files.isReadable(folder) || !Files.isExecutable(folder)) {
      throw new InputException(folder + " cannot be read: permission denied; make it readable");
    }
    for (String spelling : List.of(name, name.replace("-idx", ".idx"))) {
      for (String ending : List.of("", ".gz")) {
        Path file = folder.resolve(spelling + ending);
        if (Files.exists(file)) {
          return file;
        }
      }
    }
    throw new InputException(
        folder
            + " holds no "
            + name
            + " or "
            + name
            + ".gz; a data folder needs "
            + String.join(", ", TRAIN_IMAGES, TRAIN_LABELS, VALID_IMAGES, VALID_LABELS));
  }
}
