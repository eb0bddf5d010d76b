package zerofive.cli;

import static zerofive.train.Settings.DEVICE;
import static zerofive.train.Settings.THREADS;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.apache.commons.cli.Options;
import zerofive.train.Recipe;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.Settings;

/**
 * Which device, and what may be chosen of it.
 *
 * @param device {@code auto}, {@code cpu}, {@code reference}, {@code cuda} or {@code cuda:N}
 * @param threads 0 for all cores
 * @param settings the options that only a GPU has, as they were given
 */
record DeviceOptions(String device, int threads, Map<String, String> settings) {
  static final String AUTO = "auto";

  private static final String CUDA = "cuda";
  private static final int MOST_DIGITS = 3;

  static final List<Setting<?>> SETTINGS =
      Settings.without(EnumSet.complementOf(EnumSet.of(Group.DEVICE)));

  static void addTo(Options options) {
    Arguments.add(options, SETTINGS);
  }

  /** What a recipe says of the device. */
  static DeviceOptions of(Recipe recipe) {
    return new DeviceOptions(recipe.get(DEVICE), recipe.get(THREADS), recipe.ofBackends());
  }

  /** What options say of it. */
  static DeviceOptions of(Arguments arguments) {
    return of(recipe(Recipe.DEFAULTS, arguments));
  }

  /** A recipe with what options say of the device. */
  static Recipe recipe(Recipe base, Arguments arguments) {
    Recipe recipe = arguments.recipe(base, SETTINGS);
    if (!isName(recipe.get(DEVICE))) {
      throw new UsageException(
          "unknown device '"
              + recipe.get(DEVICE)
              + "'; known are auto, cpu, reference, cuda and cuda:N");
    }
    return recipe.withOfBackends(
        (name, value) -> {
          try {
            return Backends.setting(name, value);
          } catch (IllegalArgumentException e) {
            throw new UsageException("--" + name + ": " + e.getMessage(), e);
          }
        });
  }

  /** Whether {@code device} names a device. */
  static boolean isName(String device) {
    if (device.startsWith(CUDA + ":")) {
      String number = device.substring(CUDA.length() + 1);
      return !number.isEmpty()
          && number.length() <= MOST_DIGITS
          && number.chars().allMatch(c -> c >= '0' && c <= '9');
    }
    return DEVICE.choices().contains(device);
  }

  /** The same device with another number of threads. */
  DeviceOptions withThreads(int number) {
    return new DeviceOptions(device, number, settings);
  }

  /** The device without a GPU's number. */
  String kind() {
    int colon = device.indexOf(':');
    return colon < 0 ? device : device.substring(0, colon);
  }

  /** How to call a backend: as it was asked for, or by its own name. */
  String name(String backend) {
    return kind().equals(backend) ? device : backend;
  }

  /** The GPU's number; 0 where none is named. */
  int gpu() {
    int colon = device.indexOf(':');
    return colon < 0 ? 0 : Integer.parseInt(device.substring(colon + 1));
  }
}
