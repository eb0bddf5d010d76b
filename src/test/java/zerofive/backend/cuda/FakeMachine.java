package zerofive.backend.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A Linux machine laid out below a folder: files that look like libraries, links, variables. */
public final class FakeMachine {
  private final Path root;
  private final Map<String, String> variables = new HashMap<>();

  FakeMachine(Path root) {
    this.root = root;
  }

  Environment environment() {
    return new Environment(variables, root, "Linux", "amd64");
  }

  Path at(String path) {
    return root.resolve(path.substring(1));
  }

  FakeMachine variable(String name, String value) {
    variables.put(name, value);
    return this;
  }

  /** An ELF header for a 64-bit x86 library, and nothing behind it. */
  public static ByteBuffer elfHeader() {
    ByteBuffer header = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
    header.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    return header.putShort(16, (short) 3).putShort(18, (short) 62);
  }

  FakeMachine library(String path) {
    return file(path, elfHeader().array());
  }

  /** cuBLAS N and its companion. */
  FakeMachine cublas(String folder, int major) {
    return library(folder + "/libcublas.so." + major).library(folder + "/libcublasLt.so." + major);
  }

  FakeMachine file(String path, byte[] bytes) {
    try {
      Files.createDirectories(at(path).getParent());
      Files.write(at(path), bytes);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  FakeMachine folder(String path) {
    try {
      Files.createDirectories(at(path));
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A link; an absolute target is taken below the root. */
  FakeMachine link(String path, String target) {
    try {
      Files.createDirectories(at(path).getParent());
      Files.createSymbolicLink(at(path), target.startsWith("/") ? at(target) : Path.of(target));
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The loader's cache, as ldconfig writes its strings: soname, then path, each with its NUL. */
  FakeMachine loaderCache(String... paths) {
    StringBuilder text = new StringBuilder("glibc-ld.so.cache1.1\3\0\0\0");
    for (String path : paths) {
      text.append(path.substring(path.lastIndexOf('/') + 1)).append('\0');
      text.append(path).append('\0');
    }
    return file("/etc/ld.so.cache", text.toString().getBytes(StandardCharsets.ISO_8859_1));
  }
}
