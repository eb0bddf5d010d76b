package zerofive.data;

import java.io.IOException;
import java.nio.file.Path;
import zerofive.data.idx.UnpackedFiles;

/** Unpacks the bundled MNIST while the program is built; its argument is the folder to make. */
public final class MnistUnpacker {
  private MnistUnpacker() {}

  /** Does nothing where the folder holds the files already. */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    if (UnpackedFiles.in(folder).isEmpty()) {
      UnpackedFiles.write(folder, DataSets.packedMnist());
    }
  }
}
