package zerofive.data.image.fit;

import zerofive.data.image.GreyImage;

/**
 * The median brightness around every pixel: of the square tile that it lies in and its eight
 * neighbours.
 *
 * @param tile side of a tile in pixels
 * @param columns of tiles
 * @param medians [rows, columns] of tiles
 */
@SuppressWarnings("ArrayRecordComponent")
record LocalMedian(int tile, int columns, int[] medians) {
  /** Tiles per shorter side. */
  private static final int TILES = 4;

  static LocalMedian of(GreyImage image) {
    int tile = Math.max(2, Math.min(image.width(), image.height()) / TILES);
    int columns = (image.width() + tile - 1) / tile;
    int rows = (image.height() + tile - 1) / tile;
    int[] medians = new int[rows * columns];
    for (int i = 0; i < medians.length; i++) {
      int left = i % columns * tile;
      int top = i / columns * tile;
      medians[i] =
          Histogram.of(
                  image,
                  new Box(
                      Math.max(0, left - tile),
                      Math.max(0, top - tile),
                      Math.min(image.width(), left + 2 * tile),
                      Math.min(image.height(), top + 2 * tile)))
              .median();
    }
    return new LocalMedian(tile, columns, medians);
  }

  int at(int x, int y) {
    return medians[y / tile * columns + x / tile];
  }
}
