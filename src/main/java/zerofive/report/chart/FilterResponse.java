package zerofive.report.chart;

import zerofive.model.Layer;
import zerofive.model.Parameters;
import zerofive.model.Window;

/** What a filter of a model's first convolution makes of an image, as a picture. */
public final class FilterResponse {
  private static final int BYTE = 255;

  private FilterResponse() {}

  /**
   * The filter's output at each place, max(z, 0), in grey: white for 0 and black for the highest.
   *
   * @param model whose first layer is a convolution
   * @param filter its number in the layer, from 0
   * @param pixels [height, width] row-major, of the model's size
   * @return a PNG file
   */
  public static byte[] png(Parameters model, int filter, byte[] pixels) {
    Layer layer = model.architecture().layers().get(0);
    Window window = layer.window();
    double[] responses = new double[window.positions()];
    double highest = 0;
    for (int place = 0; place < responses.length; place++) {
      responses[place] = response(model.values(), layer, filter, pixels, place);
      highest = Math.max(highest, responses[place]);
    }
    byte[] grey = new byte[responses.length];
    for (int i = 0; i < grey.length; i++) {
      double fraction = highest > 0 ? Math.max(0, responses[i]) / highest : 0;
      grey[i] = (byte) Math.rint(BYTE * (1 - fraction));
    }
    return Png.grey(window.outputWidth(), window.outputHeight(), grey);
  }

  private static double response(
      float[] values, Layer layer, int filter, byte[] pixels, int place) {
    Window window = layer.window();
    int top = place / window.outputWidth() * window.stride() - window.border();
    int left = place % window.outputWidth() * window.stride() - window.border();
    double sum = values[layer.biasOffset() + filter];
    int weight = layer.weightOffset() + filter * layer.inputs();
    for (int v = top; v < top + window.kernel(); v++) {
      for (int u = left; u < left + window.kernel(); u++) {
        if (v >= 0 && v < window.height() && u >= 0 && u < window.width()) {
          sum += (double) values[weight] * (pixels[v * window.width() + u] & BYTE) / BYTE;
        }
        weight++;
      }
    }
    return sum;
  }
}
