package zerofive.backend.natives;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import zerofive.backend.DeviceException;
import zerofive.files.OutputException;

/** A native library: whether it can be taken, seen from its first 64 bytes, and loading it. */
public final class SharedObject {
  private static final String ANEW = "install it anew";

  private static final int ELF_HEADER = 64;
  private static final int MAGIC = 0x464C457F;
  private static final int CLASS_64_LITTLE_ENDIAN = 0x0102;
  private static final int MACHINE_X86_64 = 62;

  private SharedObject() {}

  /** What the loader says, what it means, what helps. The first that matches counts. */
  private record Trouble(String said, String meaning, String remedy) {}

  /** The words of glibc and musl, and those that HotSpot adds. */
  private static final List<Trouble> TROUBLES =
      List.of(
          new Trouble("file too short", "it is cut off", ANEW),
          new Trouble("cannot read file data", "it is cut off", ANEW),
          new Trouble("ELF load command", "it is damaged", ANEW),
          new Trouble("invalid ELF header", "it is no shared library", ANEW),
          new Trouble(
              "wrong ELF class", "it is for another processor", "install that for this one"),
          new Trouble(
              "Possible cause: ", "it is for another processor", "install that for this one"),
          new Trouble("Permission denied", "this user may not read it", "allow it to be read"),
          new Trouble(
              "failed to map segment",
              "its folder is mounted noexec",
              "mount the folder without noexec"),
          new Trouble(
              "' not found (required by",
              "this system's libraries are older than it needs",
              "use a newer system"),
          new Trouble("symbol not found", "it needs glibc", "use a system with glibc, not musl"),
          new Trouble(
              "Error loading shared", "it needs glibc", "use a system with glibc, not musl"),
          new Trouble(
              "undefined symbol",
              "another library that it needs is of another version",
              "install both in versions that belong together"),
          new Trouble(
              "cannot open shared object file",
              "a library that it needs is missing",
              "install the missing library"));

  /**
   * Why a library for x86-64 cannot be taken; empty where it can. Loads nothing, since what is cut
   * off may crash the process instead of failing.
   */
  public static Optional<String> refusal(Path file) {
    if (!Files.exists(file)) {
      return Optional.of("is a link to nothing");
    }
    try {
      for (Path name : file.toRealPath()) {
        if (name.toString().equals("stubs")) {
          return Optional.of("is the toolkit's stub, for linking programs only");
        }
      }
      if (!Files.isRegularFile(file)) {
        return Optional.of("is not a file");
      }
      return refusalOf(Files.size(file), header(file));
    } catch (IOException e) {
      return Optional.of("cannot be read (" + OutputException.reason(e) + ")");
    }
  }

  private static ByteBuffer header(Path file) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(ELF_HEADER).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(file)) {
      while (header.hasRemaining() && channel.read(header) >= 0) {}
    }
    return header.flip();
  }

  /** The layout is that of elf(5). Linkers put the table of sections last, which gives the size. */
  private static Optional<String> refusalOf(long size, ByteBuffer header) {
    if (header.limit() < ELF_HEADER) {
      return Optional.of("is cut off: it has " + size + " bytes");
    }
    if (header.getInt(0) != MAGIC) {
      return Optional.of("is no shared library");
    }
    if (header.getShort(4) != CLASS_64_LITTLE_ENDIAN || header.getShort(18) != MACHINE_X86_64) {
      return Optional.of("is for another processor");
    }
    long sections = header.getLong(40);
    long end = sections + (long) header.getShort(58) * Short.toUnsignedInt(header.getShort(60));
    if (sections < 0 || end > size) {
      return Optional.of("is cut off: it has " + size + " bytes");
    }
    return Optional.empty();
  }

  /**
   * Loads it for the life of the process. One that another class loader has is in the process
   * already, where the libraries that need it find it by its name.
   *
   * @throws DeviceException where the loader refuses
   */
  public static void load(Path file) {
    try {
      System.load(file.toString());
    } catch (UnsatisfiedLinkError e) {
      if (!isInAnotherLoader(e)) {
        throw explain(file, e);
      }
    }
  }

  /** Whether Java refuses the file since it belongs to another class loader of this process. */
  static boolean isInAnotherLoader(UnsatisfiedLinkError error) {
    return error.getMessage().contains("already loaded in another classloader");
  }

  /** Whether another folder would help. */
  static boolean isNoexec(UnsatisfiedLinkError error) {
    return error.getMessage().contains("failed to map segment");
  }

  /** The loader's words as a sentence. */
  static DeviceException explain(Path file, UnsatisfiedLinkError error) {
    return explain(file, error, ANEW);
  }

  /** The same; {@code anew} says how to get an intact file. */
  static DeviceException explain(Path file, UnsatisfiedLinkError error, String anew) {
    String said =
        error
            .getMessage()
            .replace(real(file) + ": ", "")
            .replace(file + ": ", "")
            .lines()
            .findFirst()
            .orElse("");
    return TROUBLES.stream()
        .filter(trouble -> said.contains(trouble.said()))
        .findFirst()
        .map(
            trouble ->
                new DeviceException(
                    file + " cannot be loaded: " + trouble.meaning() + " (" + said + ")",
                    trouble.remedy().equals(ANEW) ? anew : trouble.remedy(),
                    error))
        .orElseGet(
            () -> new DeviceException(file + " cannot be loaded (" + said + ")", anew, error));
  }

  /** With links resolved, as Java and the loader name it. */
  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file;
    }
  }
}
