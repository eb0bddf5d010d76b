package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/** The bundled MNIST is the one its ORIGIN.md tells of, whole and in file order. */
class BundledMnistTest {
  private static final int PIXELS = 28 * 28;

  @Test
  void zeroAgainstFiveHasTheCountsOfTheNotebook() {
    DataSet data = DataSets.load("mnist", ClassFilter.parse("0,5"));
    assertEquals("mnist", data.name());
    assertEquals(List.of("0", "5"), data.classes());
    assertEquals(List.of(5923L, 5421L), counts(data.train(), 2));
    assertEquals(List.of(980L, 892L), counts(data.valid(), 2));
    assertEquals(28, data.train().height());
    assertEquals(28, data.valid().width());
  }

  @Test
  void theFirstClassNamedHasIndexZero() {
    DataSet data = DataSets.load("mnist", ClassFilter.parse("5,0"));
    assertEquals(List.of("5", "0"), data.classes());
    assertEquals(List.of(892L, 980L), counts(data.valid(), 2));
  }

  @Test
  void allGivesEveryImageAndTenAscendingClasses() {
    DataSet data = DataSets.load("mnist", ClassFilter.ALL);
    assertEquals(
        IntStream.range(0, 10).mapToObj(String::valueOf).toList(),
        data.classes(),
        "classes in ascending order");
    assertEquals(60_000, data.train().count());
    assertEquals(10_000, data.valid().count());
  }

  @Test
  void theRawFilesHaveTheChecksumsOfTheirOrigin() throws IOException {
    String origin;
    try (InputStream stream = DataSets.class.getResourceAsStream("mnist/ORIGIN.md")) {
      assertNotNull(stream, "ORIGIN.md is packed beside the files");
      origin = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
    Map<String, String> sha256 = DataSets.load("mnist", ClassFilter.parse("0,5")).sha256();
    Matcher row = Pattern.compile("\\| ([\\w-]+ubyte) \\| ([0-9a-f]{64}) \\|").matcher(origin);
    int rows = 0;
    while (row.find()) {
      assertEquals(row.group(2), sha256.get(row.group(1)), row.group(1));
      rows++;
    }
    assertEquals(4, rows);
    assertEquals(4, sha256.size());
  }

  @Test
  void filteredImagesKeepTheirPixelsAndTheOrderOfTheFile() throws IOException {
    byte[] images = raw(IdxFolder.VALID_IMAGES);
    byte[] labels = raw(IdxFolder.VALID_LABELS);
    ImageSet valid = DataSets.load("mnist", ClassFilter.parse("0,5")).valid();
    int next = 0;
    for (int i = 0; i < 10_000; i++) {
      int label = labels[8 + i];
      if (label != 0 && label != 5) {
        continue;
      }
      assertEquals(label == 0 ? 0 : 1, valid.targets()[next], "image " + i + " of the file");
      int from = 16 + i * PIXELS;
      assertArrayEquals(
          Arrays.copyOfRange(images, from, from + PIXELS),
          Arrays.copyOfRange(valid.pixels(), next * PIXELS, (next + 1) * PIXELS),
          "image " + i + " of the file");
      next++;
    }
    assertEquals(next, valid.count());
  }

  @Test
  void mnistIsAKnownName() {
    assertTrue(DataSets.isKnown("mnist"));
  }

  private static byte[] raw(String name) throws IOException {
    try (InputStream stream = DataSets.class.getResourceAsStream("mnist/" + name + ".gz");
        GZIPInputStream raw = new GZIPInputStream(stream)) {
      return raw.readAllBytes();
    }
  }

  private static List<Long> counts(ImageSet images, int classes) {
    Long[] counts = new Long[classes];
    Arrays.fill(counts, 0L);
    for (int target : images.targets()) {
      counts[target]++;
    }
    return List.of(counts);
  }
}
