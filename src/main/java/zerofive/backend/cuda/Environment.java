package zerofive.backend.cuda;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.StringTokenizer;

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
  /** The default folders of the dynamic loader in the Debian and Red Hat families. */
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

  private static final int PATH_LIMIT = 4096;

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
  List<Path> folders(String variable) {
    List<Path> folders = new ArrayList<>();
    StringTokenizer entries = new StringTokenizer(variables.getOrDefault(variable, ""), ":;");
    while (entries.hasMoreTokens()) {
      add(entries.nextToken(), folders);
    }
    return folders;
  }

  /**
   * What the dynamic loader would find by this name, in its order (ld.so(8)): LD_LIBRARY_PATH, its
   * cache, its default folders. Nothing is loaded, and nothing is checked but that it is there.
   */
  List<Path> onLoaderPath(String name) {
    List<Path> files = new ArrayList<>();
    for (Path folder : folders("LD_LIBRARY_PATH")) {
      files.add(folder.resolve(name));
    }
    files.addAll(inCache(name));
    for (String folder : DEFAULT_FOLDERS) {
      files.add(at(folder).orElseThrow().resolve(name));
    }
    return existing(files);
  }

  /** Those that are there, be it as a link to nothing; a folder that two links lead to, once. */
  static List<Path> existing(List<Path> files) {
    List<Path> found = new ArrayList<>();
    Set<Path> folders = new HashSet<>();
    for (Path file : files) {
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS) && folders.add(real(file.getParent()))) {
        found.add(file);
      }
    }
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

  /**
   * The cache's strings end with NUL: its paths can be just read. By Horspool's search, since a
   * program that has just started is interpreted, and looks at each byte a hundred times slower.
   */
  private List<Path> inCache(String name) {
    byte[] cache = readCache();
    byte[] ending = "/".concat(name).concat("\0").getBytes(StandardCharsets.ISO_8859_1);
    int[] shift = new int[256];
    Arrays.fill(shift, ending.length);
    for (int i = 0; i < ending.length - 1; i++) {
      shift[Byte.toUnsignedInt(ending[i])] = ending.length - 1 - i;
    }
    List<Path> entries = new ArrayList<>();
    int end = ending.length;
    while (end <= cache.length && entries.size() < ENTRIES_LIMIT) {
      if (cache[end - 1] == 0
          && Arrays.equals(cache, end - ending.length, end, ending, 0, ending.length)) {
        int start = end - ending.length;
        while (start > 0 && cache[start - 1] != 0 && end - start < PATH_LIMIT) {
          start--;
        }
        add(new String(cache, start, end - 1 - start, StandardCharsets.ISO_8859_1), entries);
      }
      end += shift[Byte.toUnsignedInt(cache[end - 1])];
    }
    return entries;
  }

  private byte[] readCache() {
    File cache = at(CACHE).orElseThrow().toFile();
    if (!cache.isFile()) {
      return new byte[0];
    }
    try (InputStream in = new FileInputStream(cache)) {
      return in.readNBytes(CACHE_LIMIT);
    } catch (IOException e) {
      return new byte[0];
    }
  }

  private void add(String path, List<Path> paths) {
    Optional<Path> absolute = at(path);
    if (absolute.isPresent()) {
      paths.add(absolute.get());
    }
  }
}
