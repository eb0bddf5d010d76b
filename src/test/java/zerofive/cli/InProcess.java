package zerofive.cli;

import java.io.ByteArrayOutputStream;
import java.nio.charset.Charset;
import java.util.List;
import zerofive.cli.command.Commands;
import zerofive.report.console.Terminal;

/** Runs a command line inside this JVM: as the launcher does, without the start of a process. */
final class InProcess {
  private InProcess() {}

  static Launcher.Result run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int code = new Cli(Commands.ALL, Terminal.plain(out, err)).run(List.of(arguments));
    return new Launcher.Result(
        code, out.toString(Charset.defaultCharset()), err.toString(Charset.defaultCharset()));
  }
}
