package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.IdxFolder;
import zerofive.data.ImageSet;
import zerofive.data.image.GreyImage;
import zerofive.data.image.Pictures;

class PredictTest {
  private static final int SIDE = 28;

  @TempDir static Path shared;
  @TempDir Path folder;

  private static Path model;
  private static DataSet data;

  @BeforeAll
  static void train() {
    Path run = shared.resolve("run");
    Launcher.Result trained =
        InProcess.run("train", "--epochs", "2", "--quiet", "--out", run.toString());
    assertEquals(0, trained.code(), trained.err());
    model = run.resolve("model.safetensors");
    data = DataSets.load("mnist", ClassFilter.parse("0,5"));
  }

  private static Launcher.Result predict(Object... arguments) {
    List<String> all = new ArrayList<>(List.of("predict", "--model", model.toString()));
    Arrays.stream(arguments).map(String::valueOf).forEach(all::add);
    return InProcess.run(all.toArray(String[]::new));
  }

  private static GreyImage digit(int i) {
    ImageSet images = data.valid();
    int size = images.imageSize();
    return new GreyImage(Arrays.copyOfRange(images.pixels(), i * size, (i + 1) * size), SIDE, SIDE);
  }

  private static long right(List<String> rows) {
    long right = 0;
    for (int i = 0; i < rows.size(); i++) {
      String label = data.classes().get(data.valid().targets()[i]);
      right += rows.get(i).split(",", -1)[1].equals(label) ? 1 : 0;
    }
    return right;
  }

  private static List<String> rows(Launcher.Result result) {
    List<String> lines = result.outLines();
    assertEquals("path,class,probability", lines.get(0));
    return lines.subList(1, lines.size());
  }

  @Test
  void pngAndIdxFilesAreCountedAsEvaluateCounts() {
    int count = data.valid().count();
    Path digits = folder.resolve("digits");
    for (int i = 0; i < count; i++) {
      Pictures.write(digits.resolve(String.format("%04d.png", i)), Pictures.png(digit(i)));
    }
    byte[] pixels = data.valid().pixels();
    byte[] idx =
        ByteBuffer.allocate(16 + pixels.length)
            .putInt(0x803)
            .putInt(count)
            .putInt(SIDE)
            .putInt(SIDE)
            .put(pixels)
            .array();
    Path file = Pictures.write(folder.resolve("images-idx3-ubyte"), idx);
    Launcher.Result evaluated = InProcess.run("evaluate", "--json", "--model", model.toString());
    long errors =
        JsonParser.parseString(evaluated.out()).getAsJsonObject().get("errors").getAsLong();
    Launcher.Result folders = predict(digits);
    assertEquals(0, folders.code(), folders.err());
    assertFalse(folders.err().contains("inverted"), folders.err());
    assertEquals(count, rows(folders).size());
    assertEquals(count - errors, right(rows(folders)));
    Launcher.Result indexed = predict(file);
    assertEquals(count - errors, right(rows(indexed)));
    assertTrue(rows(indexed).get(7).startsWith(file + "#7,"), rows(indexed).get(7));
    assertEquals(count - errors, right(rows(predict("--raw", digits))));
  }

