package zerofive.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The machine as a search for libraries sees it; tests lay out machines of their own under another
 * root.
 *
 * @param variables of the process
 * @param root of the file system; every absolute path is taken below it
 * @param system as {@code os.name} has it
 * @param processor as {@code os.arch} has it
 */
public record Environment(
    Map<String, String> variables, Path root, String system, String processor) {
  /** Where the dynamic loader of Debian's and of Red Hat's family looks without being told. */
  private static final List<String> DEFAULT_FOLDERS =
      List.of(
          "/lib/x86_64-linux-gnu",
          "/usr/lib/x86_64-linux-gnu",
          "/lib64",
          "/usr/lib64",
          "/lib",
          "/usr/lib");

  private static final String CACHE = "/etc/ld.so.cache";

  /** A real one has tens of kilobytes; what is larger is read no further. */
  private static final int CACHE_LIMIT = 8 << 20;

  private static final int ENTRIES_LIMIT = 64;

  /** This machine. */
  public static Environment here() {
    return new Environment(
        System.getenv(),
        Path.of("/"),
        System.getProperty("os.name"),
        System.getProperty("os.arch"));
  }

  /** Whether it is Linux on x86-64, the one platform that JCuda's natives and we both support. */
  boolean isLinuxX86() {
    return system.toLowerCase(Locale.ROOT).startsWith("linux")
        && (processor.equals("amd64") || processor.equals("x86_64"));
  }

  /** An absolute path below the root; empty where it is relative or no path at all. */
  Optional<Path> at(String absolute) {
    try {
      return absolute.startsWith("/")
          ? Optional.of(root.resolve(absolute.substring(1)).normalize())
          : Optional.empty();
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  /** The folder that a variable names. */
  Optional<Path> folder(String variable) {
    return at(variables.getOrDefault(variable, ""));
  }

  /**
   * The folders of a search path. The shell and the loader read an empty or relative entry as the
   * current folder; a library lying about there is nobody's choice, so those are left out.
   */
  Stream<Path> folders(String variable) {
    return Stream.of(variables.getOrDefault(variable, "").split("[:;]"))
        .flatMap(entry -> at(entry).stream());
  }

  /**
   * What the dynamic loader would find by this name, in its order (ld.so(8)): LD_LIBRARY_PATH, its
   * cache, its default folders. Nothing is loaded, and nothing is checked but that it is there.
   */
  List<Path> onLoaderPath(String name) {
    return existing(
        Stream.of(
                folders("LD_LIBRARY_PATH").map(folder -> folder.resolve(name)),
                inCache(name).stream(),
                DEFAULT_FOLDERS.stream().flatMap(f -> at(f).stream()).map(f -> f.resolve(name)))
            .flatMap(paths -> paths));
  }

  /**
   * Those that are there, be it as a link to nothing, each folder once whatever links lead to it.
   */
  static List<Path> existing(Stream<Path> files) {
    List<Path> found = new ArrayList<>();
    List<Path> folders = new ArrayList<>();
    files
        .filter(file -> Files.exists(file, LinkOption.NOFOLLOW_LINKS))
        .forEach(
            file -> {
              Path folder = real(file.getParent());
              if (!folders.contains(folder)) {
                folders.add(folder);
                found.add(file);
              }
            });
    return found;
  }

  /** With links resolved where they can be. */
  static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return path;
    }
  }

  /** The cache is a table of NUL-terminated strings behind a header: its paths can be just read. */
  private List<Path> inCache(String name) {
    String cache = readCache();
    String ending = "/" + name + "\0";
    List<Path> entries = new ArrayList<>();
    for (int hit = cache.indexOf(ending);
        hit >= 0 && entries.size() < ENTRIES_LIMIT;
        hit = cache.indexOf(ending, hit + 1)) {
      int begin = cache.lastIndexOf('\0', hit) + 1;
      at(cache.substring(begin, hit + ending.length() - 1)).ifPresent(entries::add);
    }
    return entries;
  }

  private String readCache() {
    Path cache = at(CACHE).orElseThrow();
    if (!Files.isRegularFile(cache)) {
      return "";
    }
    try (InputStream in = Files.newInputStream(cache)) {
      return new String(in.readNBytes(CACHE_LIMIT), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }
}
