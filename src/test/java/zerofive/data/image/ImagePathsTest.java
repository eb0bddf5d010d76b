package zerofive.data.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImagePathsTest {
  @TempDir Path folder;

  @BeforeEach
  void imagesAndWhatOtherProgramsPutBesideThem() throws IOException {
    for (String file :
        List.of(
            "a.png",
            "b/c.png",
            "._a.png",
            "__MACOSX/a.png",
            "b/.ipynb_checkpoints/c-checkpoint.png",
            "b/.c.png")) {
      Path path = folder.resolve(file);
      Files.createDirectories(path.getParent());
      Files.createFile(path);
    }
  }

  private List<String> expand(String name) {
    return ImagePaths.expand(
            folder + name,
            e -> {
              throw e;
            })
        .stream()
        .map(path -> folder.relativize(path).toString())
        .toList();
  }

  @Test
  void aFoldersHiddenFilesAndFoldersArePassedOver() {
    assertEquals(List.of("a.png", "b/c.png"), expand(""));
  }

  @Test
  void aPatternMatchesHiddenFilesOnlyWhereItStartsWithADot() {
    assertEquals(List.of("a.png"), expand("/*.png"));
    assertEquals(List.of("b/c.png"), expand("/*/*.png"));
    assertEquals(List.of("b/c.png"), expand("/**/*.png"));
    assertEquals(List.of("._a.png"), expand("/.*.png"));
  }

  @Test
  void aHiddenFileThatIsNamedIsTaken() {
    assertEquals(List.of("b/.c.png"), expand("/b/.c.png"));
    assertEquals(List.of("__MACOSX/a.png"), expand("/__MACOSX"));
  }
}
