package zerofive.cli.device;

import static zerofive.train.Settings.CUBLAS;
import static zerofive.train.Settings.DEVICE;
import static zerofive.train.Settings.EXACT;
import static zerofive.train.Settings.PRECISION;
import static zerofive.train.Settings.THREADS;

import java.util.Map;
import java.util.TreeMap;
import zerofive.train.Recipe;

/**
 * The device that a user asks for.
 *
 * @param device {@code auto}, {@code cpu}, {@code reference}, {@code cuda} or {@code cuda:N}
 * @param threads 0 for all cores
 * @param settings the options that only a GPU has, as they were given
 */
public record DeviceRequest(String device, int threads, Map<String, String> settings) {
  public static final String AUTO = "auto";

  private static final String CUDA = "cuda";
  private static final int MAX_DIGITS = 3;

  /** What a recipe says of the device. */
  public static DeviceRequest of(Recipe recipe) {
    return new DeviceRequest(recipe.get(DEVICE), recipe.get(THREADS), recipe.deviceSettings());
  }

  /** Whether {@code device} names a device. */
  public static boolean isName(String device) {
    if (device.startsWith(CUDA + ":")) {
      String number = device.substring(CUDA.length() + 1);
      return !number.isEmpty()
          && number.length() <= MAX_DIGITS
          && number.chars().allMatch(c -> c >= '0' && c <= '9');
    }
    return DEVICE.choices().contains(device);
  }

  /** The same device with another number of threads. */
  public DeviceRequest withThreads(int number) {
    return new DeviceRequest(device, number, settings);
  }

  /** Another device with the same number of threads. */
  DeviceRequest withDevice(String name) {
    return new DeviceRequest(name, threads, settings);
  }

  /** The same device with the bits of the CPU. */
  DeviceRequest withExact() {
    Map<String, String> exact = new TreeMap<>(settings);
    exact.put(EXACT.name(), "true");
    return new DeviceRequest(device, threads, exact);
  }

  /**
   * The same, where a GPU computes the bits of the CPU unless its options say how it is to compute
   * matrix products.
   */
  public DeviceRequest exactByDefault() {
    return settings.containsKey(CUBLAS.name()) || settings.containsKey(PRECISION.name())
        ? this
        : withExact();
  }

  /** Whether a GPU is named by its number. */
  boolean hasNumber() {
    return device.indexOf(':') >= 0;
  }

  /** The device without a GPU's number. */
  public String kind() {
    int colon = device.indexOf(':');
    return colon < 0 ? device : device.substring(0, colon);
  }

  /** How to call a backend: as it was asked for, or by its own name. */
  public String name(String backend) {
    return kind().equals(backend) ? device : backend;
  }

  /** The GPU's number; 0 where none is named. */
  public int gpu() {
    int colon = device.indexOf(':');
    return colon < 0 ? 0 : Integer.parseInt(device.substring(colon + 1));
  }
}
