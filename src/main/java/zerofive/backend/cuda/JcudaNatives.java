package zerofive.backend.cuda;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import zerofive.backend.DeviceException;
import zerofive.backend.SharedObject;
import zerofive.files.OutputException;

/**
 * Loads JCuda's native libraries safely.
 *
 * <p>Left alone, JCuda's classes unpack them into the folder for temporary files, under a fixed
 * name and in place: two processes that start at once crash, and another user may have put a
 * library of his own there.
 */
public final class JcudaNatives {
  private static final String TEMPORARY = "java.io.tmpdir";

  private JcudaNatives() {}

  /**
   * Loads the driver, after the compiler that it would not find, and JCudaDriver on top of it.
   * Nothing of JCuda may be touched before. The first driver stays for the life of the process.
   *
   * @throws DeviceException where one cannot be loaded, or no folder can hold JCuda's library
   */
  public static synchronized void loadDriver(DriverLibrary driver, Environment environment) {
    driver.compiler().ifPresent(SharedObject::load);
    SharedObject.load(driver.file());
    load(JcudaLibrary.DRIVER, environment);
  }

  /**
   * Loads a cuBLAS and JCublas2 on top of it, after the driver. The first cuBLAS stays for the life
   * of the process.
   *
   * @throws DeviceException where one cannot be loaded, or no folder can hold JCuda's library
   */
  public static synchronized void loadCublas(CublasLibrary cublas, Environment environment) {
    SharedObject.load(cublas.cublasLt());
    SharedObject.load(cublas.cublas());
    load(cublas.major() == 12 ? JcudaLibrary.CUBLAS_12 : JcudaLibrary.CUBLAS_13, environment);
  }

  /**
   * Puts all of them into {@code folder}, where {@link SharedObject#UNPACKED} can name it.
   *
   * @throws IOException where JCuda's jars are missing
   * @throws OutputException where they cannot be written
   */
  public static void unpack(Path folder) throws IOException {
    for (JcudaLibrary library : JcudaLibrary.values()) {
      SharedObject.unpack(folder.resolve(library.unpackedName()), library.bytes());
    }
  }

  private static void load(JcudaLibrary library, Environment environment) {
    List<String> refused = new ArrayList<>();
    for (NativeFolder folder : NativeFolder.inOrder(environment)) {
      Path file;
      try {
        file = folder.provide(library);
      } catch (IOException e) {
        refused.add(folder.path() + ": " + OutputException.reason(e));
        continue;
      }
      try {
        initialize(library, file);
        return;
      } catch (UnsatisfiedLinkError e) {
        if (!SharedObject.isNoexec(e)) {
          throw SharedObject.explain(file, e);
        }
        refused.add(folder.path() + ": mounted noexec");
      } catch (LinkageError | ClassNotFoundException e) {
        throw new DeviceException(
            library.binding() + " cannot be initialised (" + e + ")", "install zerofive anew", e);
      }
    }
    throw new DeviceException(
        "no folder can hold JCuda's native library (" + String.join(", ", refused) + ")",
        "set XDG_CACHE_HOME to a folder of yours that is not mounted noexec",
        null);
  }

  /**
   * Loads the file before the class: a failure inside JCuda's static initialiser would break the
   * class for good. The initialiser then looks for its library in the folder for temporary files,
   * and finds the one that is loaded already.
   */
  private static void initialize(JcudaLibrary library, Path file) throws ClassNotFoundException {
    String before = System.getProperty(TEMPORARY);
    System.setProperty(TEMPORARY, file.getParent().toString());
    try {
      System.load(file.toString());
      Class.forName(library.binding());
    } finally {
      System.setProperty(TEMPORARY, before);
    }
  }
}
