package zerofive.report.console;

import java.nio.file.Path;
import java.util.List;
import zerofive.data.DataSet;
import zerofive.data.image.ImageShape;
import zerofive.data.remote.DataSetRegistry;

/** A data set in words. */
public final class DataText {
  private static final int FEW = 6;

  private DataText() {}

  /**
   * What there is: {@code mnist (bundled), 0 vs 5: 11,344 training and 1,872 validation images
   * ...}.
   */
  public static String describe(DataSet data) {
    ImageShape images = data.train().shape();
    return data.name()
        + (data.name().equals(DataSetRegistry.MNIST) ? " (bundled)" : "")
        + ", "
        + classes(data.classes())
        + ": "
        + Format.count(data.train().count())
        + " training and "
        + Format.count(data.valid().count())
        + " validation images of "
        + (images.height() == images.width() ? images : images.describe());
  }

  /** Says what there is, and what is worth knowing of how it was read. */
  public static void print(DataSet data, Terminal terminal) {
    terminal.info("data     ", describe(data));
    data.notes().forEach(note -> terminal.info("note     ", note));
  }

  /** For a picture's title: {@code mnist, 0 vs 5}. */
  public static String title(DataSet data) {
    Path name = Path.of(data.name()).getFileName();
    return (name == null ? data.name() : name.toString()) + ", " + classes(data.classes());
  }

  private static String classes(List<String> classes) {
    if (classes.size() == 2) {
      return classes.get(0) + " vs " + classes.get(1);
    }
    return classes.size() <= FEW
        ? "classes " + String.join(",", classes)
        : classes.size() + " classes";
  }
}
