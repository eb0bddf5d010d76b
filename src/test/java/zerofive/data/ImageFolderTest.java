package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.DataRequest.Split;
import zerofive.data.remote.DownloadListener;
import zerofive.files.Sha256;
import zerofive.report.chart.Png;

/** Folders of images, one folder a class. */
class ImageFolderTest {
  private static final int WIDTH = 3;
  private static final int HEIGHT = 2;

  @TempDir private Path folder;
  private final TreeMap<String, byte[]> trainFiles = new TreeMap<>();

  @BeforeEach
  void writeAWholeFolder() throws IOException {
    image("train/dog/2.png", 12);
    image("train/dog/10.png", 11);
    image("train/cat/b.png", 22);
    image("train/cat/a.PNG", 21);
    image("train/7/x.png", 31);
    image("valid/cat/a.png", 41);
    image("valid/dog/a.png", 42);
    image("valid/7/a.png", 43);
  }

  private static byte[] pixels(int first) {
    byte[] pixels = new byte[HEIGHT * WIDTH];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (byte) (first + 40 * i);
    }
    return pixels;
  }

  private void image(String path, int first) throws IOException {
    put(path, Png.grey(WIDTH, HEIGHT, pixels(first)));
  }

  private void put(String path, byte[] content) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.write(file, content);
    if (path.startsWith("train/")) {
      trainFiles.put(path.substring("train/".length()), content);
    }
  }

  private DataSet load(String classes) {
    return DataSets.load(folder.toString(), ClassFilter.parse(classes));
  }

  private Refusal refused(String classes) {
    return Refusal.of(() -> load(classes));
  }

  private static byte[] images(int... firsts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    Arrays.stream(firsts).forEach(first -> all.writeBytes(pixels(first)));
    return all.toByteArray();
  }

  @Test
  void imagesComeInTheOrderOfTheirPathsWithTheirFoldersAsClasses() {
    DataSet data = load("dog,cat");
    assertEquals(folder.toString(), data.name());
    assertEquals(List.of("dog", "cat"), data.classes());
    assertArrayEquals(images(21, 22, 11, 12), data.train().pixels());
    assertArrayEquals(new int[] {1, 1, 0, 0}, data.train().targets());
    assertArrayEquals(images(41, 42), data.valid().pixels());
    assertEquals(HEIGHT, data.train().height());
    assertEquals(WIDTH, data.train().width());
  }

  @Test
  void allIsNumbersFirstThenWords() throws IOException {
    image("train/10/x.png", 1);
    image("valid/10/x.png", 1);
    assertEquals(List.of("7", "10", "cat", "dog"), load("all").classes());
  }

  /** As `sha256sum` and `sort` would make it, so that anybody can. */
  @Test
  void theDigestIsThatOfTheListOfTheChosenFilesDigests() throws IOException {
    StringBuilder list = new StringBuilder();
    trainFiles.forEach(
        (path, content) -> {
          if (!path.startsWith("7/")) {
            list.append(Sha256.of(content)).append("  ").append(path).append('\n');
          }
        });
    String expected = Sha256.of(list.toString().getBytes(StandardCharsets.UTF_8));
    assertEquals(expected, load("cat,dog").sha256().get("train"));
    assertEquals(expected, load("dog,cat").sha256().get("train"));
    assertEquals(List.of("train", "valid"), List.copyOf(load("all").sha256().keySet()));
  }

  @Test
  void theOtherNamesOfTheHalvesAreKnown() throws IOException {
    DataSet before = load("all");
    Files.move(folder.resolve("train"), folder.resolve("training"));
    Files.move(folder.resolve("valid"), folder.resolve("testing"));
    DataSet after = load("all");
    assertArrayEquals(before.train().pixels(), after.train().pixels());
    assertArrayEquals(before.valid().pixels(), after.valid().pixels());
  }

  @Test
  void hiddenFilesAndOtherEndingsArePassedOver() throws IOException {
    put("train/dog/.hidden.png", new byte[] {1});
    put("train/dog/notes.txt", new byte[] {1});
    put("train/.cache/x.png", new byte[] {1});
    put("train/labels.csv", new byte[] {1});
    DataSet data = load("all");
    assertEquals(List.of("7", "cat", "dog"), data.classes());
    assertEquals(
        List.of(folder.resolve("train") + ": passed over 1 .txt; only PNG and JPEG files are read"),
        data.notes());
  }

  @Test
  void whatIsPassedOverIsCountedByItsEnding() throws IOException {
    put("train/dog/a.BMP", new byte[] {1});
    put("train/cat/b.bmp", new byte[] {1});
    put("train/cat/below/c.png", new byte[] {1});
    put("train/cat/README", new byte[] {1});
    put("valid/7/d.webp", new byte[] {1});
    assertEquals(
        List.of(
            folder.resolve("train")
                + ": passed over 2 .bmp, 1 file without an ending, 1 folder;"
                + " only PNG and JPEG files are read"),
        load("cat,dog").notes());
    assertEquals(2, load("all").notes().size());
  }

  /** With all classes asked for, one of them would be lost silently. */
  @Test
  void aClassWithoutImagesIsRefused() throws IOException {
    Files.createDirectories(folder.resolve("train/empty"));
    refused("all").saying("train/empty is empty; put its images there, or name the other classes");
    refused("dog,empty").saying("train/empty is empty");
    assertEquals(List.of("dog", "cat"), load("dog,cat").classes());
    put("train/empty/a.bmp", new byte[] {1});
    put("train/empty/b.webp", new byte[] {1});
    refused("all")
        .saying("train/empty holds no PNG or JPEG file (1 .bmp, 1 .webp); convert its images");
  }

  @Test
  void aClassWhoseImagesLieOneLevelDownIsRefused() throws IOException {
    put("train/bird/one/a.png", new byte[] {1});
    put("train/bird/two/a.png", new byte[] {1});
    refused("all")
        .saying("train/bird holds no PNG or JPEG file (2 folders); move the images up from below");
    Files.move(folder.resolve("valid/dog/a.png"), folder.resolve("valid/dog/a.gif"));
    refused("dog,cat").saying("valid/dog holds no PNG or JPEG file (1 .gif)");
  }

  @Test
  void theRefusalOfADamagedImageNamesTheOptionThatGoesOn() throws IOException {
    put("train/dog/2.png", new byte[] {1, 2, 3});
    refused("all").saying("train/dog/2.png is ", "or leave such files out with --skip-unreadable");
  }

  private DataSet readable(String classes) {
    return DataSets.load(
        new DataRequest(folder.toString(), ClassFilter.parse(classes), Split.VALID, true),
        DownloadListener.NONE);
  }

  @Test
  void unreadableImagesAreLeftOutWhereThatIsAskedFor() throws IOException {
    String whole = load("dog,cat").sha256().get("train");
    assertEquals(whole, readable("dog,cat").sha256().get("train"));
    put("train/cat/1.png", new byte[0]); // The very first
    put("train/dog/3.png", new byte[] {1, 2, 3});
    put("train/dog/4.png", new byte[] {1, 2, 3});
    put("valid/dog/z.png", new byte[] {1, 2, 3});
    DataSet data = readable("dog,cat");
    assertArrayEquals(images(21, 22, 11, 12), data.train().pixels());
    assertArrayEquals(new int[] {1, 1, 0, 0}, data.train().targets());
    assertArrayEquals(images(41, 42), data.valid().pixels());
    assertEquals(whole, data.sha256().get("train"), "that of the files that were read");
    assertEquals(4, data.unreadable());
    Path train = folder.resolve("train");
    assertEquals(
        List.of(
            "4 images that cannot be read are left out, as --skip-unreadable asks: "
                + train.resolve("cat/1.png")
                + ", "
                + train.resolve("dog/3.png")
                + ", "
                + train.resolve("dog/4.png")
                + " and 1 more"),
        data.notes());
  }

  @Test
  void aClassOfWhichNothingCanBeReadIsRefusedAllTheSame() throws IOException {
    put("train/7/x.png", new byte[] {1});
    Refusal.of(() -> readable("all")).saying("train/7: none of its images can be read");
    put("train/dog/2.png", Png.grey(HEIGHT, WIDTH, pixels(1)));
    Refusal.of(() -> readable("dog,cat")).saying("all images must have one size");
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void linksThatLeadInACircleAreNoMatter() throws IOException {
    Files.createSymbolicLink(folder.resolve("train/loop"), folder.resolve("train/loop"));
    Files.createSymbolicLink(folder.resolve("train/dog/up"), folder.resolve("train"));
    assertEquals(List.of("7", "cat", "dog"), load("all").classes());
    Files.createSymbolicLink(folder.resolve("train/dog/l.png"), folder.resolve("train/dog/l.png"));
    refused("all").saying("l.png cannot be read: ");
  }

  @Test
  void theFirstImageOfAnotherSizeIsNamed() throws IOException {
    put("train/dog/2.png", Png.grey(HEIGHT, WIDTH, pixels(1)));
    put("train/dog/30.png", Png.grey(1, 1, new byte[1]));
    refused("all")
        .saying(
            "train/dog/2.png has 3 x 2 pixels (height x width)",
            "train/7/x.png has 2 x 3",
            "all images must have one size");
  }

  @Test
  void aValidationImageOfAnotherSizeIsNamed() throws IOException {
    put("valid/cat/a.png", Png.grey(HEIGHT, WIDTH, pixels(1)));
    refused("all").saying("valid/cat/a.png has 3 x 2 pixels", "train/7/x.png has 2 x 3");
  }

  @Test
  void ofSeveralDamagedImagesTheFirstIsNamed() throws IOException {
    for (int i = 0; i < 40; i++) {
      put("train/dog/d" + (10 + i) + ".png", new byte[] {(byte) i, 7});
    }
    for (int i = 0; i < 20; i++) {
      refused("dog,cat").saying("train/dog/d10.png is something else");
    }
  }

  @Test
  void anEmptyFileIsRefused() throws IOException {
    put("train/dog/2.png", new byte[0]);
    refused("all").saying("train/dog/2.png is empty");
  }

  @Test
  void aClassThatIsNotThereIsRefusedWithThoseThatAre() {
    refused("dog,bird").saying("class bird does not occur in", "it holds 7, cat, dog");
    refused("dog,07").saying("class 07 does not occur in");
  }

  @Test
  void bothHalvesMustHaveTheClasses() throws IOException {
    image("valid/bird/a.png", 5);
    refused("all").saying("class bird occurs in", "but not in the training labels");
    assertEquals(2, load("cat,dog").classes().size());
    Files.delete(folder.resolve("valid/cat/a.png"));
    refused("cat,dog").saying("valid/cat is empty");
    Files.delete(folder.resolve("valid/cat"));
    refused("cat,dog").saying("class cat does not occur in", "valid");
  }

  /** The test's images are for the end, not for choosing an epoch. */
  @Test
  void validationImagesAreMeasuredWhereThereAreTestImagesToo() throws IOException {
    DataSet before = load("all");
    Files.move(folder.resolve("valid"), folder.resolve("val"));
    image("test/cat/a.png", 1);
    image("test/dog/a.png", 2);
    image("test/7/a.png", 3);
    DataSet data = load("all");
    assertArrayEquals(before.valid().pixels(), data.valid().pixels());
    assertEquals(
        List.of(
            folder.resolve("val")
                + " is used for validation; "
                + folder.resolve("test")
                + " is left for evaluate --split test"),
        data.notes());
    DataSet tested = split(Split.TEST);
    assertArrayEquals(images(3, 1, 2), tested.valid().pixels());
    assertEquals(
        List.of(
            "the validation images are those of "
                + folder.resolve("test")
                + ", as --split test asks"),
        tested.notes());
  }

  private DataSet split(Split split) {
    return DataSets.load(
        new DataRequest(folder.toString(), ClassFilter.ALL, split, false), DownloadListener.NONE);
  }

  @Test
  void testImagesAreUsedForValidationOnlyWithANote() throws IOException {
    assertEquals(List.of(), load("all").notes());
    Refusal.of(() -> split(Split.TEST)).saying("none called test or testing");
    Files.move(folder.resolve("valid"), folder.resolve("test"));
    assertEquals(
        List.of(
            "there is no folder valid, so "
                + folder.resolve("test")
                + " is used for validation and is no longer an independent test"),
        load("all").notes());
  }

  @Test
  void foldersMayBeSpeltWithCapitals() throws IOException {
    DataSet before = load("all");
    Files.move(folder.resolve("train"), folder.resolve("Train"));
    Files.move(folder.resolve("valid"), folder.resolve("Test"));
    DataSet after = load("all");
    assertArrayEquals(before.train().pixels(), after.train().pixels());
    assertArrayEquals(before.valid().pixels(), after.valid().pixels());
  }

  /** A Mac writes names decomposed; a keyboard types them composed. */
  @Test
  void aDecomposedNameIsThatOfItsClass() throws IOException {
    for (String half : List.of("train", "valid")) {
      Files.move(folder.resolve(half + "/cat"), folder.resolve(half + "/cafe\u0301"));
    }
    DataSet data = load("caf\u00e9,dog");
    assertEquals(List.of("caf\u00e9", "dog"), data.classes());
    assertEquals(data.classes(), load("cafe\u0301,dog").classes());
    image("train/caf\u00e9/other.png", 3);
    refused("all").saying("train has two folders called caf\u00e9", "NFC");
  }

  @Test
  void aFolderWithoutTheSecondHalfOrWithoutClassesIsRefused() throws IOException {
    Files.move(folder.resolve("valid"), folder.resolve("other"));
    refused("all")
        .saying("has a folder train but none called valid or val or validation or test or testing");
    Files.move(folder.resolve("other"), folder.resolve("test"));
    Files.move(folder.resolve("train"), folder.resolve("old"));
    Files.createDirectory(folder.resolve("train"));
    refused("all").saying("train holds no class");
  }

  @Test
  void imagesThatMakeMoreThanAnArrayHoldsAreRefusedBeforeMemoryIsTaken() throws IOException {
    byte[] large = Png.grey(4096, 4096, new byte[4096 * 4096]);
    for (int i = 0; i < 128; i++) {
      put("train/7/l" + i + ".png", large);
    }
    Files.delete(folder.resolve("train/7/x.png"));
    refused("all").saying("images of 4096 x 4096", "expected at most 2 GiB");
  }
}
