package zerofive.study.verify;

import com.google.gson.annotations.SerializedName;

/** What a training once more shows of a run's result. */
public enum Answer {
  /** The result has the bits that are computed here. */
  @SerializedName("same")
  SAME,

  /** The result is the one that the run's receipt names, but other bits are computed here. */
  @SerializedName("other_bits_here")
  OTHER_BITS_HERE,

  /** The bits that the receipt names are computed here; the result was changed since. */
  @SerializedName("changed")
  CHANGED,

  /** The result is neither what the receipt names nor what is computed here. */
  @SerializedName("neither")
  NEITHER
}
