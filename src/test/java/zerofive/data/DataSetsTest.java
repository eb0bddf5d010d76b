package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.files.InputException;

/** Folders of IDX files, whole in every spelling and damaged in every way. */
class DataSetsTest {
  private static final int UNSIGNED_BYTE = 0x08;
  private static final int HEIGHT = 3;
  private static final int WIDTH = 5;
  private static final int[] TRAIN = {7, 2, 2, 200, 7, 2};
  private static final int[] VALID = {2, 7, 200, 2};

  /**
   * Two stream buffers, the inflater's window and a message: far below any lying header's claim.
   */
  private static final long SMALL = 2 << 20;

  @TempDir private Path temporary;
  private IdxFolder folder;

  @BeforeEach
  void writeAWholeFolder() {
    folder = new IdxFolder(temporary, HEIGHT, WIDTH).train(TRAIN).valid(VALID);
  }

  @Test
  void aRawFolderIsReadInFileOrder() {
    DataSet data = load("7,2");
    assertEquals(folder.name(), data.name());
    assertEquals(List.of("7", "2"), data.classes());
    assertArrayEquals(new int[] {0, 1, 1, 0, 1}, data.train().targets());
    assertArrayEquals(images(TRAIN, 0, 1, 2, 4, 5), data.train().pixels());
    assertArrayEquals(new int[] {1, 0, 1}, data.valid().targets());
    assertArrayEquals(images(VALID, 0, 1, 3), data.valid().pixels());
    assertEquals(HEIGHT, data.train().height());
    assertEquals(WIDTH, data.train().width());
    assertEquals(HEIGHT * WIDTH, data.valid().imageSize());
  }

  @Test
  void allTakesEveryLabelThatOccursInAscendingOrder() {
    DataSet data = load("all");
    assertEquals(List.of("2", "7", "200"), data.classes());
    assertArrayEquals(new int[] {1, 0, 0, 2, 1, 0}, data.train().targets());
    assertArrayEquals(images(VALID, 0, 1, 2, 3), data.valid().pixels());
  }

  @Test
  void packedAndRawFoldersAreTheSameDataAndHaveTheSameChecksums() throws Exception {
    Map<String, String> expected = new TreeMap<>();
    for (String file : names()) {
      expected.put(
          file,
          HexFormat.of()
              .formatHex(MessageDigest.getInstance("SHA-256").digest(folder.bytes(file))));
    }
    DataSet raw = load("all");
    folder.packAll();
    DataSet packed = load("all");
    assertSameImages(raw, packed);
    assertEquals(expected, raw.sha256(), "of the raw file");
    assertEquals(expected, packed.sha256(), "of the unpacked file");
  }

  @Test
  void theDottedSpellingIsReadRawAndPacked() {
    DataSet expected = load("all");
    for (String file : names()) {
      folder.put(file.replace("-idx", ".idx"), folder.bytes(file)).remove(file);
    }
    assertSameImages(expected, load("all"));
    for (String file : names()) {
      folder.pack(file.replace("-idx", ".idx"));
    }
    assertSameImages(expected, load("all"));
  }

  /** EMNIST's files hold their images by columns. */
  @Test
  void emnistsFilesAreReadAndTurnedUpright() {
    DataSet expected = load("2,7");
    rename("emnist-digits-");
    DataSet data = load("2,7");
    assertArrayEquals(expected.train().targets(), data.train().targets());
    assertEquals(WIDTH, data.train().height());
    assertEquals(HEIGHT, data.train().width());
    for (int y = 0; y < WIDTH; y++) {
      for (int x = 0; x < HEIGHT; x++) {
        assertEquals(
            expected.train().pixels()[x * WIDTH + y], data.train().pixels()[y * HEIGHT + x]);
      }
    }
    assertEquals(
        expected.sha256().get(IdxFolder.TRAIN_IMAGES),
        data.sha256().get("emnist-digits-train-images-idx3-ubyte"));
  }

