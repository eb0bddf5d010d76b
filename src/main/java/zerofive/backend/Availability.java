package zerofive.backend;

/**
 * Whether a backend can be used here.
 *
 * @param usable whether {@code open} may be called
 * @param detail usable: the device in words; else the reason why not
 * @param remedy what to do about it; empty where it is usable
 */
public record Availability(boolean usable, String detail, String remedy) {
  /** A backend that works here, on the device so described. */
  public static Availability usable(String device) {
    return new Availability(true, device, "");
  }

  /** A backend that does not work here, why, and what would help. */
  public static Availability unusable(String reason, String remedy) {
    return new Availability(false, reason, remedy);
  }
}
