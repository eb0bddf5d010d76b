package zerofive.data.image;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.regex.PatternSyntaxException;
import zerofive.files.InputException;

/** Which files are meant by a file's name, a folder's, or a pattern that no shell resolved. */
public final class ImagePaths {
  private static final List<String> ENDINGS = List.of(".png", ".jpg", ".jpeg");

  private ImagePaths() {}

  /**
   * A folder's PNG and JPEG files, in all folders below and sorted; links to folders in it are not
   * followed. A pattern's matches, sorted. Neither has hidden files, as in a shell, unless the
   * pattern's last part starts with a dot. Any other name stands for itself, be it there or not.
   *
   * @param refused receives what below cannot be read
   */
  public static List<Path> expand(String name, Consumer<InputException> refused) {
    Path path = Path.of(name);
    if (Files.isDirectory(path)) {
      return files(
          path,
          Integer.MAX_VALUE,
          file -> hasEnding(file) && !isHidden(file.getFileName()),
          refused);
    }
    return Files.exists(path) || !isPattern(name) ? List.of(path) : matches(name, refused);
  }

  /** Whether {@code name} has a wildcard. */
  public static boolean isPattern(String name) {
    return name.matches("(?s).*[*?\\[{].*");
  }

  /** Whether {@code file} is called as PNG and JPEG files are. */
  public static boolean hasEnding(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return ENDINGS.stream().anyMatch(name::endsWith);
  }

  /**
   * Whether a file or folder of this name is there for a program rather than for a person: what
   * starts with a dot (macOS puts {@code ._x.png} beside {@code x.png}), and the folder that macOS
   * puts into archives.
   */
  public static boolean isHidden(Path name) {
    return name.toString().startsWith(".") || name.toString().equals("__MACOSX");
  }

  private static List<Path> matches(String pattern, Consumer<InputException> refused) {
    PathMatcher matcher;
    try {
      matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
    } catch (PatternSyntaxException e) {
      return List.of(Path.of(pattern));
    }
    Path folder = Path.of(pattern).getParent();
    while (folder != null && isPattern(folder.toString())) {
      folder = folder.getParent();
    }
    Path from = folder == null ? Path.of("") : folder;
    int known = folder == null ? 0 : folder.getNameCount();
    int depth =
        pattern.contains("**") ? Integer.MAX_VALUE : Path.of(pattern).getNameCount() - known;
    boolean hiddenToo = Path.of(pattern).getFileName().toString().startsWith(".");
    PathMatcher wanted =
        file -> matcher.matches(file) && (hiddenToo || !isHidden(file.getFileName()));
    return Files.isDirectory(from) ? files(from, depth, wanted, refused) : List.of();
  }

  private static List<Path> files(
      Path folder, int depth, PathMatcher wanted, Consumer<InputException> refused) {
    List<Path> files = new ArrayList<>();
    try {
      // The folder itself may be a link; none is followed below.
      Path real = folder.toRealPath();
      Files.walkFileTree(
          real,
          EnumSet.noneOf(FileVisitOption.class),
          depth,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path below, BasicFileAttributes attributes) {
              return !below.equals(real) && isHidden(below.getFileName())
                  ? FileVisitResult.SKIP_SUBTREE
                  : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              Path named = folder.resolve(real.relativize(file));
              if (wanted.matches(named) && !Files.isDirectory(file)) {
                files.add(named);
              }
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
              refused.accept(new InputException(folder.resolve(real.relativize(file)), e));
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path below, IOException e) {
              if (e != null) {
                refused.accept(new InputException(folder.resolve(real.relativize(below)), e));
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      refused.accept(new InputException(folder, e));
    }
    Collections.sort(files);
    return files;
  }
}
