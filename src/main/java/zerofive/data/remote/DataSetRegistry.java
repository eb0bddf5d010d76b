package zerofive.data.remote;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The data sets that have names. Sizes and SHA-256 are those that TensorFlow Datasets
 * (url_checksums) and torchvision (prototype/datasets, sha256) check; the two agree wherever both
 * have a file. Fashion-MNIST's four were computed from its files as well.
 */
public final class DataSetRegistry {
  /** The bundled data set's name. */
  public static final String MNIST = "mnist";

  private static final int MNIST_SIDE = 28;
  private static final List<String> DIGITS =
      List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
  private static final List<String> LETTERS =
      List.of("abcdefghijklmnopqrstuvwxyz".split("(?<=.)", -1)).subList(0, 26);

  /** How EMNIST's names begin; its images lie on their side. */
  private static final String EMNIST = "emnist";

  /**
   * One file holds all of EMNIST. Its second address is the one that it had first; another copy, of
   * Western Sydney University, is another archive and not used.
   */
  private static final RemoteFile EMNIST_ARCHIVE =
      new RemoteFile(
          "gzip.zip",
          561_753_746,
          "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
          List.of(
              "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
              "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip"));

  private static final List<Entry> ENTRIES =
      List.of(
          new Entry(MNIST, 60_000, 10_000, DIGITS, "CC BY-SA 3.0", Optional.empty(), List.of()),
          plain(
              "fashion-mnist",
              60_000,
              10_000,
              List.of(
                  "t-shirt",
                  "trouser",
                  "pullover",
                  "dress",
                  "coat",
                  "sandal",
                  "shirt",
                  "sneaker",
                  "bag",
                  "boot"),
              "MIT",
              List.of(
                  "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                  "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
                  "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"),
              file(
                  "train-images-idx3-ubyte.gz",
                  26_421_880,
                  "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
              file(
                  "train-labels-idx1-ubyte.gz",
                  29_515,
                  "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
              file(
                  "t10k-images-idx3-ubyte.gz",
                  4_422_102,
                  "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
              file(
                  "t10k-labels-idx1-ubyte.gz",
                  5_148,
                  "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5")),
          plain(
              "kmnist",
              60_000,
              10_000,
              List.of("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
              "CC BY-SA 4.0",
              List.of(
                  "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
                  "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
              file(
                  "train-images-idx3-ubyte.gz",
                  18_165_135,
                  "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
              file(
                  "train-labels-idx1-ubyte.gz",
                  29_497,
                  "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
              file(
                  "t10k-images-idx3-ubyte.gz",
                  3_041_136,
                  "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
              file(
                  "t10k-labels-idx1-ubyte.gz",
                  5_120,
                  "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c")),
          packed("emnist-digits", 240_000, 40_000, DIGITS),
          packed("emnist-letters", 124_800, 20_800, LETTERS),
          plain(
              "qmnist",
              60_000,
              60_000,
              DIGITS,
              "BSD-3-Clause",
              List.of(
                  "https://raw.githubusercontent.com/facebookresearch/qmnist/master/",
                  "https://github.com/facebookresearch/qmnist/raw/master/"),
              file(
                  "qmnist-train-images-idx3-ubyte.gz",
                  9_704_059,
                  "9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d"),
              file(
                  "qmnist-train-labels-idx2-int.gz",
                  463_024,
                  "2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f"),
              file(
                  "qmnist-test-images-idx3-ubyte.gz",
                  9_742_279,
                  "43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375"),
              file(
                  "qmnist-test-labels-idx2-int.gz",
                  526_800,
                  "9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06")));

  private DataSetRegistry() {}

  /**
   * A data set that has a name. Its images are of 28 x 28 pixels.
   *
   * @param name on the command line
   * @param train how many training images there are
   * @param valid how many validation images
   * @param classes their names, in the order of the labels
   * @param licence of the data, in short
   * @param archive the one file that holds it among others, where there is such
   * @param files what is to be fetched, the archive or the four IDX files; none where it is bundled
   */
  public record Entry(
      String name,
      int train,
      int valid,
      List<String> classes,
      String licence,
      Optional<RemoteFile> archive,
      List<RemoteFile> files) {
    /** Pixels in a row, and rows, of an image. */
    public int side() {
      return MNIST_SIDE;
    }

    /** Whether it comes with the program. */
    public boolean isBundled() {
      return files.isEmpty();
    }

    /** How much is fetched, in bytes. */
    public long bytes() {
      return files.stream().mapToLong(RemoteFile::bytes).sum();
    }

    /** What its files are kept under: its own name, or that of the archive it shares. */
    String home() {
      return archive.isPresent() ? EMNIST : name;
    }

    /** The four files' names as they stand in an archive. */
    List<String> members() {
      List<String> members = new ArrayList<>();
      for (String part : List.of("train", "test")) {
        members.add(name + "-" + part + "-images-idx3-ubyte.gz");
        members.add(name + "-" + part + "-labels-idx1-ubyte.gz");
      }
      return members;
    }
  }

  /** All of them, the bundled one first. */
  public static List<Entry> entries() {
    return ENTRIES;
  }

  /** What they are called. */
  public static List<String> names() {
    return ENTRIES.stream().map(Entry::name).toList();
  }

  /** The one of this name, if there is one. */
  public static Optional<Entry> find(String name) {
    return ENTRIES.stream().filter(entry -> entry.name().equals(name)).findFirst();
  }

  /** What the first labels of the set of this name are called; none where it is unknown. */
  public static List<String> labelNames(String name) {
    // EMNIST counts its letters from 1.
    List<String> first = new ArrayList<>(name.equals("emnist-letters") ? List.of("0") : List.of());
    find(name).ifPresent(entry -> first.addAll(entry.classes()));
    return first;
  }

  /** Whether the files of this name hold their images by columns, as all of EMNIST's do. */
  public static boolean isTransposed(String name) {
    return name.startsWith(EMNIST + "-");
  }

  private static RemoteFile file(String name, long bytes, String sha256) {
    return new RemoteFile(name, bytes, sha256, List.of());
  }

  private static Entry plain(
      String name,
      int train,
      int valid,
      List<String> classes,
      String licence,
      List<String> mirrors,
      RemoteFile... files) {
    List<RemoteFile> found = new ArrayList<>();
    for (RemoteFile file : files) {
      List<String> urls = new ArrayList<>();
      for (String mirror : mirrors) {
        urls.add(mirror + file.name());
      }
      found.add(new RemoteFile(file.name(), file.bytes(), file.sha256(), urls));
    }
    return new Entry(name, train, valid, classes, licence, Optional.empty(), List.copyOf(found));
  }

  private static Entry packed(String name, int train, int valid, List<String> classes) {
    return new Entry(
        name,
        train,
        valid,
        classes,
        "none stated (NIST)",
        Optional.of(EMNIST_ARCHIVE),
        List.of(EMNIST_ARCHIVE));
  }
}