  @Test
  void emnistsLettersHaveNames() {
    folder.train(1, 2, 26, 26).valid(2, 1, 26);
    rename("emnist-letters-");
    assertEquals(List.of("a", "b", "z"), load("all").classes());
    assertArrayEquals(new int[] {1, 0, 0}, load("z,a").train().targets());
    assertEquals(List.of("26", "1"), load("26,1").classes(), "by number, called by number");
    refused("a,c").saying("class c does not occur", "it holds a, b, z");
    refused("a,1").saying("class a is named twice");
  }

  /** Eight integers an image; the first is the class. */
  @Test
  void qmnistsLabelsAreRead() {
    DataSet expected = load("all");
    folder.put(IdxFolder.TRAIN_LABELS, wideLabels(TRAIN));
    folder.put(IdxFolder.VALID_LABELS, wideLabels(VALID));
    rename("qmnist-");
    for (String part : List.of("train", "test")) {
      String narrow = "qmnist-" + part + "-labels-idx1-ubyte";
      folder.put("qmnist-" + part + "-labels-idx2-int", folder.bytes(narrow)).remove(narrow);
    }
    assertSameImages(expected, load("all"));
    String file = "qmnist-train-labels-idx2-int";
    byte[] damaged = folder.bytes(file);
    damaged[12 + 32] = 1;
    folder.put(file, damaged);
    refused("all").saying(place(file) + ": at byte 44: label 16777218, expected 0 to 255");
    folder.put(file, Arrays.copyOf(damaged, 100));
    refused("all").saying(place(file), "at byte 4", "6 x 8 values = 192 bytes", "holds 88");
    folder.put(file, IdxFolder.labelFile(TRAIN));
    refused("all").saying(place(file), "at byte 2", "type 0x08, expected 0x0c (32-bit integer)");
  }

  private static byte[] wideLabels(int... labels) {
    ByteBuffer content = ByteBuffer.allocate(12 + 32 * labels.length);
    content.put(IdxFolder.header(0x0c, labels.length, 8));
    for (int label : labels) {
      content.putInt(label).put(new byte[28]);
    }
    return content.array();
  }

  @Test
  void severalSetsInOneFolderAreRefused() {
    rename("emnist-digits-");
    folder.put("emnist-letters-train-images-idx3-ubyte.gz", new byte[1]);
    refused("all").saying("holds several data sets: emnist-digits, emnist-letters");
    folder.train(TRAIN).valid(VALID);
    assertEquals(HEIGHT, load("all").train().height(), "MNIST's own names win");
  }

  /** From MNIST's own names to {@code PREFIXtrain-...} and {@code PREFIXtest-...}. */
  private void rename(String prefix) {
    for (String file : names()) {
      folder.put(prefix + file.replace("t10k-", "test-"), folder.bytes(file)).remove(file);
    }
  }

  @Test
  void aRawFileIsPreferredToItsPackedNeighbour() {
    for (String file : names()) {
      folder.put(file + ".gz", new byte[] {1, 2, 3});
    }
    assertEquals(TRAIN.length, load("all").train().count());
  }

  @Test
  void aPackedFileWithoutItsEndingIsKnownByItsFirstBytes() {
    DataSet expected = load("all");
    folder.put(IdxFolder.TRAIN_IMAGES, IdxFolder.gzip(folder.bytes(IdxFolder.TRAIN_IMAGES)));
    assertSameImages(expected, load("all"));
  }

