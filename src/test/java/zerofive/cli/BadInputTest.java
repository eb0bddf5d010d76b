package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.data.IdxFolder;
import zerofive.data.image.ImageShape;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;

/** Bad input by the command line: the right exit code, one sentence, and nothing left behind. */
class BadInputTest {
  @TempDir Path folder;
  private IdxFolder data;
  private Path out;

  @BeforeEach
  void writeGoodData() throws IOException {
    Path files = Files.createDirectory(folder.resolve("data"));
    data = new IdxFolder(files, 4, 5).train(0, 5, 0, 5, 7, 0, 5).valid(0, 5, 7);
    out = folder.resolve("out");
  }

  private Launcher.Result train(String... options) {
    List<String> all =
        new ArrayList<>(List.of("train", "--data", data.name(), "--out", out.toString()));
    all.addAll(List.of(options));
    if (!all.contains("--epochs")) {
      all.addAll(List.of("--epochs", "1"));
    }
    return InProcess.run(all.toArray(String[]::new));
  }

  /** One sentence on standard error, nothing on standard output, no run folder. */
  private void assertRefused(int code, Launcher.Result result, String... fragments) {
    List<String> errors =
        result.err().lines().filter(line -> line.startsWith("zerofive: ")).toList();
    assertEquals(1, errors.size(), result.err());
    String error = errors.get(0);
    assertTrue(error.startsWith("zerofive: error: "), error);
    for (String fragment : fragments) {
      assertTrue(error.contains(fragment), error + " lacks: " + fragment);
    }
    assertFalse(result.err().contains("Exception"), result.err());
    assertEquals(code, result.code(), error);
    assertEquals("", result.out());
    assertFalse(Files.exists(out), "a run folder was made");
  }

  @Test
  void theGoodDataTrains() {
    Launcher.Result result = train();
    assertEquals(0, result.code(), result.err());
  }

  @Test
  void aMissingFile() {
    data.remove(IdxFolder.VALID_LABELS);
    assertRefused(3, train(), IdxFolder.VALID_LABELS, data.name());
  }

  @Test
  void anEmptyFile() {
    data.put(IdxFolder.TRAIN_IMAGES, new byte[0]);
    assertRefused(3, train(), IdxFolder.TRAIN_IMAGES, "at byte 0");
  }

  @Test
  void aTruncatedGz() {
    byte[] packed = IdxFolder.gzip(data.bytes(IdxFolder.TRAIN_IMAGES));
    data.remove(IdxFolder.TRAIN_IMAGES)
        .put(IdxFolder.TRAIN_IMAGES + ".gz", Arrays.copyOf(packed, packed.length / 2));
    assertRefused(3, train(), IdxFolder.TRAIN_IMAGES + ".gz", "cut off");
  }

  @Test
  void aWrongMagic() {
    byte[] wrong = data.bytes(IdxFolder.TRAIN_IMAGES);
    wrong[0] = 0x50;
    data.put(IdxFolder.TRAIN_IMAGES, wrong);
    assertRefused(3, train(), "at byte 0", "50000803", "expected 00000803");
  }

  @Test
  void aHeaderThatClaimsTwoBillionImages() {
    data.put(IdxFolder.TRAIN_IMAGES, IdxFolder.header(8, 1L << 31, 28, 28));
    assertRefused(3, train(), "at byte 4", "2147483648 x 28 x 28");
  }

