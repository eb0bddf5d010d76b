package zerofive.data;

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
import java.util.regex.PatternSyntaxException;

/** Which files are meant by a file's name, a folder's, or a pattern that no shell resolved. */
public final class ImagePaths {
  private static final List<String> ENDINGS = List.of(".png", ".jpg", ".jpeg");

  private ImagePaths() {}

  /**
   * A folder's PNG and JPEG files, in all folders below and sorted; links to folders are not
   * followed. A pattern's matches, sorted. Any other name stands for itself, be it there or not.
   * Throws InputException where a folder cannot be read.
   */
  public static List<Path> expand(String name) {
    Path path = Path.of(name);
    if (Files.isDirectory(path)) {
      return files(path, ImagePaths::hasEnding);
    }
    return Files.exists(path) || !isPattern(name) ? List.of(path) : matches(name);
  }

  /** Whether {@code name} has a wildcard. */
  public static boolean isPattern(String name) {
    return name.matches("(?s).*[*?\\[{].*");
  }

  private static boolean hasEnding(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    return ENDINGS.stream().anyMatch(name::endsWith);
  }

  private static List<Path> matches(String pattern) {
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
    return Files.isDirectory(from) ? files(from, matcher) : List.of();
  }

  private static List<Path> files(Path folder, PathMatcher wanted) {
    List<Path> files = new ArrayList<>();
    try {
      Files.walkFileTree(
          folder,
          EnumSet.noneOf(FileVisitOption.class),
          Integer.MAX_VALUE,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              if (wanted.matches(file) && !Files.isDirectory(file)) {
                files.add(file);
              }
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
              throw new InputException(file, e);
            }
          });
    } catch (IOException e) {
      throw new InputException(folder + " cannot be listed; check its permissions", e);
    }
    Collections.sort(files);
    return files;
  }
}
