package zerofive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The project says things in the field's standard terms: private words that left stay away. */
final class WordsTest {
  private static final List<String> ROOTS =
      List.of(
          "src/main/java",
          "native",
          "kernels",
          "docs",
          "scripts",
          "docker",
          "spark/job/src",
          ".ci",
          "README.md",
          "CONTRIBUTING.md",
          "zerofive",
          "zerofive.cmd");

  /** Made by a tool, or another's words. */
  private static final Pattern NOT_OURS =
      Pattern.compile("kernels/all\\.ptx|docs/third-party-licences\\.txt|.*\\.(?:svg|png)");

  /**
   * A word that is not to be used, and what to write in its place.
   *
   * @param where start of the path of the files it is looked for in
   */
  private record Word(String where, Pattern old, String standard) {}

  private static Word word(String regex, String standard) {
    return new Word("", Pattern.compile(regex), standard);
  }

  /** A variable, parameter or field of that name. */
  private static Word variable(String names, String standard) {
    String type = "\\b(?:int|long|float|double|boolean|auto|\\w+_t|\\w+\\[\\]|[A-Z]\\w*)[>*]? ";
    return word(type + "(?:" + names + ")(?= *[=;,):])", standard);
  }

  private static final List<Word> WORDS =
      List.of(
          word("\\b[cC]ards?\\b", "GPU, device"),
          word("\\b[sS]lopes?\\b|_slope\\b", "gradient"),
          word("ADAM_NEW_SHARE|KEPT_SHARE|NEW_SHARE", "ONE_MINUS_BETA1, BETA2, ONE_MINUS_BETA2"),
          word(
              "\\badam_(?:mean|square)\\b|\\b(?:descended|decayed)\\(",
              "adam_first_moment, adam_second_moment, sgd_step, add_weight_decay"),
          word("\\b[sS]hades?\\b(?! of\\b)", "pixel value, grey level"),
          word("\\b(?:un)?lit\\b|\\blit[A-Z]\\w+", "nonzero"),
          word("list_by_pixel|PER_SHADE", "transpose to CSC, PIXEL_SCALE"),
          new Word("native/", Pattern.compile("\\b[lL]ists?\\b"), "sparse rows (CSR), CSC"),
          word("\\b[sS]cor(?:e[sdr]?|ers|ing)\\b|Scorer\\b|\\bSCORE\\b", "evaluate, Predictor"),
          word("\\bRATES\\b|StepRates|rates table|table of rates", "step parameters"),
          word(
              "\\b(?:walk_rows|step_lists|measure_rows|known_order|kept_lists)\\b|\\bnear_\\w+",
              "forward_backward, update_sparse_layer, evaluate_rows, cached_order, compact"),
          word("KernelProduct|CublasProduct", "PtxGemm, CublasGemm"),
          word("CudaRecording", "CudaGraphRecorder"),
          variable("least|most", "min, max"),
          word("\\b(?:LEAST|MOST)(?:_\\w+)?\\b", "MIN, MAX"),
          variable("begin|begun", "start"),
          variable("shares?", "fraction, probability"),
          word("int\\[\\] numbers\\b", "indices"),
          variable("kept|fresh", "selected, initial"),
          word("\\.(?:kept|fresh)\\(", "selected, initial"),
          word("\\b(?:complain|note|beQuiet|lastWords)\\(", "error, info, setQuiet, fatal"),
          word("\\bFetch\\.(?:have|now)\\(|\\busual\\(", "ensure, download, standard"),
          word("\\bgoOn\\b|\\bString again\\b", "continueCommand, reproduceCommand"),
          word("\\bNearest\\b|\\bslips\\(|\\bNamed\\.of\\b", "editDistance, EnumNames.parse"),
          word("\\b(?:Figures|Text)\\.\\w+\\(", "MetricFormat, Format"),
          word("\\bEventFile|\\bEpochLog\\b", "TensorBoardWriter, EpochSink"),
          word("\\bCatalogue\\b|\\bFetchWatcher", "DataSetRegistry, DownloadListener"),
          word("HardImage|UnitPicture|\\b[mM]osaic", "TopLoss, WeightImage, Downsampler"),
          word("ImageSheet|TimeSpent", "SampleGrid, PhaseTimer"),
          word("\\b\\w*Maker\\b", "Factory"),
          word("\\b[cC]ontender|\\b[sS]haken?\\b", "Candidate, perturbed"),
          word("\\bis no whole number\\b", "is not an integer"),
          word("\\bis no (?:finite )?number\\b", "is not a number"),
          word("\\bis no run folder\\b", "is not a run directory"),
          word("\\bis no (?:file name|web address|share|metrics)\\b", "is not a ..."),
          word("\\bgo(?:es|ing)? on with\\b", "resume with, continue with"),
          word("\\ball about\\b", "help on"),
          word(
              "\\b(?:is|are|was|were) told\\b(?! apart)",
              "the plain verb: prints, reports, receives"),
          word("\\btells\\b(?!.* apart\\b)", "prints, reports, documents"));

