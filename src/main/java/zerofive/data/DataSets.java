package zerofive.data;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import zerofive.data.idx.ByteSource;
import zerofive.data.idx.IdxFiles;
import zerofive.data.idx.IdxReader;
import zerofive.data.idx.UnpackedFiles;
import zerofive.data.remote.DataSetRegistry;
import zerofive.data.remote.DownloadListener;
import zerofive.data.remote.Fetch;
import zerofive.files.DamagedFileException;
import zerofive.files.InputException;
import zerofive.files.OutputException;

/** Finds a data set by name or folder, and reads the chosen classes of it. */
public final class DataSets {
  private static final IdxFiles BUNDLED =
      new IdxFiles(
          "",
          Path.of("train-images-idx3-ubyte"),
          Path.of("train-labels-idx1-ubyte"),
          Path.of("t10k-images-idx3-ubyte"),
          Path.of("t10k-labels-idx1-ubyte"));

  /** Larger images than this are no job for a small classifier, and more likely a lying header. */
  private static final long MAX_IMAGE_SIZE = 4096L * 4096;

  /** How much is allocated before that many bytes have really arrived. */
  private static final int TRUSTED = 1 << 26;

  /** Bytes that are read at once: few enough to stay in a core's cache while they are checked. */
  private static final int CHUNK = 1 << 17;

  /** Bytes of one image's labels; QMNIST has eight integers. */
  private static final int MAX_LABEL_SIZE = 1 << 20;

  private DataSets() {}

  /** Whether {@code nameOrFolder} is a name this version knows or a folder that exists. */
  public static boolean isKnown(String nameOrFolder) {
    return isName(nameOrFolder) || folder(nameOrFolder) != null;
  }

  /** Whether it is a data set's name; a folder that is called so is {@code ./NAME}. */
  public static boolean isName(String name) {
    return name.equals(DataSetRegistry.MNIST) || DataSetRegistry.find(name).isPresent();
  }

  /** Whether it can be read at once; a name that is not here is fetched first. */
  public static boolean isHere(String nameOrFolder) {
    return DataSetRegistry.find(nameOrFolder).map(Fetch::has).orElse(true);
  }

  /** Reads a data set for a training, without anybody who looks on while it is fetched. */
  public static DataSet load(String nameOrFolder, ClassFilter filter) {
    return load(new DataRequest(nameOrFolder, filter), DownloadListener.NONE);
  }

  /**
   * Reads a data set of the {@link DataSetRegistry}, which is fetched where it is not here yet, a
   * folder of four IDX files (raw or .gz), or one of images ({@link ImageFolder}).
   *
   * @param listener receives how far a fetch has come
   * @throws InputException where a file is missing or damaged, a class does not occur, or nothing
   *     can be fetched
   * @throws OutputException where what is fetched cannot be kept
   */
  public static DataSet load(DataRequest request, DownloadListener listener) {
    String nameOrFolder = request.source();
    ClassFilter filter = request.classes();
    if (nameOrFolder.equals(DataSetRegistry.MNIST)) {
      return loadBundled(filter);
    }
    Optional<DataSetRegistry.Entry> named = DataSetRegistry.find(nameOrFolder);
    if (named.isPresent()) {
      Path fetched = Fetch.ensure(named.get(), listener);
      IdxFiles files = IdxFiles.find(fetched);
      Path unpacked = fetched.resolve("unpacked");
      if (UnpackedFiles.in(unpacked).isEmpty()) {
        unpack(files, unpacked);
      }
      return loadUnpacked(nameOrFolder, unpacked, files, filter, ByteSource::file);
    }
    Path folder = folder(nameOrFolder);
    if (folder == null) {
      throw new InputException(
          "the data folder " + nameOrFolder + " does not exist; bring it back or name another");
    }
    if (ImageFolder.isOne(folder)) {
      return ImageFolder.load(folder, request);
    }
    IdxFiles files = IdxFiles.find(folder);
    return load(folder.toString(), files.set(), files, filter, ByteSource::file);
  }

  private static DataSet loadBundled(ClassFilter filter) {
    return loadUnpacked(
        DataSetRegistry.MNIST,
        besideProgram(DataSetRegistry.MNIST),
        BUNDLED,
        filter,
        DataSets::bundled);
  }

  private static ByteSource bundled(Path file) {
    return ByteSource.resource("mnist/" + file + ".gz", DataSets.class);
  }

  /** The bundled files as the jar has them, by their names. */
  public static Map<String, ByteSource> packedMnist() {
    return BUNDLED.all().stream().collect(Collectors.toMap(IdxFiles::canonical, DataSets::bundled));
  }

  /** Beside the jar, or beside the folder of classes. */
  private static Path besideProgram(String name) {
    try {
      URL program = DataSets.class.getProtectionDomain().getCodeSource().getLocation();
      return Path.of(program.toURI()).resolveSibling(name);
    } catch (URISyntaxException e) {
      throw new IllegalStateException("the program's own place is a URI", e);
    }
  }

  /** For the next time; where there is no room, everything works without. */
  private static void unpack(IdxFiles files, Path folder) {
    try {
      UnpackedFiles.write(
          folder,
          files.all().stream().collect(Collectors.toMap(IdxFiles::canonical, ByteSource::file)));
    } catch (IOException e) {
      // A damaged file is refused in the right words when it is read.
    }
  }

