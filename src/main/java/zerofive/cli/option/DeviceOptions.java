package zerofive.cli.option;

import static zerofive.train.Settings.DEVICE;
import static zerofive.train.Settings.EXACT;

import java.util.EnumSet;
import java.util.List;
import org.apache.commons.cli.Options;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.train.Recipe;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.Settings;

/** The options that choose a device. */
public final class DeviceOptions {
  public static final List<Setting<?>> SETTINGS =
      Settings.without(EnumSet.complementOf(EnumSet.of(Group.DEVICE)));

  private DeviceOptions() {}

  public static void addTo(Options options) {
    Arguments.add(options, SETTINGS);
  }

  /** What options say of it. */
  public static DeviceRequest of(Arguments arguments) {
    return DeviceRequest.of(recipe(Recipe.DEFAULTS, arguments));
  }

  /** A recipe with what options say of the device. */
  public static Recipe recipe(Recipe base, Arguments arguments) {
    Recipe recipe = arguments.recipe(base, SETTINGS);
    if (!DeviceRequest.isName(recipe.get(DEVICE))) {
      throw new UsageException(
          "unknown device '"
              + recipe.get(DEVICE)
              + "'; known are auto, cpu, reference, cuda and cuda:N");
    }
    checkExact(recipe, arguments);
    return recipe.mapDeviceSettings(
        (name, value) -> {
          try {
            return Backends.setting(name, value);
          } catch (IllegalArgumentException e) {
            throw new UsageException("--" + name + ": " + e.getMessage(), e);
          }
        });
  }

  /** Throws UsageException where --exact is named and the device of a recipe has other bits. */
  public static void checkExact(Recipe recipe, Arguments arguments) {
    if (arguments.has(EXACT) && DeviceRequest.of(recipe).kind().equals("reference")) {
      throw new UsageException(
          "--exact asks for the CPU's bits, and the device reference has its own; leave one of"
              + " them out");
    }
  }
}
