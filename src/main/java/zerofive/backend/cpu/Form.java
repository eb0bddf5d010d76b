package zerofive.backend.cpu;

/** How the training images of a net are kept; the order is that of native/images.cpp. */
enum Form {
  /** As lists where few enough pixels are lit, else as bytes: what the program always asks for. */
  BY_DENSITY,
  /** Each image as the list of its nonzero pixels: the first layer works on these alone. */
  LISTS,
  /** Every pixel of every image. */
  BYTES
}
