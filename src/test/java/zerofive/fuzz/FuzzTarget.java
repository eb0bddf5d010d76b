package zerofive.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.CRC32;
import zerofive.backend.Optimizer;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.ImageSet;
import zerofive.data.idx.IdxImages;
import zerofive.data.image.GreyImage;
import zerofive.data.image.ImageFile;
import zerofive.data.image.ImageShape;
import zerofive.data.image.fit.ImageFitter;
import zerofive.files.InputException;
import zerofive.model.Architecture;
import zerofive.model.format.ModelFile;
import zerofive.run.Receipt;
import zerofive.run.RunFolder;
import zerofive.study.Pair;
import zerofive.study.PairsConfig;
import zerofive.study.PairsCsv;
import zerofive.train.EpochRecord;
import zerofive.train.EpochSink;
import zerofive.train.Recipe;

/**
 * Every parser of bytes that others may have written, as the program calls it: {@link FuzzDriver}
 * and {@link CorpusTest} give them any bytes.
 */
enum FuzzTarget {
  /** An IDX file of images, raw or .gz, as {@code predict} reads it. */
  IDX_IMAGES {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      Path file = Files.write(folder.resolve("images-idx3-ubyte"), input);
      IdxImages.isIdx(file);
      try (IdxImages images = new IdxImages(file)) {
        while (images.left() > 0) {
          images.next();
        }
      }
    }