  /** Lines that may hold a word: what of the path and line, and why. */
  private static final List<Pattern> ALLOWED =
      List.of(
          // A key of the receipts of earlier runs.
          Pattern.compile("/CudaBackend\\.java:.*put\\(\"card\""),
          // A key of what train --json prints.
          Pattern.compile("/RunJson\\.java:.*\\bEpoch kept,"));

  /** Those below {@code root}, without the packages whose words are still to be changed. */
  private static List<Path> files(String root) {
    try (Stream<Path> all = Files.walk(Path.of(root))) {
      return all.filter(Files::isRegularFile)
          .filter(file -> !NOT_OURS.matcher(file.toString()).matches())
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is wrong in some lines of a file, a sentence each. */
  private static List<String> found(String file, List<String> lines) {
    List<String> found = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = file + ":" + (i + 1) + ": " + lines.get(i).strip();
      if (ALLOWED.stream().anyMatch(allowed -> allowed.matcher(line).find())) {
        continue;
      }
      for (Word word : WORDS) {
        if (file.startsWith(word.where()) && word.old().matcher(lines.get(i)).find()) {
          found.add(line + "\n    standard: " + word.standard());
        }
      }
    }
    return found;
  }

  @Test
  void noPrivateWordComesBack() throws IOException {
    List<String> found = new ArrayList<>();
    for (String root : ROOTS) {
      for (Path file : files(root)) {
        found.addAll(found(file.toString(), Files.readAllLines(file)));
      }
    }
    assertTrue(found.isEmpty(), found.size() + " lines:\n" + String.join("\n", found));
  }

  @Test
  void aWordIsFoundInItsOldSense() {
    assertFound("A.java", "int most = 1;");
    assertFound("A.java", "EpochRecord kept,");
    assertFound("A.java", "double f(long begin)");
    assertFound("A.java", "terminal.complain(text);");
    assertFound("docs/a.md", "it goes on with the next");
    assertFound("native/a.cpp", "// An image's list.");
  }

  @Test
  void otherUsesOfTheSameLettersAreFree() {
    assertFree("A.java", "List<String> list = most.begin();");
    assertFree("A.java", "// most of them, at most 3, and the rest is kept");
    assertFree("A.java", "// shades of grey that tell, or tells, two classes apart");
    assertFree("A.java", "// discards the scoreboard's outlit slopestyle");
    assertFree(
        "src/main/java/zerofive/backend/cuda/CudaBackend.java", "details.put(\"card\", name);");
  }

  private static void assertFound(String file, String line) {
    assertEquals(1, found(file, List.of(line)).size(), line);
  }

  private static void assertFree(String file, String line) {
    assertEquals(List.of(), found(file, List.of(line)));
  }
}
