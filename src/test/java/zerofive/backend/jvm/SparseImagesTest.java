package zerofive.backend.jvm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import zerofive.backend.DeviceException;
import zerofive.data.Augmentation;
import zerofive.data.ImageSet;

/** Rows of nonzero pixels: stored, made from bytes, moved, and transposed. */
final class SparseImagesTest {
  private static final int HEIGHT = 5;
  private static final int WIDTH = 7;
  private static final int INPUTS = HEIGHT * WIDTH;
  private static final int COUNT = 20;

  private static ImageSet images() {
    Random random = new Random(1);
    byte[] pixels = new byte[COUNT * INPUTS];
    for (int p = INPUTS; p < pixels.length; p++) {
      pixels[p] = (byte) (random.nextInt(3) == 0 ? random.nextInt(256) : 0);
    }
    return new ImageSet(pixels, new int[COUNT], HEIGHT, WIDTH);
  }

  /** The entries of a moved image, by its definition. */
  private static int[] expected(ImageSet images, int image, int dx, int dy) {
    List<Integer> entries = new ArrayList<>();
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        boolean isInside = y - dy >= 0 && y - dy < HEIGHT && x - dx >= 0 && x - dx < WIDTH;
        int value =
            isInside ? images.pixels()[image * INPUTS + (y - dy) * WIDTH + x - dx] & 0xff : 0;
        if (value != 0) {
          entries.add((y * WIDTH + x) << 8 | value);
        }
      }
    }
    return entries.stream().mapToInt(Integer::intValue).toArray();
  }

  private static int[] entries(SparseImages.Row row) {
    return Arrays.copyOf(row.entries(), row.count());
  }

  @Test
  void storedAndScannedRowsAreTheNonzeroPixelsOfTheMovedImage() {
    ImageSet images = images();
    try (Team team = new Team(3)) {
      SparseImages stored = SparseImages.stored(images, team);
      SparseImages scanned = SparseImages.scanned(images);
      SparseImages.Row row = new SparseImages.Row();
      for (int image = 0; image < COUNT; image++) {
        for (int dy = -HEIGHT; dy <= HEIGHT; dy++) {
          for (int dx = -WIDTH; dx <= WIDTH; dx++) {
            int[] expected = expected(images, image, dx, dy);
            int shift = Augmentation.pack(dx, dy);
            stored.row(image, shift, row);
            assertArrayEquals(expected, entries(row));
            scanned.row(image, shift, row);
            assertArrayEquals(expected, entries(row));
          }
        }
      }
    }
  }

  @Test
  void theColumnsOfAPartHoldItsEntriesByPixel() {
    ImageSet images = images();
    try (Team team = new Team(1)) {
      SparseImages stored = SparseImages.stored(images, team);
      SparseImages.Row[] rows = new SparseImages.Row[COUNT];
      for (int r = 0; r < COUNT; r++) {
        rows[r] = new SparseImages.Row();
        stored.row(r, 0, rows[r]);
      }
      Columns columns = new Columns();
      columns.fill(rows, COUNT, 10, 30);
      for (int p = 10; p < 30; p++) {
        int at = columns.start(p - 10);
        for (int r = 0; r < COUNT; r++) {
          int value = images.pixels()[r * INPUTS + p] & 0xff;
          if (value != 0) {
            assertEquals(r << 8 | value, columns.entries()[at++]);
          }
        }
        assertEquals(columns.start(p - 10 + 1), at);
      }
    }
  }

  @Test
  void threadsHaveAboutAsManyNonzeroPixelsEach() {
    byte[] pixels = new byte[INPUTS];
    Arrays.fill(pixels, 20, 30, (byte) 1);
    ImageSet images = new ImageSet(pixels, new int[1], HEIGHT, WIDTH);
    try (Team team = new Team(2)) {
      assertArrayEquals(new int[] {0, 25, INPUTS}, SparseImages.stored(images, team).bounds(2));
    }
    assertArrayEquals(new int[] {0, 17, INPUTS}, SparseImages.scanned(images).bounds(2));
  }

  @Test
  void imagesOfMorePixelsThanAnEntryNumbersAreRefused() {
    ImageSet images = new ImageSet(new byte[4096 * 4097], new int[1], 4096, 4097);
    String said =
        assertThrows(DeviceException.class, () -> SparseImages.scanned(images)).getMessage();
    assertTrue(said.contains("images of 16781312 pixels are too large"), said);
  }
}
