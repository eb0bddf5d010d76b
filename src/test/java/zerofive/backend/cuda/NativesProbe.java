package zerofive.backend.cuda;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import zerofive.backend.DeviceException;

/**
 * A process of its own for {@link JcudaLoadingTest}, since a library loads once a JVM: loads the
 * driver named first and the cuBLAS of the folder named second, calls both, and tells which of
 * JCuda's files run.
 */
final class NativesProbe {
  private NativesProbe() {}

  /** The same in two class loaders of one process, one after the other. */
  static final class InTwoLoaders {
    private InTwoLoaders() {}

    public static void main(String[] arguments) throws Exception {
      List<URL> classpath = new ArrayList<>();
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
        classpath.add(Path.of(entry).toUri().toURL());
      }
      URL[] urls = classpath.toArray(URL[]::new);
      for (int i = 0; i < 2; i++) {
        // Never closed: its classes run to the end.
        ClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
        Method main =
            loader.loadClass(NativesProbe.class.getName()).getMethod("main", String[].class);
        main.setAccessible(true);
        main.invoke(null, (Object) arguments);
      }
    }
  }

  public static void main(String[] arguments) throws IOException {
    Environment environment = Environment.here();
    String temporary = System.getProperty("java.io.tmpdir");
    try {
      new DriverLibrary(Path.of(arguments[0]), Optional.empty()).load();
      int[] version = new int[1];
      JCudaDriver.cuDriverGetVersion(version);
      System.out.println("driver " + version[0]);
      if (arguments.length > 1) {
        CublasLibrary cublas =
            CublasLibrary.find(Optional.of(arguments[1]), environment, version[0])
                .library()
                .orElseThrow();
        cublas.load();
        JCublas2.cublasGetVersion(new cublasHandle(), version);
        System.out.println("cublas " + version[0]);
      }
    } catch (DeviceException e) {
      System.out.println(e.getMessage());
      System.exit(4);
    }
    if (!System.getProperty("java.io.tmpdir").equals(temporary)) {
      throw new AssertionError("java.io.tmpdir is not restored");
    }
    Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.contains("r-xp") && line.contains("/libJC"))
        .map(line -> line.substring(line.indexOf('/')))
        .distinct()
        .forEach(System.out::println);
  }
}
