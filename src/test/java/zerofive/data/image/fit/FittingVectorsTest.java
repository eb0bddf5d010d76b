package zerofive.data.image.fit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.data.image.ImageFile;

/** The images that docs/fitting.md names, for other programs to compare with: the same bytes. */
class FittingVectorsTest {
  private static final Path FOLDER = Path.of("src/test/resources/zerofive/data/image/fit");

  @ParameterizedTest
  @ValueSource(strings = {"shadow", "ruled", "pencil", "chalk", "tight", "drawing"})
  void anImageBecomesTheFittedOne(String name) {
    byte[] expected = ImageFile.read(FOLDER.resolve(name + ".fitted.png")).pixels();
    ImageFitter fitter = new ImageFitter(28, 28, false);
    assertArrayEquals(
        expected, fitter.fit(name, ImageFile.read(FOLDER.resolve(name + ".png"))).pixels());
  }
}
