package zerofive.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.zip.CRC32;
import zerofive.backend.DeviceException;
import zerofive.backend.natives.PackedLibrary;

/**
 * The native libraries of JCuda 12.6.0 that zerofive uses, as they lie in its jars.
 *
 * <p>Left alone, JCuda's classes unpack them into the folder for temporary files, under a fixed
 * name and in place: two processes that start at once crash, and another user may have put a
 * library of his own there.
 */
enum JcudaLibrary {
  /** Needs {@code libcuda.so.1}. */
  DRIVER("jcuda.driver.JCudaDriver", "libJCudaDriver-12.6.0-linux-x86_64.so", 0x74a2fb49),

  /** Needs {@code libcublas.so.12}. */
  CUBLAS_12("jcuda.jcublas.JCublas2", "libJCublas2-12.6.0-linux-x86_64.so", 0x790fd862),

  /** The same, retargeted: needs {@code libcublas.so.13}, which has all functions that it calls. */
  CUBLAS_13("jcuda.jcublas.JCublas2", "libJCublas2-12.6.0-linux-x86_64.so", 0x790fd862);

  /** In .dynstr: the last character of the library needed, which names its version as well. */
  private static final int NEEDED_NAME_END = 0x12888;

  /**
   * In .gnu.version_r: the lowest byte of the hash of that name, which for libcublas.so.12 is
   * 0x0ef62132. The hash of elf(5) adds the last character last, so that byte is '2' as well.
   */
  private static final int NEEDED_VERSION_HASH = 0x14c60;

  private static final Set<JcudaLibrary> LOADED = EnumSet.noneOf(JcudaLibrary.class);

  private static final String TEMPORARY = "java.io.tmpdir";

  private final String binding;
  private final String fileName;
  private final int crc32;

  JcudaLibrary(String binding, String fileName, int crc32) {
    this.binding = binding;
    this.fileName = fileName;
    this.crc32 = crc32;
  }

  /**
   * Loads it once, and initialises the class that declares its native methods.
   *
   * @throws DeviceException where it cannot be loaded, or no folder can hold it
   */
  void load() {
    synchronized (JcudaLibrary.class) {
      if (!LOADED.contains(this)) {
        try {
          packed().load(this::initialize);
        } catch (IOException e) {
          throw new DeviceException(e.getMessage(), PackedLibrary.REINSTALL, e);
        }
        LOADED.add(this);
      }
    }
  }

  /**
   * The class is initialised once the file is loaded: a failure inside JCuda's static initialiser
   * would break the class for good. The initialiser looks for its library in the folder for
   * temporary files, and finds the one that is loaded already.
   */
  private void initialize(Path file) {
    String before = System.getProperty(TEMPORARY);
    System.setProperty(TEMPORARY, file.getParent().toString());
    try {
      Class.forName(binding);
    } catch (LinkageError | ClassNotFoundException e) {
      throw new DeviceException(
          binding + " cannot be initialised (" + e + ")", PackedLibrary.REINSTALL, e);
    } finally {
      System.setProperty(TEMPORARY, before);
    }
  }

  /**
   * The library with the name by which JCuda looks for it. Both for cuBLAS have one file name.
   *
   * @throws IOException where the jar is missing or is not that of JCuda 12.6.0
   */
  PackedLibrary packed() throws IOException {
    return new PackedLibrary(
        "JCuda's native library", this == CUBLAS_13 ? "cublas-13/" + fileName : fileName, bytes());
  }

  /**
   * Its bytes.
   *
   * @throws IOException where the jar is missing or is not that of JCuda 12.6.0
   */
  byte[] bytes() throws IOException {
    byte[] bytes = read();
    if (this == CUBLAS_13) {
      bytes[NEEDED_NAME_END] = '3';
      bytes[NEEDED_VERSION_HASH] = '3';
    }
    return bytes;
  }

  /** Checked by CRC-32 at every start, since SHA-256 takes a young process a tenth of a second. */
  private byte[] read() throws IOException {
    try (InputStream in = JcudaLibrary.class.getResourceAsStream("/lib/" + fileName)) {
      if (in == null) {
        throw new IOException("JCuda's jar with " + fileName + " is missing");
      }
      byte[] bytes = in.readAllBytes();
      CRC32 crc = new CRC32();
      crc.update(bytes);
      if ((int) crc.getValue() != crc32) {
        throw new IOException(fileName + " in JCuda's jar is not that of 12.6.0");
      }
      return bytes;
    }
  }
}
