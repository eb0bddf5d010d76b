package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import zerofive.files.Sha256;

/** The bytes of JCuda's libraries: as released, and the copy that needs cuBLAS 13. */
class JcudaLibraryTest {
  @ParameterizedTest
  @EnumSource
  void theBytesHaveTheHashThatIsWrittenDown(JcudaLibrary library) throws IOException {
    assertEquals(
        switch (library) {
          case DRIVER -> "fdc3b4b4fca4f0fab54ff12c0b4d6ad1c5e8d55015b4950834c705e5db301255";
          case CUBLAS_12 -> "990b2129e540a7f93d0776799d48659dc85e4f7f5bfb6473d0c8369ef8126c32";
          case CUBLAS_13 -> "69000afbd1dae94a4f6bab41a4466f1e1671e18bb12f09b191167f5f8f60cab3";
        },
        Sha256.of(library.bytes()));
  }

  @Test
  void theDriversLibraryNeedsTheDriverAlone() throws IOException {
    List<String> needed = new ElfTables(JcudaLibrary.DRIVER.bytes()).needed();
    assertTrue(needed.contains("libcuda.so.1"), needed::toString);
    assertTrue(needed.stream().noneMatch(name -> name.startsWith("libcudart")), needed::toString);
  }

  @Test
  void twoBytesDiffer() throws IOException {
    byte[] twelve = JcudaLibrary.CUBLAS_12.bytes();
    byte[] thirteen = JcudaLibrary.CUBLAS_13.bytes();
    assertEquals(twelve.length, thirteen.length);
    List<String> changes = new ArrayList<>();
    for (int i = 0; i < twelve.length; i++) {
      if (twelve[i] != thirteen[i]) {
        changes.add((char) twelve[i] + ">" + (char) thirteen[i]);
      }
    }
    assertEquals(List.of("2>3", "2>3"), changes);
  }

  @Test
  void theCopyNeedsThirteenInItsNameItsVersionAndItsHashAndNothingElseChanges() throws IOException {
    ElfTables twelve = new ElfTables(JcudaLibrary.CUBLAS_12.bytes());
    ElfTables thirteen = new ElfTables(JcudaLibrary.CUBLAS_13.bytes());
    assertEquals(
        twelve.needed().stream().map(JcudaLibraryTest::raised).toList(), thirteen.needed());
    assertTrue(thirteen.needed().contains("libcublas.so.13"));
    assertEquals(
        twelve.versions().stream()
            .map(
                version ->
                    new ElfTables.Version(
                        raised(version.library()),
                        raised(version.name()),
                        ElfTables.hash(raised(version.name())),
                        version.index()))
            .toList(),
        thirteen.versions());
    int index = cublasVersion(thirteen).index();
    assertEquals(494, thirteen.imported(index).size());
    assertEquals(twelve.imported(index), thirteen.imported(index));
  }

  static ElfTables.Version cublasVersion(ElfTables tables) {
    return tables.versions().stream()
        .filter(version -> version.library().startsWith("libcublas"))
        .findFirst()
        .orElseThrow();
  }

  private static String raised(String name) {
    return name.equals("libcublas.so.12") ? "libcublas.so.13" : name;
  }
}
