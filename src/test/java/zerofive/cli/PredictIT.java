package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.image.GreyImage;
import zerofive.data.image.ImageShape;
import zerofive.data.image.Pictures;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;

/** {@code predict} through the real launcher. */
class PredictIT {
  @TempDir Path folder;

  @Test
  void oneLineForEachImageAndASentenceForWhatIsNone() {
    // Bright on the left means class "left, or so"; its name needs quotes.
    float[] values = {1, -1, 1, -1, 0};
    new ModelFile(
            new Parameters(new Architecture(4, List.of(), 1), values),
            List.of("left, or so", "right"),
            Loss.BCE,
            new ImageShape(2, 2))
        .write(folder.resolve("model.safetensors"));
    byte[] left = {-1, 0, -1, 0};
    byte[] right = {0, -1, 0, 0};
    Pictures.write(folder.resolve("in/left.png"), Pictures.png(new GreyImage(left, 2, 2)));
    Pictures.write(folder.resolve("in/right.png"), Pictures.png(new GreyImage(right, 2, 2)));
    int large = 6900;
    Pictures.write(
        folder.resolve("in/large.png"),
        Pictures.png(new GreyImage(new byte[large * large], large, large)));
    Pictures.write(folder.resolve("in/z.png"), "no picture".getBytes(StandardCharsets.UTF_8));
    Launcher.Result result =
        Launcher.run(
            Map.of("ZEROFIVE_JAVA_OPTS", "-Xmx48m"),
            folder,
            "predict",
            "--raw",
            "--model",
            "model.safetensors",
            "in");
    assertEquals(3, result.code(), result.err());
    assertEquals(
        List.of(
            "path,class,probability",
            "in/left.png,\"left, or so\",0.880797078",
            "in/right.png,right,0.731058579"),
        result.outLines());
    assertTrue(result.err().contains("in/z.png is something else, not a PNG"), result.err());
    // Memory that one picture lacks is no reason to leave out the others.
    assertTrue(result.err().contains("in/large.png needs more than is left of the Java heap of"));
    assertTrue(result.err().contains("2 images could not be read, 2 predicted"), result.err());
  }
}
