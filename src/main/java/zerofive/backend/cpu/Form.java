package zerofive.backend.cpu;

/** How the training images of a net are stored; the order is that of native/images.cpp. */
enum Form {
  /** Sparse where few enough pixels are nonzero, else dense: what the program always uses. */
  BY_DENSITY,
  /**
   * The nonzero pixels of each image, as sparse rows (CSR): the first layer works on these alone.
   */
  SPARSE,
  /** Every pixel of every image. */
  DENSE
}
