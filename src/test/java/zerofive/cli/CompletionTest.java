package zerofive.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.cli.command.Commands;

/** The completion scripts, run by the shells they are made for. */
class CompletionTest {
  @TempDir Path folder;

  @Test
  void bashCompletesCommandsOptionsAndValues() throws IOException, InterruptedException {
    assumeTrue(isThere("bash"), "skipped: there is no bash");
    Files.createDirectory(folder.resolve("runs"));
    Files.createFile(folder.resolve("run.txt"));
    assertEquals(List.of("train"), bash("tra"));
    assertEquals(List.of("--schedule"), bash("train", "--sch"));
    assertEquals(List.of("constant", "cosine"), bash("train", "--schedule", "co"));
    assertEquals(List.of("runs"), bash("train", "--resume", "ru"));
    assertEquals(List.of("mnist"), bash("evaluate", "--data", "mn"));
    assertEquals(List.of("run.txt", "runs"), bash("evaluate", "--model", "ru"));
    assertEquals(List.of("bash"), bash("completion", "b"));
    assertEquals(List.of("evaluate"), bash("help", "ev"));
    for (Command command : Commands.ALL) {
      assertTrue(bash("").contains(command.name()), command.name());
    }
  }

  /** What bash offers for the last of the words behind {@code zerofive}, sorted. */
  private List<String> bash(String... words) throws IOException, InterruptedException {
    String line = "zerofive '" + String.join("' '", words) + "'";
    return shell(
        "bash",
        InProcess.run("completion", "bash").out()
            + "compopt() { :; }\n"
            + "COMP_WORDS=("
            + line
            + ")\nCOMP_CWORD="
            + words.length
            + "\n_zerofive\nprintf '%s\\n' \"${COMPREPLY[@]}\" | sort\n");
  }

  @Test
  void zshTakesTheScript() throws IOException, InterruptedException {
    assumeTrue(isThere("zsh"), "skipped: there is no zsh");
    String script = InProcess.run("completion", "zsh").out();
    assertEquals(
        List.of("_zerofive"),
        shell(
            "zsh",
            "autoload -Uz compinit && compinit -u -d "
                + folder.resolve("dump")
                + "\n"
                + script
                + "print $_comps[zerofive]\n"));
    for (Command command : Commands.ALL) {
      String summary = command.summary().replace("'", "'\\''");
      assertTrue(script.contains("'" + command.name() + ":" + summary + "'"), script);
    }
  }

  private static boolean isThere(String shell) {
    return List.of("/bin/", "/usr/bin/", "/usr/local/bin/").stream()
        .anyMatch(bin -> Files.isExecutable(Path.of(bin + shell)));
  }

  private List<String> shell(String shell, String script) throws IOException, InterruptedException {
    Path file = Files.writeString(folder.resolve("script"), script);
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(shell, file.toString())
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertTrue(process.waitFor(20, TimeUnit.SECONDS));
    String printed = Files.readString(output, UTF_8);
    Files.delete(file);
    Files.delete(output);
    assertEquals(0, process.exitValue(), printed);
    return printed.lines().toList();
  }
}
