package zerofive.backend.ops;

/** What a buffer holds. */
public enum ElementType {
  /** Unsigned bytes: pixels. */
  U8,
  /** 32-bit integers: class indices, image indices. */
  I32,
  /** Single precision: weights, activations, gradients. */
  F32,
  /** Double precision: sums of losses and counts. */
  F64
}
