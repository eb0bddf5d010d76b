package zerofive.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.Refusal;
import zerofive.files.InputException;
import zerofive.train.EpochRecord;

class MetricsTest {
  private static final EpochRecord FIRST =
      new EpochRecord(1, 0.123456789, 1.25e-7, 0.5, 936, 0.0625, 0.03125);
  private static final EpochRecord SECOND =
      new EpochRecord(2, Double.NaN, 3, 0.75, 468, 0.0625, 0.03125);

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void writeTwoEpochs() {
    file = folder.resolve("metrics.csv");
    MetricsCsv.begin(file);
    try (MetricsCsv metrics = new MetricsCsv(file, 0)) {
      metrics.append(FIRST, 0);
      metrics.append(SECOND, 0);
    }
  }

  @Test
  void rowsHaveNineSignificantDigitsAndPlainCounts() throws IOException {
    assertEquals(
        List.of(
            "epoch,train_loss,valid_loss,accuracy,errors,train_seconds,valid_seconds",
            "1,0.123456789,1.25000000e-07,0.500000000,936,0.0625000000,0.0312500000",
            "2,NaN,3.00000000,0.750000000,468,0.0625000000,0.0312500000"),
        Files.readAllLines(file));
  }

  @Test
  void readingGivesWhatWasWritten() {
    assertEquals(List.of(FIRST, SECOND), MetricsCsv.read(file, 2));
  }

  /** Columns that {@code --statistics} of an earlier version added. */
  @Test
  void columnsOfAnEarlierVersionStayAndAreLeftEmpty() throws IOException {
    String first = "1,0.5,0.25,0.75,468,0.0625,0.03125,0.088060300,NaN";
    String header = MetricsCsv.HEADER + ",gradient_norm,0.weight_norm";
    Files.writeString(file, header + "\n" + first + "\n" + first.replaceFirst("1", "2") + "\n3,");
    assertEquals(List.of("gradient_norm", "0.weight_norm"), MetricsCsv.formerColumns(file));
    try (MetricsCsv metrics = new MetricsCsv(file, 1)) {
      metrics.append(SECOND, 0);
    }
    assertEquals(
        List.of(header, first, "2,NaN,3.00000000,0.750000000,468,0.0625000000,0.0312500000,,"),
        Files.readAllLines(file));
    assertEquals(SECOND, MetricsCsv.read(file, 2).get(1));
  }

  @Test
  void goingOnKeepsTheRowsThatItGoesOnFrom() throws IOException {
    List<String> lines = Files.readAllLines(file);
    Files.writeString(file, "3,0.5", StandardOpenOption.APPEND);
    new MetricsCsv(file, 2).close();
    assertEquals(lines, Files.readAllLines(file));
    new MetricsCsv(file, 1).close();
    assertEquals(lines.subList(0, 2), Files.readAllLines(file));
  }

  /** As a spreadsheet saves it. */
  @Test
  void aByteOrderMarkAndCarriageReturnsAreNoMatterAndLeave() throws IOException {
    String text = Files.readString(file);
    Files.writeString(file, "\ufeff" + text.replace("\n", "\r\n"));
    assertEquals(List.of(FIRST, SECOND), MetricsCsv.read(file, 2));
    assertEquals(List.of(), MetricsCsv.formerColumns(file));
    new MetricsCsv(file, 2).close();
    assertEquals(text, Files.readString(file));
  }

  @Test
  void rowsAfterTheCheckpointAreDropped() {
    assertEquals(List.of(FIRST), MetricsCsv.read(file, 1));
    assertEquals(List.of(), MetricsCsv.read(file, 0));
  }

  @Test
  void everyTornEndIsDropped() throws IOException {
    String whole = Files.readString(file);
    int secondRow = whole.indexOf("\n2,") + 1;
    for (int cut = secondRow; cut < whole.length(); cut++) {
      Files.writeString(file, whole.substring(0, cut));
      assertEquals(List.of(FIRST), MetricsCsv.read(file, 1), "cut at " + cut);
      assertThrows(InputException.class, () -> MetricsCsv.read(file, 2), "cut at " + cut);
    }
  }

  @Test
  void aDamagedRowBeforeTheCheckpointIsNamed() throws IOException {
    Files.writeString(file, MetricsCsv.HEADER + "\n1,x,2,3,4,5,6\n");
    InputException e = assertThrows(InputException.class, () -> MetricsCsv.read(file, 1));
    assertTrue(e.getMessage().contains("row 1"), e.getMessage());
  }

  @Test
  void aForeignFileIsNamed() throws IOException {
    Files.writeString(file, "epoch,loss\n", StandardOpenOption.TRUNCATE_EXISTING);
    InputException e = assertThrows(InputException.class, () -> MetricsCsv.read(file, 0));
    assertTrue(e.getMessage().contains("line 1"), e.getMessage());
  }

  /** A line of 64 MiB of commas would become as many names. */
  @Test
  void aHeaderOfVeryManyColumnsIsNoneOfOurs() throws IOException {
    Files.writeString(file, MetricsCsv.HEADER + ",".repeat(1000) + "\n");
    assertEquals(1000, MetricsCsv.formerColumns(file).size());
    Files.writeString(file, MetricsCsv.HEADER + ",".repeat(1001) + "\n");
    Refusal.of(() -> MetricsCsv.formerColumns(file)).saying("line 1", "not a metrics.csv");
  }

  @Test
  void bytesThatAreNoTextAreRefused() throws IOException {
    Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
    assertThrows(InputException.class, () -> MetricsCsv.read(file, 0));
  }
}
