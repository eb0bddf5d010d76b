package zerofive.backend.cuda;

import java.util.LinkedHashMap;
import java.util.Map;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.ForwardPass;
import zerofive.data.ImageSet;

/** Distinct sets of images of one size, one after the other; on the GPU after {@link #put}. */
final class SweepImages {
  private final Map<ImageSet, Integer> first = new LinkedHashMap<>();
  private int count;
  private Buffer pixels;
  private Buffer labels;

  /** Images there would be with another set. */
  long countWith(ImageSet set) {
    return count + (first.containsKey(set) ? 0L : set.count());
  }

  /** Takes a set, once. Returns the number of its first image. */
  int add(ImageSet set) {
    if (!first.containsKey(set)) {
      first.put(set, count);
      count += set.count();
    }
    return first.get(set);
  }

  /** Puts all of them on the GPU. */
  void put(CudaOps ops, int imageSize) {
    labels = ops.allocate(ElementType.I32, count);
    pixels = ops.allocate(ElementType.U8, ForwardPass.elements(count, imageSize));
    first.forEach(
        (set, at) -> {
          ops.upload(set.targets(), labels.slice(at, set.count()));
          ops.upload(set.pixels(), 0, pixels.slice(at * imageSize, set.pixels().length));
        });
  }

  /** U8 [images, height, width]. */
  Buffer pixels() {
    return pixels;
  }

  /** I32 [images], their classes. */
  Buffer labels() {
    return labels;
  }
}
