package zerofive.backend;

import java.util.List;

/**
 * Whether a backend can be used here.
 *
 * @param usable whether {@code open} may be called
 * @param detail usable: the device in words; else the reason why not
 * @param remedy what to do about it; empty where it is usable
 * @param notes usable: what it does without, each with its remedy
 */
public record Availability(boolean usable, String detail, String remedy, List<String> notes) {
  /** A backend that works here, on the device so described. */
  public static Availability usable(String device) {
    return usable(device, List.of());
  }

  /** A backend that works here, on the device so described, but could work better. */
  public static Availability usable(String device, List<String> notes) {
    return new Availability(true, device, "", notes);
  }

  /** A backend that does not work here, why, and what would help. */
  public static Availability unusable(String reason, String remedy) {
    return new Availability(false, reason, remedy, List.of());
  }
}
