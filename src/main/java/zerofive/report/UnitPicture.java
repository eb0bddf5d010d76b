package zerofive.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import zerofive.model.Layer;
import zerofive.model.Parameters;

/**
 * The weights of one unit of a model's first layer as a picture, each where its pixel is: white for
 * 0, ever deeper red for what raises the unit and blue for what lowers it.
 *
 * @param unit its number in the layer, from 0
 * @param scale the weight of the deepest colour: the largest of the picture, without its sign
 * @param png the picture
 */
@SuppressWarnings("ArrayRecordComponent")
record UnitPicture(int unit, double scale, byte[] png) {
  private static final int LONGEST = 56;

  /** Of the largest negative, of no and of the largest positive weight: red, green, blue. */
  private static final int[][] COLOURS = {{18, 78, 158}, {247, 247, 247}, {178, 24, 43}};

  private static final int CHANNELS = 3;

  /**
   * Pictures of the first layer's units, in its order.
   *
   * @param most where the layer has more, those with the largest weights (by their norm) are taken
   */
  static List<UnitPicture> of(Parameters model, int height, int width, int most) {
    Layer layer = model.architecture().layers().get(0);
    Mosaic mosaic = Mosaic.within(LONGEST, height, width);
    List<UnitPicture> pictures = new ArrayList<>();
    for (int unit : units(model, layer, most)) {
      int begin = layer.weightOffset() + unit * layer.inputs();
      double[] weights = mosaic.means(pixel -> model.values()[begin + pixel]);
      double scale = 0;
      for (double weight : weights) {
        scale = Math.max(scale, Math.abs(weight));
      }
      byte[] pixels = new byte[CHANNELS * weights.length];
      for (int i = 0; i < weights.length; i++) {
        double share = scale > 0 ? weights[i] / scale : 0;
        for (int channel = 0; channel < CHANNELS; channel++) {
          pixels[CHANNELS * i + channel] = colour(share, channel);
        }
      }
      pictures.add(new UnitPicture(unit, scale, Png.rgb(mosaic.columns(), mosaic.rows(), pixels)));
    }
    return pictures;
  }

  private static byte colour(double share, int channel) {
    int end = COLOURS[share < 0 ? 0 : 2][channel];
    int middle = COLOURS[1][channel];
    return (byte) Math.round(middle + Math.abs(share) * (end - middle));
  }

  private static List<Integer> units(Parameters model, Layer layer, int most) {
    List<Integer> units = new ArrayList<>();
    for (int unit = 0; unit < layer.outputs(); unit++) {
      units.add(unit);
    }
    if (units.size() <= most) {
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
    return units.subList(0, most).stream().sorted().toList();
  }
}
