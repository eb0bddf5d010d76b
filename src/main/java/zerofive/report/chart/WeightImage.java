package zerofive.report.chart;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import zerofive.model.Layer;
import zerofive.model.Parameters;
import zerofive.model.Window;

/**
 * The weights of one unit of a model's first layer as a picture, each where its pixel is: white for
 * 0, ever deeper red for what raises the unit and blue for what lowers it.
 *
 * @param unit its number in the layer, from 0
 * @param scale the weight of the deepest colour: the largest of the picture, without its sign, but
 *     no less than a quarter of the largest of all pictures
 * @param png the picture
 */
@SuppressWarnings("ArrayRecordComponent")
public record WeightImage(int unit, double scale, byte[] png) {
  private static final int LONGEST = 56;

  /** The finest scale, as a share of the coarsest: who learned little should look pale. */
  private static final double FINEST = 0.25;

  private static final int CHANNELS = 3;
  private static final int[] BLUE = {18, 78, 158};
  private static final int[] WHITE = {247, 247, 247};
  private static final int[] RED = {178, 24, 43};

  /** Levels of red, and of blue. */
  private static final int STEPS = 48;

  private static final byte[] COLOURS = colours();

  /**
   * Pictures of the first layer's units, in its order; of a convolution's filters what their window
   * has.
   *
   * @param height of the images
   * @param width of the images
   * @param maxCount where the layer has more, those with the largest weights (by their norm) are
   *     taken
   */
  public static List<WeightImage> of(Parameters model, int height, int width, int maxCount) {
    Layer layer = model.architecture().layers().get(0);
    Window window = layer.window();
    Downsampler downsampler =
        window.isDense()
            ? Downsampler.within(LONGEST, height, width)
            : Downsampler.within(LONGEST, window.kernel(), window.kernel());
    List<Integer> units = units(model, layer, maxCount);
    List<double[]> weights = new ArrayList<>();
    double largest = 0;
    for (int unit : units) {
      int start = layer.weightOffset() + unit * layer.inputs();
      double[] means = downsampler.means(pixel -> model.values()[start + pixel]);
      weights.add(means);
      largest = Math.max(largest, largest(means));
    }
    List<WeightImage> pictures = new ArrayList<>();
    for (int i = 0; i < weights.size(); i++) {
      double scale = Math.max(largest(weights.get(i)), FINEST * largest);
      byte[] pixels = pixels(weights.get(i), scale);
      byte[] png = Png.rgb(downsampler.columns(), downsampler.rows(), pixels);
      pictures.add(new WeightImage(units.get(i), scale, png));
    }
    return pictures;
  }

  private static double largest(double[] weights) {
    double largest = 0;
    for (double weight : weights) {
      largest = Math.max(largest, Math.abs(weight));
    }
    return largest;
  }

  private static byte[] pixels(double[] weights, double scale) {
    byte[] pixels = new byte[CHANNELS * weights.length];
    double steps = scale > 0 ? STEPS / scale : 0;
    for (int i = 0; i < weights.length; i++) {
      int colour = STEPS + (int) Math.rint(weights[i] * steps);
      System.arraycopy(COLOURS, CHANNELS * colour, pixels, CHANNELS * i, CHANNELS);
    }
    return pixels;
  }

  /** [2 * STEPS + 1, CHANNELS], from the deepest blue to the deepest red. */
  private static byte[] colours() {
    byte[] colours = new byte[CHANNELS * (2 * STEPS + 1)];
    for (int step = -STEPS; step <= STEPS; step++) {
      int[] end = step < 0 ? BLUE : RED;
      for (int channel = 0; channel < CHANNELS; channel++) {
        int way = Math.abs(step) * (end[channel] - WHITE[channel]) / STEPS;
        colours[CHANNELS * (STEPS + step) + channel] = (byte) (WHITE[channel] + way);
      }
    }
    return colours;
  }

  private static List<Integer> units(Parameters model, Layer layer, int maxCount) {
    List<Integer> units = new ArrayList<>();
    for (int unit = 0; unit < layer.outputs(); unit++) {
      units.add(unit);
    }
    if (units.size() <= maxCount) {
      return units;
    }
    double[] norms = new double[layer.outputs()];
    for (int unit = 0; unit < norms.length; unit++) {
      for (int input = 0; input < layer.inputs(); input++) {
        double weight = model.values()[layer.weightOffset() + unit * layer.inputs() + input];
        norms[unit] += weight * weight;
      }
    }
    units.sort(Comparator.comparingDouble(unit -> -norms[unit]));
    return units.subList(0, maxCount).stream().sorted().toList();
  }
}