  @Test
  void fewerLabelsThanImages() {
    data.put(IdxFolder.TRAIN_LABELS, IdxFolder.labelFile(0, 5, 0));
    assertRefused(3, train(), "7 images", "3 labels");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "3 | --classes 0,9 | class 9 does not occur",
        "3 | --classes 0,cat | class cat does not occur",
        "2 | --classes 5 | a single class",
        "2 | --classes 5,0,5 | class 5 is named twice",
        "2 | --classes 0,,5 | empty class name",
        "2 | --batch-size 0 | --batch-size 0",
        "2 | --batch-size many | integer",
        "2 | --batch-size 9999999999 | integer",
        "2 | --epochs 0 | --epochs 0",
        "2 | --epochs 1.5 | integer",
        "2 | --lr nan | --lr 'nan' is not a number",
        "2 | --lr infinity | is not a number",
        "2 | --lr -1 | above 0",
        "2 | --lr 0 | above 0",
        "2 | --lr 1e99 | above 0",
        "2 | --momentum 1 | [0, 1)",
        "2 | --momentum 0.9 --optimizer adam | belongs to sgd",
        "2 | --weight-decay -1 | 0 or more",
        "2 | --seed x | integer",
        "2 | --model mlp:0 | --model",
        "2 | --model cnn | images of 4 x 5 pixels (height x width) have shrunk to 1 x 1 before",
        "2 | --model mlp:2000000000 | choose smaller layers",
        "2 | --loss hinge | unknown loss 'hinge'",
        "2 | --loss cross-entropy | three or more",
        "2 | --loss bce --classes all | exactly two classes, not 3",
        "2 | --optimizer lion | unknown optimizer",
        "2 | --schedule never | unknown schedule",
        "2 | --order random | unknown order",
        "2 | --augment rotate:5 | unknown augmentation 'rotate:5'",
        "2 | --augment shift:200 | not in 0 to 127",
        "2 | --augment shift:4 | --augment shift:4 would move images of 4 x 5 pixels (height x width)",
        "2 | --init zeros | unknown initialiser",
        "2 | --preset best | unknown preset",
        "2 | --device tpu | unknown device 'tpu'",
        "2 | --threads 0 | --threads 0",
        "2 | --checkpoint-every 0 | --checkpoint-every 0",
        "2 | --frobnicate | unrecognized option: --frobnicate",
        "2 | --lerning-rate 1 | unrecognized option: --lerning-rate",
        "2 | --shedule=cosine | did you mean --schedule?",
        "2 | --lr | missing argument",
        "2 | --seed 1 --seed 2 | given twice",
        "2 | file.png | unexpected argument 'file.png'",
        "4 | --device cuda | --device cpu",
        "4 | --device cuda:3 | --device cpu",
        "3 | --init-from nowhere.safetensors | is missing",
      })
  void anOption(int code, String options, String sentence) {
    assertRefused(code, train(options.split(" ", -1)), sentence);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--out", "--data", "--resume", "--classes", "--model", "--init-from"})
  void anEmptyValue(String option) {
    assertRefused(2, InProcess.run("train", option, ""), option + " has an empty value");
  }

  @Test
  void aStartAndAnInitialiser() {
    assertEquals(0, train("--model", "linear").code());
    Path start = out.resolve("model.safetensors");
    Launcher.Result both =
        InProcess.run("train", "--init", "normal", "--init-from", start.toString());
    assertEquals(2, both.code(), both.err());
    assertTrue(both.err().contains("exclude each other"), both.err());
  }

  @Test
  void anUnknownDataSet() {
    assertRefused(2, InProcess.run("train", "--data", "mnits", "--out", out.toString()), "'mnits'");
    assertRefused(2, InProcess.run("evaluate", "--data", "mnits", "--model", "x"), "'mnits'");
  }

  @Test
  void anUnknownCommand() {
    assertRefused(2, InProcess.run("tarin"), "'tarin'", "did you mean train?");
    assertRefused(2, InProcess.run("paint"), "'paint'", "known are train, reproduce");
    assertRefused(2, InProcess.run("help", "eval"), "'eval'", "known are");
    assertRefused(2, InProcess.run("help", "train", "evaluate"), "one command at a time");
    assertRefused(2, InProcess.run("completion"), "bash or zsh");
    assertRefused(2, InProcess.run("completion", "fish"), "bash or zsh");
  }

  private Launcher.Result trainInto(Path target) {
    return InProcess.run(
        "train", "--epochs", "1", "--data", data.name(), "--out", target.toString());
  }

  @Test
  void anOutThatIsAFileOrBelowOne() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "mine");
    assertRefused(6, trainInto(file), "is a file, not a folder", "--out");
    assertRefused(6, trainInto(file.resolve("run")), file.toString(), "--out");
    assertEquals("mine", Files.readString(file));
  }

  /** Root may write anywhere but into the kernel's own file system, so that stands for the rest. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void anOutThatCannotBeWritten() {
    assertRefused(6, trainInto(Path.of("/proc/zerofive")), "/proc/zerofive", "--out");
  }

  @Test
  void anOutThatIsNotEmpty() throws IOException {
    Path mine = Files.createDirectory(folder.resolve("mine"));
    Files.createFile(mine.resolve("thesis.txt"));
    assertRefused(6, trainInto(mine), "not empty", "--out");
  }

  private Path write(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }

  private static byte[] safetensors(long headerLength, String header, int dataBytes) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + json.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(headerLength)
        .put(json)
        .array();
  }

  @Test
  void aModelFileThatIsNone() throws IOException {
    Path png =
        write("photo.safetensors", new byte[] {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0});
    assertRefused(3, train("--init-from", png.toString()), png.toString(), "at byte 0");
    Path huge = write("huge.safetensors", safetensors(1L << 60, "{}", 0));
    assertRefused(3, train("--init-from", huge.toString()), "1152921504606846976", "at byte 0");
    String foreign = "{\"conv.weight\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
    Path conv = write("conv.safetensors", safetensors(foreign.length(), foreign, 8));
    assertRefused(3, train("--init-from", conv.toString()), "conv.weight", "expected");
    assertRefused(3, InProcess.run("evaluate", "--model", conv.toString()), "conv.weight");
  }

  @Test
  void aModelOfAnotherShape() throws IOException {
    Launcher.Result result = train("--model", "linear");
    assertEquals(0, result.code(), result.err());
    Path model = out.resolve("model.safetensors");
    Launcher.Result evaluated = InProcess.run("evaluate", "--model", model.toString());
    assertEquals(3, evaluated.code(), evaluated.err());
    assertTrue(
        evaluated.err().contains("takes images of 4 x 5 pixels (height x width), but"),
        evaluated.err());
    Path kept = Files.move(model, folder.resolve("kept.safetensors"));
    deleteOut();
    assertRefused(3, train("--init-from", kept.toString(), "--model", "mlp:3"), "20-1", "20-3-1");
    new IdxFolder(data.path(), 5, 4).train(0, 5, 0, 5).valid(0, 5);
    String shapes = "takes images of 4 x 5 pixels (height x width), but those of ";
    assertRefused(
        3, train("--init-from", kept.toString()), shapes + "this run have 5 x 4; name another");
    assertRefused(
        3,
        InProcess.run("evaluate", "--data", data.name(), "--model", kept.toString()),
        shapes + data.name() + " have 5 x 4; name the data");
  }

  private void deleteOut() throws IOException {
    try (Stream<Path> files = Files.list(out)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(out);
  }

  @Test
  void logitsThatOverflowAreNoNumbersInJson() throws IOException {
    float[] values = new float[21];
    Arrays.fill(values, Float.MAX_VALUE);
    Path file = folder.resolve("wild.safetensors");
    new ModelFile(
            new Parameters(new Architecture(20, List.of(), 1), values),
            List.of("0", "5"),
            Loss.BCE,
            new ImageShape(4, 5))
        .write(file);
    Launcher.Result result =
        InProcess.run("evaluate", "--json", "--data", data.name(), "--model", file.toString());
    assertEquals(0, result.code(), result.err());
    assertTrue(result.out().contains("\"loss\":null"), result.out());
  }

  @Test
  void aResumedRunThatIsDamagedOrWhoseDataChanged() throws IOException {
    assertResumeRefused("is not a run folder");
    assertEquals(0, train("--model", "linear").code());
    Path config = out.resolve("config.json");
    String good = Files.readString(config);
    Files.writeString(config, "{");
    assertResumeRefused("config.json is damaged");
    Files.writeString(config, good.replace("\"auto\"", "\"tpu\""));
    assertResumeRefused("unknown device 'tpu'");
    for (String none : List.of("[]", "null", "\"fast\"")) {
      Files.writeString(config, good.replace("settings\": {}", "settings\": " + none));
      assertResumeRefused("config.json is damaged");
    }
    Files.writeString(config, good.replace("\"none\"", "\"shift:127\""));
    assertResumeRefused("would move images of");
    Files.writeString(
        config, good.replace("\"5\"", "\"7\", \"5\"").replace("bce", "cross-entropy"));
    assertResumeRefused("");
    Files.writeString(config, good.replaceFirst("\"0\",\\s*", "").replace("bce", "cross-entropy"));
    assertResumeRefused("three or more classes, not 1");
    Files.writeString(config, good);
    Path checkpoint = out.resolve("checkpoint.safetensors");
    byte[] whole = Files.readAllBytes(checkpoint);
    Files.write(checkpoint, Arrays.copyOf(whole, whole.length - 3));
    assertResumeRefused("checkpoint.safetensors");
    Files.write(checkpoint, whole);
    data.train(5, 0, 0, 5, 7, 0, 5);
    assertResumeRefused("SHA-256");
  }

  private void assertResumeRefused(String sentence) {
    Launcher.Result result = InProcess.run("train", "--resume", out.toString(), "--epochs", "2");
    assertEquals(3, result.code(), result.err());
    assertTrue(result.err().contains(sentence), result.err());
    assertFalse(result.err().contains("Exception"), result.err());
  }
}