  /** Dark on light grey, five times as large, anywhere on the sheet, lit from one side, noisy. */
  @Test
  void aPhotoOfADigitIsTakenForTheSameDigit() {
    Random random = new Random(5);
    int width = 260;
    int height = 220;
    int digits = 200;
    Path photos = folder.resolve("photos");
    for (int i = 0; i < digits; i++) {
      GreyImage digit = digit(i);
      int left = random.nextInt(width - 5 * SIDE);
      int top = random.nextInt(height - 5 * SIDE);
      byte[] pixels = new byte[width * height];
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          int ink =
              x >= left && x < left + 5 * SIDE && y >= top && y < top + 5 * SIDE
                  ? digit.at((x - left) / 5, (y - top) / 5)
                  : 0;
          pixels[y * width + x] =
              (byte) (215 - ink * 140 / 255 - x * 30 / width + 2 * random.nextGaussian());
        }
      }
      GreyImage photo = new GreyImage(pixels, width, height);
      Pictures.write(photos.resolve(String.format("%03d.jpg", i)), Pictures.jpeg(photo, 0.85f));
    }
    Launcher.Result result = predict(photos);
    assertEquals(0, result.code(), result.err());
    assertTrue(result.err().contains("200 images with dark ink"), result.err());
    long right = right(rows(result));
    assertTrue(right >= 0.95 * digits, right + " of " + digits);
  }

  @Test
  void whichImagesAreFittedIsAnOption() {
    GreyImage five = digit(0);
    byte[] aside = new byte[SIDE * SIDE];
    System.arraycopy(five.pixels(), 0, aside, 4 * SIDE, aside.length - 4 * SIDE);
    Path image =
        Pictures.write(folder.resolve("a.png"), Pictures.png(new GreyImage(aside, SIDE, SIDE)));
    Launcher.Result auto = predict(image);
    assertTrue(auto.err().contains("1 image of the model's own size kept"), auto.err());
    assertEquals(auto.out(), predict("--fit", "never", image).out());
    assertEquals(auto.out(), predict("--raw", image).out());
    Launcher.Result always = predict("--fit", "always", image);
    assertFalse(always.err().contains("own size"), always.err());
    assertEquals(
        rows(always).get(0).split(",", -1)[1],
        rows(predict("--raw", image("centred", five))).get(0).split(",", -1)[1]);
    assertEquals(2, predict("--fit", "sometimes", image).code());
    assertEquals(2, predict("--raw", "--fit", "auto", image).code());
  }

  /** Images that a training took are those that predict takes, whatever their shape. */
  @ParameterizedTest
  @CsvSource({"18, 32", "36, 28"})
  void imagesThatAreNotSquareArePredictedAsTheyWereTrained(int height, int width)
      throws IOException {
    Path files = folder.resolve("bars");
    List<Path> pictures = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      for (String label : List.of("high", "low")) {
        byte[] pixels = bar(height, width, label.equals("high") ? height / 4 : height / 2, i);
        byte[] png = Pictures.png(new GreyImage(pixels, width, height));
        Pictures.write(files.resolve("train/" + label + "/" + i + ".png"), png);
        pictures.add(Pictures.write(files.resolve("valid/" + label + "/" + i + ".png"), png));
      }
    }
    Path run = folder.resolve("run");
    Launcher.Result trained =
        InProcess.run(
            "train", "--classes", "high,low", "--data", files.toString(), "--out", run.toString());
    assertTrue(
        trained.err().contains(height + " x " + width + " pixels (height x width)"), trained.err());
    Path own = run.resolve("model.safetensors");
    Launcher.Result predicted = predict(own, pictures);
    assertEquals(0, predicted.code(), predicted.err());
    assertFalse(predicted.err().contains("assumed"), predicted.err());
    List<String> classes = rows(predicted).stream().map(row -> row.split(",", -1)[1]).toList();
    assertEquals(pictures.stream().map(PredictTest::label).toList(), classes);

    // A file of an earlier version does not say the shape of its images.
    Path earlier = Files.write(folder.resolve("earlier.safetensors"), EarlierModel.of(own));
    Launcher.Result unknown = predict(earlier, pictures);
    assertEquals(3, unknown.code(), unknown.err());
    assertTrue(
        unknown.err().contains("does not say their height and width; use --fit never")
            || unknown.err().contains("1008 pixels make no square; give images of just that size"),
        unknown.err());
    pictures.add(0, Path.of("--raw"));
    assertEquals(rows(predicted), rows(predict(earlier, pictures)));
  }

  /** A bright bar over a quarter of the height, from row {@code top} on, with some noise. */
  private static byte[] bar(int height, int width, int top, int seed) {
    byte[] pixels = new byte[height * width];
    Random random = new Random(seed);
    for (int y = top; y < top + height / 4; y++) {
      for (int x = 3; x < width - 3; x++) {
        pixels[y * width + x] = (byte) (155 + random.nextInt(100));
      }
    }
    return pixels;
  }

  private static String label(Path picture) {
    return picture.getParent().getFileName().toString();
  }

  private static Launcher.Result predict(Path model, List<Path> arguments) {
    List<String> all = new ArrayList<>(List.of("predict", "--model", model.toString()));
    arguments.forEach(argument -> all.add(argument.toString()));
    return InProcess.run(all.toArray(String[]::new));
  }

  private Path image(String name, GreyImage image) {
    return Pictures.write(folder.resolve(name + ".png"), Pictures.png(image));
  }

  @Test
  void probabilitiesOfJsonLinesSumToOne() {
    Path first = Pictures.write(folder.resolve("a.png"), Pictures.png(digit(0)));
    Path out = folder.resolve("rows.jsonl");
    Launcher.Result result = predict("--json", "--out", out, first);
    assertEquals(0, result.code(), result.err());
    assertEquals("", result.out());
    try {
      JsonObject row = JsonParser.parseString(Files.readString(out)).getAsJsonObject();
      JsonObject shares = row.getAsJsonObject("probabilities");
      double zero = shares.get("0").getAsDouble();
      assertEquals(1, zero + shares.get("5").getAsDouble(), 1e-15);
      assertEquals(first.toString(), row.get("path").getAsString());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void whatCannotBeReadIsNamedAndTheRestPredicted() throws IOException {
    Path good = folder.resolve("sheet");
    Pictures.write(good.resolve("a,b\n\"c\".png"), Pictures.png(digit(0)));
    Pictures.write(good.resolve("b.png"), new byte[0]);
    Pictures.write(good.resolve("c.jpg"), Pictures.png(digit(1)));
    Pictures.write(good.resolve("d.png"), Pictures.png(new GreyImage(new byte[900], 30, 30)));
    Pictures.write(good.resolve("e.txt"), new byte[5]);
    Files.createSymbolicLink(good.resolve("loop"), good);
    Launcher.Result result = predict(good);
    assertEquals(3, result.code(), result.err());
    String path = (good + "/a,b\n\"c\".png").replace("\"", "\"\"");
    assertTrue(result.out().contains("\n\"" + path + "\",0,0."), result.out());
    assertTrue(result.out().contains("c.jpg,"), result.out());
    assertTrue(result.err().contains("b.png is empty; save"), result.err());
    assertTrue(result.err().contains("d.png is empty: it has one colour"), result.err());
    assertTrue(result.err().contains("error: 2 images could not be read, 2 predicted"));
    Launcher.Result raw = predict("--raw", good.resolve("d.png"));
    assertTrue(
        raw.err().contains("30 x 30 pixels, but the model takes 28 x 28 pixels;"), raw.err());
  }

  @Test
  void aDashIsOneImageFromStandardInput() {
    InputStream before = System.in;
    try {
      System.setIn(new ByteArrayInputStream(Pictures.png(digit(0))));
      Launcher.Result result = predict("-");
      assertEquals(0, result.code(), result.err());
      assertTrue(result.out().contains("\n-,0,0."), result.out());
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void aNameThatTheShellCouldNotDecodeIsExplained() {
    Launcher.Result result = predict(folder + "/caf\ufffd.png");
    assertEquals(3, result.code(), result.err());
    assertTrue(result.err().contains("its name is not UTF-8 text; name its folder"), result.err());
  }

  @Test
  void aPatternThatNoShellResolved() {
    Pictures.write(folder.resolve("x1.png"), Pictures.png(digit(0)));
    Pictures.write(folder.resolve("x2.png"), Pictures.png(digit(1)));
    Pictures.write(folder.resolve("y.png"), Pictures.png(digit(2)));
    assertEquals(2, rows(predict(folder + "/x*.png")).size());
    Pictures.write(folder.resolve("below").resolve("x3.png"), Pictures.png(digit(3)));
    assertEquals(2, rows(predict(folder + "/x*.png")).size());
    assertEquals(1, rows(predict(folder + "/b*/x*.png")).size());
    assertEquals(1, rows(predict(folder + "/**/x*.png")).size());
    Launcher.Result none = predict(folder + "/z*.png");
    assertEquals(2, none.code(), none.err());
    assertTrue(none.err().contains("matches no file"), none.err());
    assertEquals(2, predict().code());
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFolderThatIsALinkHoldsWhatItLeadsTo() throws IOException {
    Pictures.write(folder.resolve("there").resolve("a.png"), Pictures.png(digit(0)));
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("there"));
    List<String> rows = rows(predict(link));
    assertEquals(1, rows.size());
    assertTrue(rows.get(0).startsWith(link + "/a.png,"), rows.get(0));
  }

  /** Of thousands of folders one may be another user's. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aFolderThatCannotBeListedIsNamedAndTheRestPredicted() throws IOException {
    Pictures.write(folder.resolve("a.png"), Pictures.png(digit(0)));
    Path locked = folder.resolve("locked");
    Pictures.write(locked.resolve("b.png"), Pictures.png(digit(1)));
    assumeTrue(
        locked.toFile().setReadable(false)
            && locked.toFile().setExecutable(false)
            && !Files.isReadable(locked),
        "this user (root?) may read a locked folder, so there is nothing to see");
    try {
      Launcher.Result result = predict(folder);
      assertEquals(3, result.code(), result.err());
      assertTrue(result.out().contains("a.png,0,"), result.out());
      assertTrue(result.err().contains(locked + " cannot be read: permission denied"));
      assertTrue(result.err().contains("error: 1 image could not be read, 1 predicted"));
      Launcher.Result inside = predict(locked.resolve("b.png"));
      assertTrue(inside.err().contains("b.png cannot be read: permission denied"), inside.err());
      assertEquals(1, rows(predict(folder + "/*.png")).size());
    } finally {
      assertTrue(locked.toFile().setReadable(true) && locked.toFile().setExecutable(true));
    }
  }

  /** As {@code --out *.png} does after the shell's expansion, and {@code --out MODEL}. */
  @Test
  void outputNeverReplacesAnInput() throws IOException {
    Path picture = Pictures.write(folder.resolve("a.png"), Pictures.png(digit(0)));
    Path idx = new IdxFolder(folder, SIDE, SIDE).valid(0, 5).path().resolve(IdxFolder.VALID_IMAGES);
    byte[] before = Files.readAllBytes(picture);
    byte[] weights = Files.readAllBytes(model);
    for (Path out : List.of(picture, model, idx, folder.resolve("new.JPG"))) {
      Launcher.Result result = predict("--out", out, idx);
      assertEquals(2, result.code(), result.err());
      assertTrue(result.err().contains("--out " + out + " is a picture or an input; name"));
    }
    assertArrayEquals(before, Files.readAllBytes(picture));
    assertArrayEquals(weights, Files.readAllBytes(model));
  }
}
