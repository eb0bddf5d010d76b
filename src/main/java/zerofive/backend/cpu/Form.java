package zerofive.backend.cpu;

/**
 * How the training images of a net are stored, which changes no bit; the order is that of
 * native/images.cpp.
 */
enum Form {
  /** As sparse rows (CSR), or dense where they are too large for those. */
  BY_SIZE,
  /** Every pixel of every image. */
  DENSE
}
