package zerofive.model.format;

import zerofive.model.Layer;
import zerofive.model.Parameters;

/**
 * What a model's first layer takes for a pixel's byte: (byte / 255 - mean) / std, in float32, as
 * torchvision's ToTensor and Normalize compute it. Training here takes byte / 255 alone.
 *
 * @param mean of pixels in 0 to 1
 * @param std of pixels in 0 to 1
 */
public record Normalisation(float mean, float std) {
  /** Of every model that was trained here. */
  public static final Normalisation NONE = new Normalisation(0, 1);

  /**
   * Throws IllegalArgumentException where these are not finite or no pixel can be divided by it.
   */
  public Normalisation {
    if (!Float.isFinite(mean) || !Float.isFinite(std) || std <= 0) {
      throw new IllegalArgumentException(
          "mean " + mean + " and std " + std + " normalise nothing: std must be above 0");
    }
  }

  /** Whether pixels are divided by 255 and no more. */
  public boolean isNone() {
    return equals(NONE);
  }

  /** The formula, as the metadata has it. */
  String formula() {
    return isNone() ? "float32(byte) / 255" : "(float32(byte) / 255 - mean) / std";
  }

  /**
   * The model that gives for byte / 255 what {@code parameters} give for normalised pixels: W / std
   * and b - mean / std * (sum of a row of W) in the first layer, in double, rounded once.
   */
  Parameters fold(Parameters parameters) {
    if (isNone()) {
      return parameters;
    }
    float[] values = parameters.values().clone();
    Layer first = parameters.architecture().layers().get(0);
    for (int unit = 0; unit < first.outputs(); unit++) {
      int row = first.weightOffset() + unit * first.inputs();
      double sum = 0;
      for (int i = row; i < row + first.inputs(); i++) {
        sum += values[i];
        values[i] = (float) ((double) values[i] / std);
      }
      int bias = first.biasOffset() + unit;
      values[bias] = (float) (values[bias] - mean / (double) std * sum);
    }
    return new Parameters(parameters.architecture(), values);
  }

  /** {@code pixel / 255}, or {@code (pixel / 255 - 0.1307) / 0.3081}. */
  @Override
  public String toString() {
    return isNone() ? "pixel / 255" : "(pixel / 255 - " + mean + ") / " + std;
  }
}