    @Override
    long maxAllocated(byte[] input) {
      return BASE + 4 * unpacked(input);
    }
  },
  /**
   * A folder of four IDX files as {@code train} reads it; the training half is the input. Its first
   * byte is the length of the labels' file, which follows, then come the images; a first byte from
   * 128 on means QMNIST's labels of eight integers, and is 128 more than their length.
   */
  IDX_DATA_SET {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      if (input.length == 0) {
        return;
      }
      if (!Files.exists(folder.resolve("t10k-labels-idx1-ubyte"))) {
        HexFormat hex = HexFormat.of();
        Files.write(
            folder.resolve("t10k-labels-idx1-ubyte"),
            hex.parseHex("00000801" + "00000002" + "0005"));
        Files.write(
            folder.resolve("t10k-images-idx3-ubyte"),
            hex.parseHex("00000803" + "00000002" + "00000001" + "00000002" + "07ff07ff"));
      }
      int start = 1 + Math.min(input[0] & 0x7f, input.length - 1);
      Path labels = folder.resolve("train-labels-idx1-ubyte");
      if (input[0] < 0) {
        Files.deleteIfExists(labels); // It would be taken before the other.
        labels = folder.resolve("train-labels-idx2-int");
      }
      Files.write(labels, Arrays.copyOfRange(input, 1, start));
      Files.write(
          folder.resolve("train-images-idx3-ubyte"),
          Arrays.copyOfRange(input, start, input.length));
      DataSets.load(folder.toString(), new ClassFilter(List.of("0", "5")));
    }

    /** What is read, in chunks of a mebibyte, and what is kept of it. */
    @Override
    long maxAllocated(byte[] input) {
      return BASE + 8 * DEFLATE_LIMIT * input.length;
    }
  },
  /** A model as {@code evaluate} reads it. */
  SAFETENSORS {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      Path file = Files.write(folder.resolve("model.safetensors"), input);
      ModelFile model = ModelFile.read(file);
      Path again = folder.resolve("again.safetensors");
      model.write(again);
      assertEquals(model.sha256(), ModelFile.read(again).sha256(), "written and read again");
    }
  },
  /** What {@code train --resume} continues from, of a small net trained by SGD or by Adam. */
  CHECKPOINT {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      RunFolder run = run(folder, "{}");
      Files.write(run.file("checkpoint.safetensors"), input);
      Architecture architecture = new Architecture(3, List.of(2), 1);
      try {
        run.checkpoint(architecture, Optimizer.sgd());
      } catch (InputException e) {
        checkSentence(folder, e);
      }
      run.checkpoint(architecture, new Optimizer(Optimizer.Kind.ADAM, 0, 0));
    }
  },
  /** A picture, fitted as {@code predict} does; the checksums of its chunks are put right. */
  PNG {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      readImage(folder, pngWithChecksums(input));
    }

    @Override
    long declaredPixels(byte[] input) {
      return input.length < 24
          ? 0
          : pixels(ByteBuffer.wrap(input).getInt(16), ByteBuffer.wrap(input).getInt(20));
    }
  },
  /** A picture, fitted as {@code predict} does. */
  JPEG {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      readImage(folder, input);
    }

    /** The largest size that any bytes like a frame header declare. */
    @Override
    long declaredPixels(byte[] input) {
      long max = 0;
      ByteBuffer bytes = ByteBuffer.wrap(input);
      for (int i = 0; i + 8 < input.length; i++) {
        boolean frame = (input[i + 1] & 0xf0) == 0xc0 && !NO_FRAMES.contains(input[i + 1] & 0xff);
        if (input[i] == (byte) 0xff && frame) {
          max =
              Math.max(max, pixels(bytes.getShort(i + 5) & 0xffff, bytes.getShort(i + 7) & 0xffff));
        }
      }
      return max;
    }
  },
  /** The settings of a run that is resumed. */
  CONFIG {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      RunFolder run = run(folder, "");
      Files.write(run.file(RunFolder.CONFIG), input);
      Recipe recipe = run.config();
      run.formerSettings();
      recipe.options();
      recipe.table();
      assertEquals(recipe, Recipe.fromJson(recipe.toJson()), "written and read again");
      try {
        recipe.architecture(new ImageShape(28, 28));
      } catch (IllegalArgumentException e) {
        return; // Experiment.resume makes a sentence of it.
      }
    }
  },
  /** The settings of a run of pairs. */
  PAIRS_CONFIG {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      RunFolder run = run(folder, "");
      Files.write(run.file(RunFolder.CONFIG), input);
      PairsConfig config = PairsConfig.read(run);
      config.write(run);
      assertEquals(config, PairsConfig.read(run), "written and read again");
    }
  },
  /** What a run says of its data, its sessions and its result. */
  RECEIPT {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      Path file = Files.write(folder.resolve("receipt.json"), input);
      Receipt receipt = Receipt.read(file);
      receipt.parts();
      receipt.latest();
      receipt.ending(Files.writeString(folder.resolve("model"), "model"));
      Receipt.join(file, List.of(receipt, receipt));
      receipt.checkData(DATA);
    }
  },
  /** The figures of a run, of which two epochs are asked for. */
  METRICS {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      RunFolder run = run(folder, "{}");
      Files.write(run.file("metrics.csv"), input);
      run.formerColumns();
      List<EpochRecord> rows = run.history(2);
      try (EpochSink metrics = run.metrics(2, Recipe.DEFAULTS)) {
        metrics.append(new EpochRecord(3, 0.5, 0.5, 0.5, 1, 1, 1), 0.1f);
      }
      assertEquals(rows, run.history(3).subList(0, 2), "rows before a row that was added");
    }
  },
  /** The results of a run of pairs. */
  PAIRS_CSV {
    @Override
    void parse(Path folder, byte[] input) throws IOException {
      Path file = Files.write(folder.resolve(PairsCsv.NAME), input);
      List<Pair> pairs =
          List.of(new Pair("0", "1", 42), new Pair("0", "a,\"b", 42), new Pair("1", "a,\"b", 43));
      PairsCsv.write(file, PairsCsv.read(file, pairs).values());
      PairsCsv.read(file, pairs);
    }
  };

  /** What any parser may allocate, in bytes: buffers, and what the first use of a class takes. */
  private static final long BASE = 4 << 20;

  /** Bytes for each byte of a file: JSON's {@code {},} becomes some small objects. */
  private static final long TEXT_FACTOR = 256;

  /** Bytes for each pixel that a picture's header declares: decoded, made grey, turned. */
  private static final long PIXEL_FACTOR = 20;

  /** Bytes for each pixel of a picture that is searched for ink. */
  private static final long FIT_FACTOR = 500;

  /** Larger pictures are searched in a smaller copy. */
  private static final long MAX_FITTED_PIXELS = 1 << 18;

  /** Deflate packs at most so many bytes into one. */
  private static final long DEFLATE_LIMIT = 1032;

  /** Larger pictures take as long as they are large, in which a fuzzer learns nothing. */
  private static final long MAX_PIXELS = 1 << 16;

  /** DHT, JPG and DAC have codes of JPEG's frame headers. */
  private static final Set<Integer> NO_FRAMES = Set.of(0xc4, 0xc8, 0xcc);

  private static final DataSet DATA =
      new DataSet(
          "small",
          List.of("0", "1"),
          new ImageSet(new byte[1], new int[1], 1, 1),
          new ImageSet(new byte[1], new int[1], 1, 1),
          new TreeMap<>());

  /**
   * Gives {@code input} to the parser.
   *
   * @param folder a folder for its file
   * @throws InputException where the parser refuses it
   */
  abstract void parse(Path folder, byte[] input) throws IOException;

  /** The most bytes that parsing {@code input} may allocate, by its length and what it declares. */
  long maxAllocated(byte[] input) {
    long pixels = declaredPixels(input);
    return BASE
        + TEXT_FACTOR * input.length
        + PIXEL_FACTOR * pixels
        + FIT_FACTOR * Math.min(pixels, MAX_FITTED_PIXELS);
  }

  /** How many pixels {@code input} says it has; 0 where that is more than is ever decoded. */
  long declaredPixels(byte[] input) {
    return 0;
  }

  /** Whether the parser may be given {@code input}: all but pictures that are large and allowed. */
  boolean isCheap(byte[] input) {
    return declaredPixels(input) <= MAX_PIXELS;
  }

  /** As the folder of its corpus is called: {@code idx-images}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Throws AssertionError where a refusal is not one line that names the file and a remedy. */
  static void checkSentence(Path folder, InputException refusal) {
    String message = refusal.getMessage();
    if (!message.contains(folder.toString())
        || !message.contains("; ")
        || message.chars().anyMatch(Character::isISOControl)) {
      throw new AssertionError("not a sentence with a file and a remedy: " + message, refusal);
    }
  }

  private static RunFolder run(Path folder, String config) throws IOException {
    Files.writeString(folder.resolve(RunFolder.CONFIG), config);
    return RunFolder.find(folder);
  }

  private static void readImage(Path folder, byte[] input) throws IOException {
    Path file = Files.write(folder.resolve("picture"), input);
    GreyImage image = ImageFile.read(file);
    try {
      new ImageFitter(28, 28, true).fit(file.toString(), image);
    } catch (InputException e) {
      checkSentence(folder, e); // It was read, and shows no ink.
    }
  }

  private static long pixels(int width, int height) {
    long product = width * (long) height;
    return width < 1 || height < 1 || product > ImageFile.MAX_PIXELS ? 0 : product;
  }

  private static long unpacked(byte[] input) {
    boolean gzipped = input.length > 1 && input[0] == 0x1f && input[1] == (byte) 0x8b;
    return input.length * (gzipped ? DEFLATE_LIMIT : 1);
  }

  /** Chunks with the right checksums, without which a fuzzer sees nothing of the decoder. */
  private static byte[] pngWithChecksums(byte[] input) {
    byte[] png = input.clone();
    ByteBuffer bytes = ByteBuffer.wrap(png);
    int at = 8;
    while (png.length - at >= 12) {
      int length = bytes.getInt(at);
      if (length < 0 || length > png.length - at - 12) {
        break;
      }
      CRC32 crc = new CRC32();
      crc.update(png, at + 4, 4 + length);
      bytes.putInt(at + 8 + length, (int) crc.getValue());
      at += 12 + length;
    }
    return png;
  }
}
