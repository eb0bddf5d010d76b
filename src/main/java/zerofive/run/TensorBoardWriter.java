package zerofive.run;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.zip.CRC32C;
import zerofive.files.AppendedFile;
import zerofive.files.OutputException;
import zerofive.train.EpochRecord;
import zerofive.train.EpochSink;

/**
 * {@code events.out.tfevents.TIME.zerofive}: a run's figures for TensorBoard, a step an epoch. The
 * file is one of TFRecords (length u64, its masked CRC-32C u32, the bytes, their masked CRC-32C,
 * all little-endian) that hold Event messages: TensorFlow's event.proto, summary.proto and
 * tensor.proto, whose field numbers stand below. Each record is one write, so a kill tears the last
 * at most, and TensorBoard leaves a torn one out.
 *
 * <p>Every start and every resumption has a file of its own, which begins with a SessionLog of
 * START at its first step: TensorBoard then forgets what earlier files have of that step and later
 * ones.
 */
final class TensorBoardWriter implements EpochSink {
  private static final String PREFIX = "events.out.tfevents.";
  private static final String SUFFIX = ".zerofive";

  /** What is added to a rotated checksum, so that checksums of checksums stay sound. */
  private static final int MASK_DELTA = 0xa282ead8;

  // Event
  private static final int WALL_TIME = 1;
  private static final int STEP = 2;
  private static final int FILE_VERSION = 3;
  private static final int SUMMARY = 5;
  private static final int SESSION_LOG = 7;

  // SessionLog
  private static final int STATUS = 1;
  private static final int START = 1;

  // Summary, and Summary.Value
  private static final int VALUE = 1;
  private static final int TAG = 1;
  private static final int SIMPLE_VALUE = 2;
  private static final int TENSOR = 8;
  private static final int METADATA = 9;

  // SummaryMetadata, and its PluginData
  private static final int PLUGIN_DATA = 1;
  private static final int PLUGIN_NAME = 1;

  // TensorProto, TensorShapeProto and its Dim
  private static final int DTYPE = 1;
  private static final int DT_STRING = 7;
  private static final int TENSOR_SHAPE = 2;
  private static final int STRING_VAL = 8;
  private static final int DIM = 2;
  private static final int DIM_SIZE = 1;

  private final AppendedFile records;

  private TensorBoardWriter(AppendedFile records) {
    this.records = records;
  }

  /** Writes the fields of one message. */
  private interface Fields {
    void write(CodedOutputStream out) throws IOException;
  }

  /**
   * Begins a file that TensorBoard reads after all that are there.
   *
   * @param firstStep the epoch that comes first
   * @param settings shown under TEXT
   */
  static TensorBoardWriter begin(Path folder, int firstStep, String settings) {
    try {
      Path file = folder.resolve(PREFIX + nextStamp(folder) + SUFFIX);
      TensorBoardWriter events = new TensorBoardWriter(new AppendedFile(file));
      events.record(0, event -> event.writeString(FILE_VERSION, "brain.Event:2"));
      events.record(
          firstStep,
          event ->
              event.writeByteArray(
                  SESSION_LOG, message(session -> session.writeEnum(STATUS, START))));
      events.record(
          firstStep - 1, event -> event.writeByteArray(SUMMARY, text("config", settings)));
      return events;
    } catch (IOException e) {
      throw new OutputException(folder, e);
    }
  }

  /** Seconds since 1970, or one more than the latest file has: files are read by name. */
  private static long nextStamp(Path folder) throws IOException {
    long stamp = Instant.now().getEpochSecond();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(folder, PREFIX + "[0-9]*" + SUFFIX)) {
      for (Path file : files) {
        String name = String.valueOf(file.getFileName());
        String digits = name.substring(PREFIX.length(), name.length() - SUFFIX.length());
        if (digits.matches("\\d{1,10}")) {
          stamp = Math.max(stamp, Long.parseLong(digits) + 1);
        }
      }
    }
    return stamp;
  }

  /**
   * Adds an epoch's figures and hands them to the operating system.
   *
   * @param learningRate of the epoch's last step
   */
  @Override
  public void append(EpochRecord row, float learningRate) {
    byte[] summary =
        message(
            out -> {
              scalar(out, "loss/train", row.trainLoss());
              scalar(out, "loss/valid", row.validLoss());
              scalar(out, "valid/accuracy", row.accuracy());
              scalar(out, "valid/errors", row.errors());
              scalar(out, "learning_rate", learningRate);
              scalar(out, "seconds/train", row.trainSeconds());
              scalar(out, "seconds/valid", row.validSeconds());
            });
    record(row.epoch(), event -> event.writeByteArray(SUMMARY, summary));
  }

  private static void scalar(CodedOutputStream summary, String tag, double value)
      throws IOException {
    summary.writeByteArray(
        VALUE,
        message(
            out -> {
              out.writeString(TAG, tag);
              out.writeFloat(SIMPLE_VALUE, (float) value);
            }));
  }

  /** A summary of one text; Markdown, in which four blanks begin a line of code. */
  private static byte[] text(String tag, String text) {
    ByteString code = ByteString.copyFromUtf8(text.indent(4));
    byte[] plugin = message(out -> out.writeString(PLUGIN_NAME, "text"));
    byte[] one = message(out -> out.writeInt64(DIM_SIZE, 1));
    byte[] shape = message(out -> out.writeByteArray(DIM, one));
    byte[] tensor =
        message(
            out -> {
              out.writeEnum(DTYPE, DT_STRING);
              out.writeByteArray(TENSOR_SHAPE, shape);
              out.writeBytes(STRING_VAL, code);
            });
    byte[] value =
        message(
            out -> {
              out.writeString(TAG, tag);
              out.writeByteArray(TENSOR, tensor);
              out.writeByteArray(
                  METADATA, message(meta -> meta.writeByteArray(PLUGIN_DATA, plugin)));
            });
    return message(out -> out.writeByteArray(VALUE, value));
  }

  private static byte[] message(Fields fields) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      fields.write(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private void record(long step, Fields what) {
    Instant now = Instant.now();
    byte[] event =
        message(
            out -> {
              out.writeDouble(WALL_TIME, now.getEpochSecond() + now.getNano() / 1e9);
              if (step != 0) {
                out.writeInt64(STEP, step);
              }
              what.write(out);
            });
    ByteBuffer bytes = ByteBuffer.allocate(event.length + 16).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(event.length).putInt(masked(bytes.array(), 0, Long.BYTES));
    bytes.put(event).putInt(masked(event, 0, event.length)).flip();
    records.append(bytes);
  }

  private static int masked(byte[] bytes, int offset, int length) {
    CRC32C checksum = new CRC32C();
    checksum.update(bytes, offset, length);
    return Integer.rotateRight((int) checksum.getValue(), 15) + MASK_DELTA;
  }

  @Override
  public void sync() {
    records.sync();
  }

  @Override
  public void close() {
    records.close();
  }
}
