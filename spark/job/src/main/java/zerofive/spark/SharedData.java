package zerofive.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.TreeMap;
import zerofive.data.DataSet;
import zerofive.data.ImageSet;

/** A data set on its way to executors: broadcast, so that each holds it once. */
final class SharedData implements Serializable {
  private static final long serialVersionUID = 1;

  private final String name;
  private final ArrayList<String> classes;
  private final TreeMap<String, String> sha256;
  private final Images train;
  private final Images valid;
  private transient DataSet data;

  private record Images(byte[] pixels, int[] targets, int height, int width)
      implements Serializable {
    static Images of(ImageSet set) {
      return new Images(set.pixels(), set.targets(), set.height(), set.width());
    }

    ImageSet set() {
      return new ImageSet(pixels, targets, height, width);
    }
  }

  SharedData(DataSet data) {
    name = data.name();
    classes = new ArrayList<>(data.classes());
    sha256 = new TreeMap<>(data.sha256());
    train = Images.of(data.train());
    valid = Images.of(data.valid());
  }

  /** The data set; its arrays are this object's. */
  synchronized DataSet get() {
    if (data == null) {
      data = new DataSet(name, classes, train.set(), valid.set(), sha256);
    }
    return data;
  }
}
