package zerofive.backend.cuda;

import jcuda.Pointer;

/** A pointer to an address that is known as a number. */
final class Address extends Pointer {
  Address(long address) {
    super(address);
  }
}
