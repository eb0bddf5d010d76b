package zerofive.data;

import java.util.List;
import java.util.SortedMap;

/**
 * Training and validation images of the chosen classes.
 *
 * @param name {@code mnist}, or the folder it was read from
 * @param classes the class names; an image's target is an index into them
 * @param train the training images
 * @param valid the validation images, of the same size
 * @param sha256 of each raw file, by file name
 * @param notes on how a folder was read, one sentence each
 * @param unreadable how many image files were left out since they cannot be read
 */
public record DataSet(
    String name,
    List<String> classes,
    ImageSet train,
    ImageSet valid,
    SortedMap<String, String> sha256,
    List<String> notes,
    int unreadable) {
  public DataSet {
    notes = List.copyOf(notes);
  }

  /** Data of which there is nothing to be said. */
  public DataSet(
      String name,
      List<String> classes,
      ImageSet train,
      ImageSet valid,
      SortedMap<String, String> sha256) {
    this(name, classes, train, valid, sha256, List.of(), 0);
  }

  /**
   * Some of the classes, in this order: what reading them alone would have given.
   *
   * @param chosen names that are among {@link #classes}
   */
  public DataSet only(List<String> chosen) {
    int[] index = classes.stream().mapToInt(chosen::indexOf).toArray();
    return new DataSet(
        name, List.copyOf(chosen), train.only(index), valid.only(index), sha256, notes, unreadable);
  }
}