  /** As `cat a.gz b.gz` or a parallel gzip makes them. */
  @Test
  void aPackedFileOfSeveralMembersIsReadToItsEnd() {
    DataSet expected = load("all");
    byte[] raw = folder.bytes(IdxFolder.TRAIN_IMAGES);
    folder
        .remove(IdxFolder.TRAIN_IMAGES)
        .put(
            IdxFolder.TRAIN_IMAGES + ".gz",
            IdxFolder.join(
                IdxFolder.gzip(Arrays.copyOf(raw, 20)),
                IdxFolder.gzip(Arrays.copyOfRange(raw, 20, raw.length))));
    assertSameImages(expected, load("all"));
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 7", "7, 1", "28, 28", "1, 1048577", "64, 64"})
  void imagesOfAnySizeAreRead(int height, int width) {
    folder = new IdxFolder(temporary, height, width).train(TRAIN).valid(VALID);
    ImageSet train = load("200,2").train();
    assertEquals(height, train.height());
    assertEquals(width, train.width());
    assertArrayEquals(images(TRAIN, 1, 2, 3, 5), train.pixels());
  }

  /** More bytes than are trusted to a header at once, and than one chunk holds. */
  @Test
  void imagesBeyondTheFirstAllocationAreReadWhole() {
    int[] labels = new int[80];
    Arrays.setAll(labels, i -> i % 2 + 1);
    folder = new IdxFolder(temporary, 1000, 1001).train(labels).valid(1, 2);
    ImageSet train = load("1,2").train();
    assertEquals(80, train.count());
    byte[] last = folder.pixels(labels[79], 79);
    assertArrayEquals(last, Arrays.copyOfRange(train.pixels(), 79 * last.length, 80 * last.length));
  }

  @Test
  void aFolderAndTheBundledNameAreKnownAndNothingElse() {
    assertTrue(DataSets.isKnown(folder.name()));
    assertFalse(DataSets.isKnown("no-such-data"));
    assertFalse(DataSets.isKnown(temporary.resolve(IdxFolder.TRAIN_LABELS).toString()));
    assertFalse(DataSets.isKnown("a\0b"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"no-such-data", "MNIST", "a\0b"})
  void anUnknownNameIsRefused(String name) {
    Refusal.of(() -> DataSets.load(name, ClassFilter.ALL)).saying("bring it back or name another");
  }

  @Test
  void aMissingFileIsRefusedWithAllFourNames() {
    for (String file : names()) {
      byte[] content = folder.bytes(file);
      folder.remove(file);
      refused("all").saying(folder.name(), file, "or " + file + ".gz").saying(array(names()));
      folder.put(file, content);
    }
  }

  @Test
  void aFolderInPlaceOfAFileIsRefused() throws IOException {
    for (String file : names()) {
      byte[] content = folder.bytes(file);
      folder.remove(file);
      Files.createDirectory(temporary.resolve(file));
      refused("all").saying(place(file), "not a regular file");
      folder.remove(file).put(file, content);
    }
  }

  /** An archive on Kaggle: each file in a folder of its own name, some beside the dotted files. */
  @Test
  void aFileInAFolderOfItsNameIsFound() throws IOException {
    DataSet before = load("all");
    for (String file : names()) {
      byte[] content = folder.bytes(file);
      folder.remove(file);
      Files.createDirectory(temporary.resolve(file));
      Files.write(temporary.resolve(file).resolve(file), content);
    }
    assertArrayEquals(before.train().pixels(), load("all").train().pixels());
    for (String file : names()) {
      Path inner = temporary.resolve(file).resolve(file);
      Files.move(inner, temporary.resolve(file.replace("-idx", ".idx")));
    }
    assertArrayEquals(before.train().pixels(), load("all").train().pixels());
  }

  /** What torchvision is given as root has the files below it. */
  @Test
  void aRootOfTorchvisionIsFoundAndOfSeveralSetsNoneIsGuessed() throws IOException {
    DataSet before = load("all");
    Path raw = Files.createDirectories(temporary.resolve("MNIST/raw"));
    for (String file : names()) {
      Files.move(temporary.resolve(file), raw.resolve(file));
    }
    assertArrayEquals(before.train().pixels(), load("all").train().pixels());
    Path second = Files.createDirectories(temporary.resolve("KMNIST/raw"));
    for (String file : names()) {
      Files.copy(raw.resolve(file), second.resolve(file));
    }
    refused("all").saying("holds several data sets", "KMNIST/raw", "MNIST/raw", "name one");
  }

  @Test
  void anEmptyFileIsRefused() {
    for (String file : names()) {
      byte[] content = folder.bytes(file);
      folder.put(file, new byte[0]);
      refused("all").saying(place(file), "at byte 0", "expected 4 more bytes");
      folder.put(file, content);
    }
  }

  @Test
  void aRawFileCutAnywhereIsRefused() {
    for (String file : names()) {
      byte[] whole = folder.bytes(file);
      for (int length = 0; length < whole.length; length++) {
        folder.put(file, Arrays.copyOf(whole, length));
        refused("all").saying(place(file) + ": at byte ");
      }
      folder.put(file, whole);
    }
  }

  @Test
  void aRawFileCutInItsHeaderIsRefusedAtTheByteWhereItEnds() {
    folder.put(IdxFolder.TRAIN_IMAGES, Arrays.copyOf(folder.bytes(IdxFolder.TRAIN_IMAGES), 11));
    refused("all").saying(place(IdxFolder.TRAIN_IMAGES), "at byte 11", "ends here", "5 more bytes");
  }

  /** Every cut, so also those in the gzip header and in its trailer of checksum and length. */
  @Test
  void aPackedFileCutAnywhereIsRefused() {
    folder.packAll();
    for (String file : names()) {
      byte[] whole = folder.bytes(file + ".gz");
      for (int length = 0; length < whole.length; length++) {
        folder.put(file + ".gz", Arrays.copyOf(whole, length));
        refused("all").saying(place(file + ".gz"), "byte ", "; fetch the file again");
      }
      folder.put(file + ".gz", whole);
    }
  }

  /**
   * A flipped bit is noticed, or it stood in the gzip header's time stamp or hints, or among the
   * bits that fill up the last byte before the trailer of 8: the same data.
   */
  @Test
  void aPackedFileWithAnyBitFlippedIsRefusedOrHarmless() {
    DataSet expected = load("all");
    folder.pack(IdxFolder.TRAIN_IMAGES);
    byte[] whole = folder.bytes(IdxFolder.TRAIN_IMAGES + ".gz");
    int harmless = 0;
    for (int bit = 0; bit < 8 * whole.length; bit++) {
      byte[] damaged = whole.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      folder.put(IdxFolder.TRAIN_IMAGES + ".gz", damaged);
      DataSet seen;
      try {
        seen = load("all");
      } catch (InputException e) {
        Refusal.of(
                () -> {
                  throw e;
                })
            .saying(place(IdxFolder.TRAIN_IMAGES + ".gz"), "byte ");
        continue;
      }
      assertSameImages(expected, seen);
      assertTrue(
          bit / 8 < 10 || bit / 8 == whole.length - 9,
          "bit " + bit + " of " + whole.length + " bytes went unnoticed");
      harmless++;
    }
    assertTrue(harmless <= 8 * 7 + 7, harmless + " flips went unnoticed");
  }

  @Test
  void packedGarbageIsRefused() {
    folder.pack(IdxFolder.TRAIN_LABELS);
    byte[] garbage = new byte[200];
    new Random(1).nextBytes(garbage);
    garbage[0] = 0x1f;
    garbage[1] = (byte) 0x8b;
    folder.put(IdxFolder.TRAIN_LABELS + ".gz", garbage);
    refused("all").saying(place(IdxFolder.TRAIN_LABELS + ".gz"), "byte 0", ".gz");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0x01, 0, magic 01000801",
    "1, 0xff, 0, magic 00ff0801",
    "2, 0x0d, 2, write labels as unsigned bytes",
    "2, 0x09, 2, type 0x09",
    "2, 0xff, 2, type 0xff",
    "3, 0x00, 3, 0 dimensions",
    "3, 0x03, 3, 3 dimensions",
    "3, 0xff, 3, 255 dimensions",
  })
  void aWrongMagicOfALabelFileIsRefusedAtItsByte(int at, String value, int place, String what) {
    byte[] damaged = folder.bytes(IdxFolder.VALID_LABELS);
    damaged[at] = Integer.decode(value).byteValue();
    folder.put(IdxFolder.VALID_LABELS, damaged);
    refused("all")
        .saying(place(IdxFolder.VALID_LABELS) + ": at byte " + place + ": ", what, "expected ");
  }

  @Test
  void labelsInPlaceOfImagesAreRefused() {
    folder.put(IdxFolder.TRAIN_IMAGES, folder.bytes(IdxFolder.TRAIN_LABELS));
    refused("all").saying(place(IdxFolder.TRAIN_IMAGES), "at byte 3", "1 dimensions", "expected 3");
  }

  @ParameterizedTest
  @CsvSource({"2, 0x0d, type 0x0d", "2, 0x0c, type 0x0c", "3, 4, 4 dimensions"})
  void theRefusalOfSelfMadeImagesSaysWhatToWrite(int at, String value, String what) {
    byte[] other = folder.bytes(IdxFolder.TRAIN_IMAGES);
    other[at] = Integer.decode(value).byteValue();
    folder.put(IdxFolder.TRAIN_IMAGES, other);
    refused("all")
        .saying(
            what, "; write grey images as unsigned bytes from 0 to 255, [images, rows, columns]");
  }

  @ParameterizedTest
  @CsvSource({"0, 3, 5, 4", "6, 0, 5, 8", "6, 3, 0, 12", "0, 0, 0, 4"})
  void aDimensionOfZeroIsRefusedAtItsByte(long count, long height, long width, int at) {
    folder.put(IdxFolder.TRAIN_IMAGES, IdxFolder.header(UNSIGNED_BYTE, count, height, width));
    refused("all").saying(place(IdxFolder.TRAIN_IMAGES), "at byte " + at, "is 0", "expected");
  }

  @Test
  void noLabelsAtAllAreRefused() {
    folder.put(IdxFolder.TRAIN_LABELS, IdxFolder.header(UNSIGNED_BYTE, 0));
    refused("all").saying(place(IdxFolder.TRAIN_LABELS), "at byte 4", "is 0");
  }

  @ParameterizedTest
  @ValueSource(longs = {1L << 20, Integer.MAX_VALUE, 1L << 31, (1L << 32) - 1})
  void aHeaderThatClaimsMoreThanItsFileCanHoldIsRefusedBeforeMemoryIsTaken(long claimed) {
    byte[] labels = IdxFolder.join(IdxFolder.header(UNSIGNED_BYTE, claimed), new byte[] {2, 7});
    byte[] images =
        IdxFolder.join(
            IdxFolder.header(UNSIGNED_BYTE, claimed, HEIGHT, WIDTH), new byte[HEIGHT * WIDTH]);
    for (String file : names()) {
      byte[] lying = file.contains("idx1") ? labels : images;
      byte[] whole = folder.bytes(file);
      folder.put(file, lying);
      refusedWithin(SMALL, "all")
          .saying(place(file), "at byte 4", "claims " + claimed, "but the file holds ");
      folder.pack(file);
      refusedWithin(SMALL, "all")
          .saying(place(file + ".gz"), "at byte 4", "claims " + claimed, "can hold at most ");
      folder.remove(file + ".gz").put(file, whole);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {65_535, (1L << 31) - 1, (1L << 32) - 1})
  void imagesOfAbsurdSizeAreRefusedBeforeMemoryIsTaken(long side) {
    folder.put(
        IdxFolder.TRAIN_IMAGES,
        IdxFolder.join(IdxFolder.header(UNSIGNED_BYTE, TRAIN.length, side, side), new byte[100]));
    refusedWithin(SMALL, "all")
        .saying(place(IdxFolder.TRAIN_IMAGES), "at byte 4", side + " x " + side, "holds 100");
    folder.pack(IdxFolder.TRAIN_IMAGES);
    refusedWithin(SMALL, "all")
        .saying(place(IdxFolder.TRAIN_IMAGES + ".gz"), "at byte 4", side + " x " + side);
  }

  /** The file really is that long (a hole on disk), so only the size itself can be refused. */
  @ParameterizedTest
  @CsvSource({"4096, 4097", "16777217, 1", "1, 16777217"})
  void imagesOverTheLimitAreRefusedThoughTheFileHoldsThem(long height, long width)
      throws IOException {
    folder.put(
        IdxFolder.TRAIN_IMAGES, IdxFolder.header(UNSIGNED_BYTE, TRAIN.length, height, width));
    lengthen(IdxFolder.TRAIN_IMAGES, 16 + TRAIN.length * height * width);
    refusedWithin(SMALL, "all")
        .saying(
            place(IdxFolder.TRAIN_IMAGES),
            "at byte 8",
            height + " x " + width,
            "expected at most 4096 x 4096");
  }

  @Test
  void moreImagesThanAnArrayHoldsAreRefusedThoughTheFileHoldsThem() throws IOException {
    int[] labels = new int[129];
    Arrays.setAll(labels, i -> i % 2);
    folder.put(IdxFolder.TRAIN_LABELS, IdxFolder.labelFile(labels)).valid(0, 1);
    folder.put(IdxFolder.TRAIN_IMAGES, IdxFolder.header(UNSIGNED_BYTE, 129, 4096, 4096));
    lengthen(IdxFolder.TRAIN_IMAGES, 16 + 129L * 4096 * 4096);
    refusedWithin(SMALL, "all")
        .saying(place(IdxFolder.TRAIN_IMAGES), "at byte 4", "2 GiB", "--classes");
  }

  /** Two megabytes of noise might unpack to two thousand million labels, but do not. */
  @Test
  void aPackedClaimThatMightBeTrueTakesMemoryOnlyAsBytesArrive() {
    byte[] noise = new byte[2 << 20];
    new Random(3).nextBytes(noise);
    folder.put(
        IdxFolder.TRAIN_LABELS,
        IdxFolder.join(IdxFolder.header(UNSIGNED_BYTE, 2_000_000_000), noise));
    folder.pack(IdxFolder.TRAIN_LABELS);
    refusedWithin(128 << 20, "all")
        .saying(
            place(IdxFolder.TRAIN_LABELS + ".gz"),
            "at byte " + (8 + noise.length) + ": ",
            "ends here");
  }

  @Test
  void fewerLabelsThanImagesAreRefused() {
    folder.put(IdxFolder.TRAIN_LABELS, IdxFolder.labelFile(7, 2, 2, 200, 7));
    refused("all")
        .saying(place(IdxFolder.TRAIN_IMAGES), "at byte 4", "6 images", "there are 5 labels");
  }

  @Test
  void moreLabelsThanImagesAreRefused() {
    folder.put(IdxFolder.VALID_LABELS, IdxFolder.labelFile(2, 7, 200, 2, 2));
    refused("all")
        .saying(place(IdxFolder.VALID_IMAGES), "at byte 4", "4 images", "there are 5 labels");
  }

  @Test
  void bytesBehindTheDataAreRefused() {
    for (String file : names()) {
      int header = file.contains("idx1") ? 8 : 16;
      byte[] whole = folder.bytes(file);
      folder.put(file, IdxFolder.join(whole, new byte[1]));
      refused("all")
          .saying(place(file), "at byte 4", "but the file holds " + (whole.length + 1 - header));
      folder.pack(file);
      refused("all")
          .saying(place(file + ".gz"), "at byte " + whole.length, "expected the end of the file");
      folder.remove(file + ".gz").put(file, whole);
    }
  }

  @Test
  void imagesOfAnotherSizeInValidationAreRefused() {
    new IdxFolder(temporary, 5, 3).valid(VALID);
    refused("all")
        .saying(folder.name(), "have 3 x 5 pixels (height x width)", "5 x 3", "same size");
  }

  @Test
  void aClassWithoutTrainingImagesIsRefusedWithThoseThatOccur() {
    refused("2,3").saying("class 3", folder.name(), IdxFolder.TRAIN_LABELS, "2, 7, 200");
  }

  @Test
  void aClassWithoutValidationImagesIsRefusedWithThoseThatOccur() {
    folder.valid(2, 200, 2);
    refused("2,7").saying("class 7", folder.name(), IdxFolder.VALID_LABELS, "2, 200");
    refused("all").saying("class 7", folder.name(), IdxFolder.VALID_LABELS, "2, 200");
  }

  @Test
  void aLabelThatOnlyValidationHasIsRefusedWithAllAndNotMissedOtherwise() {
    folder.valid(2, 7, 200, 9);
    refused("all")
        .saying("class 9", folder.name(), IdxFolder.VALID_LABELS, "training", "--classes");
    assertEquals(2, load("2,7").valid().count());
  }

  @Test
  void aDataSetOfOneClassIsRefused() {
    folder.train(4, 4).valid(4);
    refused("all").saying(folder.name(), IdxFolder.TRAIN_LABELS, "single class", "4");
  }

  /** Windows cannot delete an open file, and a long-lived program runs out of them. */
  @Test
  void aRefusedFileIsClosed() throws IOException {
    Path open = Path.of("/proc/self/fd");
    assumeTrue(Files.isDirectory(open), "only Linux lists a program's open files as a folder");
    byte[] whole = folder.bytes(IdxFolder.TRAIN_LABELS);
    for (byte[] damaged :
        List.of(
            new byte[0],
            new byte[] {0, 0, 13, 1},
            Arrays.copyOf(whole, 9),
            new byte[] {0x1f, (byte) 0x8b, 8},
            Arrays.copyOf(IdxFolder.gzip(whole), 12))) {
      folder.put(IdxFolder.TRAIN_LABELS, damaged);
      refused("all");
    }
    try (Stream<Path> files = Files.list(open)) {
      List<String> ours =
          files
              .map(DataSetsTest::target)
              .filter(file -> file.startsWith(temporary.toAbsolutePath().toString()))
              .toList();
      assertEquals(List.of(), ours);
    }
  }

  private DataSet load(String classes) {
    return DataSets.load(folder.name(), ClassFilter.parse(classes));
  }

  private Refusal refused(String classes) {
    return Refusal.of(() -> load(classes));
  }

  /** Refused, and all this thread allocated on the way is at most {@code bytes}. */
  private Refusal refusedWithin(long bytes, String classes) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long id = Thread.currentThread().getId();
    long[] before = new long[1];
    long[] after = new long[1];
    Executable reading =
        () -> {
          before[0] = threads.getThreadAllocatedBytes(id);
          try {
            load(classes);
          } finally {
            after[0] = threads.getThreadAllocatedBytes(id);
          }
        };
    Refusal refusal = Refusal.of(reading);
    long taken = after[0] - before[0];
    assertTrue(taken <= bytes, taken + " bytes were allocated, " + bytes + " expected at most");
    return refusal;
  }

  private void lengthen(String file, long length) throws IOException {
    try (RandomAccessFile sparse = new RandomAccessFile(temporary.resolve(file).toFile(), "rw")) {
      sparse.setLength(length);
    }
  }

  private String place(String file) {
    return temporary.resolve(file).toString();
  }

  private byte[] images(int[] labels, int... numbers) {
    return IdxFolder.join(
        Arrays.stream(numbers)
            .mapToObj(number -> folder.pixels(labels[number], number))
            .toArray(byte[][]::new));
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return "closed since it was listed";
    }
  }

  private static void assertSameImages(DataSet expected, DataSet seen) {
    assertEquals(expected.classes(), seen.classes());
    for (boolean train : new boolean[] {true, false}) {
      ImageSet a = train ? expected.train() : expected.valid();
      ImageSet b = train ? seen.train() : seen.valid();
      assertArrayEquals(a.targets(), b.targets());
      assertArrayEquals(a.pixels(), b.pixels());
      assertEquals(a.height(), b.height());
      assertEquals(a.width(), b.width());
    }
  }

  private static List<String> names() {
    return List.of(
        IdxFolder.TRAIN_IMAGES,
        IdxFolder.TRAIN_LABELS,
        IdxFolder.VALID_IMAGES,
        IdxFolder.VALID_LABELS);
  }

  private static String[] array(List<String> names) {
    return names.toArray(String[]::new);
  }
}
