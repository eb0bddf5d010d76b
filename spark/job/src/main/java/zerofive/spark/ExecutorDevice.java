package zerofive.spark;

import java.io.Serializable;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.SparkEnv;
import zerofive.cli.Version;
import zerofive.cli.device.Backends;
import zerofive.run.Receipt;

/**
 * An executor and what it computes on, for receipts.
 *
 * @param executor its number, which no other of the application has, and its host
 * @param program version and commit of zerofive there
 * @param backend by name
 * @param device in words
 * @param details what else is worth knowing
 */
record ExecutorDevice(
    String executor, String program, String backend, String device, TreeMap<String, String> details)
    implements Serializable {
  private static final String HOST = host();

  /** This one's. */
  static ExecutorDevice of(Backends.Choice device) {
    TreeMap<String, String> details = new TreeMap<>(device.details());
    details.put("java", Runtime.version().toString());
    return new ExecutorDevice(
        SparkEnv.get().executorId() + "@" + HOST,
        Version.read().toString(),
        device.backend().name(),
        device.device(),
        details);
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  /** As receipts have who computed. */
  Receipt.Session session(List<String> commandLine) {
    Map<String, String> all = new TreeMap<>(details);
    all.put("executor", executor);
    return new Receipt.Session(program, backend, device, all, commandLine);
  }
}
