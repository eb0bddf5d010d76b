package zerofive.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tensorflow.proto.DataType;
import org.tensorflow.proto.Event;
import org.tensorflow.proto.SessionLog;
import org.tensorflow.proto.Summary;
import zerofive.train.EpochRecord;

/** Reads event files back with the classes of TensorFlow's own schema. */
class EventFileTest {
  @TempDir Path folder;

  private static EpochRecord row(int epoch) {
    return new EpochRecord(epoch, 0.5 / epoch, 0.25, 0.75, 3, 1, 2);
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  /** The records of a file; every checksum is computed anew. */
  private static List<Event> read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<Event> events = new ArrayList<>();
    while (bytes.hasRemaining()) {
      byte[] length = new byte[8];
      bytes.get(length);
      assertEquals(masked(length), bytes.getInt());
      byte[] event = new byte[ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getInt()];
      bytes.get(event);
      assertEquals(masked(event), bytes.getInt());
      events.add(Event.parseFrom(event));
    }
    return events;
  }

  private static int masked(byte[] bytes) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes);
    long crc = checksum.getValue();
    return (int) (((crc >>> 15) | (crc << 17)) + 0xa282ead8L);
  }

  private static Map<String, Float> scalars(Event event) {
    Map<String, Float> scalars = new TreeMap<>();
    for (Summary.Value value : event.getSummary().getValueList()) {
      scalars.put(value.getTag(), value.getSimpleValue());
    }
    return scalars;
  }

  /** What TensorBoard shows: files by name; a START forgets its own step and later ones. */
  private static Map<Long, Float> shown(Path folder, String tag) throws IOException {
    Map<Long, Float> shown = new HashMap<>();
    for (Path file : files(folder)) {
      for (Event event : read(file)) {
        if (event.hasSessionLog()) {
          assertEquals(SessionLog.SessionStatus.START, event.getSessionLog().getStatus());
          shown.keySet().removeIf(step -> step >= event.getStep());
        }
        if (scalars(event).containsKey(tag)) {
          assertEquals(null, shown.put(event.getStep(), scalars(event).get(tag)), "doubled");
        }
      }
    }
    return shown;
  }

  @Test
  void holdsEveryFigureOfAnEpochAndTheSettings() throws IOException {
    try (TensorBoardWriter events = TensorBoardWriter.begin(folder, 1, "{\n  \"lr\": 0.5\n}\n")) {
      events.append(row(1), 0.5f);
      // Nothing is held back until the end.
      assertEquals(4, read(files(folder).get(0)).size());
    }
    Path file = files(folder).get(0);
    assertTrue(
        file.getFileName().toString().matches("events\\.out\\.tfevents\\.\\d{10}\\.zerofive"),
        file.toString());
    List<Event> events = read(file);
    assertEquals("brain.Event:2", events.get(0).getFileVersion());
    assertTrue(Math.abs(events.get(0).getWallTime() - System.currentTimeMillis() / 1e3) < 600);
    assertEquals(1, events.get(1).getStep());
    Summary.Value text = events.get(2).getSummary().getValue(0);
    assertEquals("text", text.getMetadata().getPluginData().getPluginName());
    assertEquals(DataType.DT_STRING, text.getTensor().getDtype());
    assertEquals(1, text.getTensor().getTensorShape().getDim(0).getSize());
    assertTrue(
        text.getTensor().getStringVal(0).toStringUtf8().contains("    {\n      \"lr\": 0.5"));
    assertEquals(
        "{learning_rate=0.5, loss/train=0.5, loss/valid=0.25, seconds/train=1.0,"
            + " seconds/valid=2.0, valid/accuracy=0.75,"
            + " valid/errors=3.0}",
        scalars(events.get(3)).toString());
  }

  /** As every event file of TensorFlow's begins: 24 bytes, and the masked checksum of that. */
  @Test
  void beginsWithTheBytesThatTensorFlowsFilesBeginWith() throws IOException {
    TensorBoardWriter.begin(folder, 1, "").close();
    byte[] bytes = Files.readAllBytes(files(folder).get(0));
    assertArrayEquals(
        new byte[] {0x18, 0, 0, 0, 0, 0, 0, 0, (byte) 0xa3, 0x7f, 0x4b, 0x22, 0x09},
        Arrays.copyOf(bytes, 13));
  }

  @Test
  void aResumedRunDoublesNoStep() throws IOException {
    for (int from : new int[] {1, 4, 3}) {
      try (TensorBoardWriter events = TensorBoardWriter.begin(folder, from, "")) {
        for (int epoch = from; epoch < from + 3; epoch++) {
          events.append(row(epoch), from);
        }
      }
    }
    assertEquals(3, files(folder).size());
    assertEquals(Map.of(1L, 1f, 2L, 1f, 3L, 3f, 4L, 3f, 5L, 3f), shown(folder, "learning_rate"));
  }
}