  /** From unpacked files; where they are missing or damaged, from the packed ones. */
  private static DataSet loadUnpacked(
      String name,
      Path folder,
      IdxFiles files,
      ClassFilter filter,
      Function<Path, ByteSource> packed) {
    Optional<UnpackedFiles> unpacked = UnpackedFiles.in(folder);
    if (unpacked.isPresent()) {
      try {
        return load(
            name, name, files, filter, file -> unpacked.get().open(IdxFiles.canonical(file)));
      } catch (DamagedFileException e) {
        // The packed ones are read in their place.
      }
    }
    return load(name, name, files, filter, packed);
  }

  /** The set's own name decides what its labels are called and how its images lie. */
  private static DataSet load(
      String name,
      String set,
      IdxFiles files,
      ClassFilter filter,
      Function<Path, ByteSource> sources) {
    SortedMap<String, String> sha256 = new TreeMap<>();
    byte[] trainLabels = readLabels(files.trainLabels(), sources, sha256);
    byte[] validLabels = readLabels(files.validLabels(), sources, sha256);
    LabelNames labels =
        set.equals(DataSetRegistry.MNIST)
            ? LabelNames.NUMBERS
            : LabelNames.numbersAfter(DataSetRegistry.labelNames(set));
    ClassFilter.Resolved chosen =
        filter.resolve(count(trainLabels), labels, source(name, files.trainLabels()));
    filter.checkValidation(chosen, count(validLabels), labels, source(name, files.validLabels()));
    ImageSet train = readImages(files.trainImages(), sources, trainLabels, chosen, sha256);
    ImageSet valid = readImages(files.validImages(), sources, validLabels, chosen, sha256);
    if (!train.shape().equals(valid.shape())) {
      throw new InputException(
          name
              + ": training images have "
              + train.shape().describe()
              + ", but validation images "
              + valid.shape()
              + "; both must have the same size");
    }
    boolean transposed = !set.equals(DataSetRegistry.MNIST) && DataSetRegistry.isTransposed(set);
    return new DataSet(
        name,
        chosen.classes(),
        transposed ? transpose(train) : train,
        transposed ? transpose(valid) : valid,
        Collections.unmodifiableSortedMap(sha256));
  }

  private static String source(String name, Path file) {
    return name + " (" + IdxFiles.canonical(file) + ")";
  }

  /** [count] label bytes; of QMNIST's eight integers an image the first, its class. */
  private static byte[] readLabels(
      Path file, Function<Path, ByteSource> sources, SortedMap<String, String> sha256) {
    String name = IdxFiles.canonical(file);
    if (!name.endsWith(IdxFiles.WIDE_LABELS)) {
      try (IdxReader reader = new IdxReader(sources.apply(file), 1, IdxReader.Type.UNSIGNED_BYTE)) {
        byte[] labels = readAll(reader, reader.dimension(0), 1, null);
        sha256.put(name, reader.finish());
        return labels;
      }
    }
    try (IdxReader reader = new IdxReader(sources.apply(file), 2, IdxReader.Type.INT)) {
      long width = Integer.BYTES * reader.dimension(1);
      if (width > MAX_LABEL_SIZE) {
        throw reader.broken(8, reader.dimension(1) + " integers a label, expected at most 8");
      }
      byte[] rows = readAll(reader, reader.dimension(0), (int) width, null);
      sha256.put(name, reader.finish());
      byte[] labels = new byte[(int) reader.dimension(0)];
      ByteBuffer integers = ByteBuffer.wrap(rows);
      for (int i = 0; i < labels.length; i++) {
        int label = integers.getInt((int) (i * width));
        if (label < 0 || label > 255) {
          throw reader.broken(12 + i * width, "label " + label + ", expected 0 to 255");
        }
        labels[i] = (byte) label;
      }
      return labels;
    }
  }

  /** Each image with rows and columns exchanged. */
  private static ImageSet transpose(ImageSet images) {
    int height = images.width();
    int width = images.height();
    byte[] upright = new byte[images.pixels().length];
    for (int start = 0; start < upright.length; start += height * width) {
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          upright[start + y * width + x] = images.pixels()[start + x * height + y];
        }
      }
    }
    return new ImageSet(upright, images.targets(), height, width);
  }

  private static ImageSet readImages(
      Path file,
      Function<Path, ByteSource> sources,
      byte[] labels,
      ClassFilter.Resolved chosen,
      SortedMap<String, String> sha256) {
    try (IdxReader reader = new IdxReader(sources.apply(file), 3, IdxReader.Type.UNSIGNED_BYTE)) {
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
      int selected = 0;
      for (int i = 0; i < labels.length; i++) {
        int target = chosen.index()[labels[i] & 0xff];
        if (target >= 0) {
          keep[i] = true;
          targets[selected++] = target;
        }
      }
      byte[] pixels = readAll(reader, labels.length, (int) size, keep);
      sha256.put(IdxFiles.canonical(file), reader.finish());
      return new ImageSet(
          pixels,
          Arrays.copyOf(targets, selected),
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
      for (boolean selected : keep) {
        total += selected ? width : 0;
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
}
