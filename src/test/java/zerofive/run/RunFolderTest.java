package zerofive.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.files.InputException;
import zerofive.files.OutputException;

class RunFolderTest {
  @TempDir Path folder;

  private static <T> List<Future<T>> atOnce(int times, Callable<T> task)
      throws InterruptedException {
    ExecutorService threads = Executors.newFixedThreadPool(times);
    try {
      List<Callable<T>> tasks = new ArrayList<>();
      for (int i = 0; i < times; i++) {
        tasks.add(task);
      }
      return threads.invokeAll(tasks);
    } finally {
      threads.shutdown();
    }
  }

  @Test
  void startsInTheSameSecondGetFoldersOfTheirOwn() throws Exception {
    Set<Path> paths = new HashSet<>();
    for (Future<RunFolder> made : atOnce(8, () -> RunFolder.createNumbered(folder, "now"))) {
      try (RunFolder run = made.get()) {
        assertTrue(paths.add(run.path()), run.path().toString());
      }
    }
    assertTrue(paths.contains(folder.resolve("now")) && paths.contains(folder.resolve("now-8")));
  }

  @Test
  void oneOfSeveralStartsHasAnEmptyFolder() throws Exception {
    Path empty = Files.createDirectory(folder.resolve("empty"));
    Callable<Optional<RunFolder>> attempt =
        () -> {
          try {
            return Optional.of(RunFolder.create(empty));
          } catch (OutputException taken) {
            return Optional.empty();
          }
        };
    List<RunFolder> claimed = new ArrayList<>();
    for (Future<Optional<RunFolder>> attempted : atOnce(8, attempt)) {
      attempted.get().ifPresent(claimed::add);
    }
    claimed.forEach(RunFolder::close);
    assertEquals(1, claimed.size());
  }

  @Test
  void whatAKilledBeginningLeftIsFree() throws IOException {
    Path begun = Files.createDirectory(folder.resolve("begun"));
    for (String left : List.of(".lock", "receipt.json", "metrics.csv", ".config.json.part")) {
      Files.createFile(begun.resolve(left));
    }
    RunFolder.create(begun).close();
    Files.createFile(begun.resolve("config.json"));
    assertThrows(OutputException.class, () -> RunFolder.create(begun));
  }

  /** Files of our names without our lock are somebody's own: kept from an earlier run, say. */
  @Test
  void filesThatSomebodyKeptAreNotFree() throws IOException {
    Path kept = Files.createDirectory(folder.resolve("kept"));
    Path metrics = Files.writeString(kept.resolve("metrics.csv"), "mine");
    assertThrows(OutputException.class, () -> RunFolder.create(kept));
    assertEquals("mine", Files.readString(metrics));
  }

  @Test
  void aParentThatIsAFileIsRefused() throws IOException {
    Path file = Files.createFile(folder.resolve("runs"));
    OutputException e =
        assertThrows(OutputException.class, () -> RunFolder.createNumbered(file, "now"));
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
  }

  @Test
  void aLockedRunIsInUse() throws IOException {
    try (RunFolder first = RunFolder.create(folder.resolve("run"))) {
      Files.writeString(first.file("config.json"), "{}");
      try (RunFolder second = RunFolder.find(first.path())) {
        InputException e = assertThrows(InputException.class, second::lock);
        assertTrue(e.getMessage().contains("is in use"), e.getMessage());
      }
    }
    try (RunFolder third = RunFolder.find(folder.resolve("run"))) {
      third.lock();
    }
  }

  @Test
  void anAbandonedBeginningLeavesNothing() throws IOException {
    try (RunFolder made = RunFolder.create(folder.resolve("made"))) {
      Files.writeString(made.receipt(), "{}");
      made.abandon();
    }
    assertFalse(Files.exists(folder.resolve("made")));
    Path found = Files.createDirectory(folder.resolve("found"));
    try (RunFolder run = RunFolder.create(found)) {
      run.abandon();
    }
    assertTrue(Files.isDirectory(found), "a folder that was there stays");
  }
}
