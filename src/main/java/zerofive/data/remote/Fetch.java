package zerofive.data.remote;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import zerofive.files.FileGuarantees;
import zerofive.files.OutputException;
import zerofive.files.PrivateCache;
import zerofive.files.Sha256;

/**
 * The fetched data sets, each in a folder of its own below {@code data/} in the user's cache. Where
 * {@code zerofive.mirror} (a property) or {@code ZEROFIVE_MIRROR} names an address, files come from
 * there and nowhere else, as {@code ADDRESS/SET/FILE}: the layout that the cache has itself.
 */
public final class Fetch {
  private static final int SILENCE_MILLIS = 30_000;
  private static final int LOCK_POLL_MILLIS = 200;

  /** What the files taken from an archive were, in the format of sha256sum. */
  private static final String SUMS = "SHA256SUMS";

  private final Path root;
  private final Optional<String> mirror;
  private final int silenceMillis;
  private final DownloadListener listener;

  /** Into {@code root}; {@code mirror} in place of those of the catalogue. */
  Fetch(Path root, Optional<String> mirror, int silenceMillis, DownloadListener listener) {
    this.root = root;
    this.mirror = mirror;
    this.silenceMillis = silenceMillis;
    this.listener = listener;
  }

  private static Fetch standard(DownloadListener listener) {
    String named = System.getProperty("zerofive.mirror", System.getenv("ZEROFIVE_MIRROR"));
    return new Fetch(
        root(),
        Optional.ofNullable(named).filter(text -> !text.isBlank()),
        SILENCE_MILLIS,
        listener);
  }

  /** Where all of them are kept. Throws OutputException where there can be no cache. */
  public static Path root() {
    try {
      return PrivateCache.folder(PrivateCache.folder().resolve("data"));
    } catch (IOException e) {
      throw new OutputException(
          "the cache for data sets cannot be had: "
              + (e instanceof FileSystemException at ? at.getFile() + ": " : "")
              + OutputException.reason(e)
              + "; name a folder for it with XDG_CACHE_HOME, or a data folder with --data");
    }
  }

  /** The folder of a set, fetched now where it is not here. */
  public static Path ensure(DataSetRegistry.Entry entry, DownloadListener listener) {
    Fetch fetch = standard(listener);
    return fetch.isHere(entry) ? fetch.root.resolve(entry.name()) : fetch.fetch(entry);
  }

  /** Whether a set's files are in the cache; where there can be none they are not. */
  public static boolean has(DataSetRegistry.Entry entry) {
    try {
      return entry.isBundled() || standard(DownloadListener.NONE).isHere(entry);
    } catch (OutputException e) {
      return false;
    }
  }

  /** Fetches a set; one that is here is checked, and what is damaged of it fetched anew. */
  public static Path download(DataSetRegistry.Entry entry, DownloadListener listener) {
    return standard(listener).fetch(entry);
  }

  private boolean isHere(DataSetRegistry.Entry entry) {
    Path folder = root.resolve(entry.name());
    return Files.isDirectory(folder)
        && (entry.archive().isPresent() ? entry.members() : names(entry))
            .stream().allMatch(name -> Files.isRegularFile(folder.resolve(name)));
  }

  private static List<String> names(DataSetRegistry.Entry entry) {
    return entry.files().stream().map(RemoteFile::name).toList();
  }

  /** The folder with the set's files, all of them checked. */
  Path fetch(DataSetRegistry.Entry entry) {
    Path home = folder(entry.home());
    Path lock = home.resolve(".lock");
    try (FileChannel channel =
        FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      lock(lock, channel, entry.name());
      if (entry.archive().isEmpty() || !isUndamaged(entry)) {
        for (RemoteFile file : entry.files()) {
          new Download(mirrored(file, entry.home()), home, silenceMillis, listener).run();
        }
        if (entry.archive().isPresent()) {
          unpack(home.resolve(entry.archive().get().name()));
        }
      }
      return folder(entry.name());
    } catch (IOException e) {
      throw cannotWrite(home, e);
    }
  }

  private RemoteFile mirrored(RemoteFile file, String home) {
    return mirror
        .map(base -> base.replaceFirst("/*$", "/") + home + "/" + file.name())
        .map(url -> new RemoteFile(file.name(), file.bytes(), file.sha256(), List.of(url)))
        .orElse(file);
  }

  /** One process at a time fetches a set; the next then finds it there. */
  private void lock(Path file, FileChannel channel, String name) throws IOException {
    for (boolean announced = false; !FileGuarantees.tryLock(file, channel); announced = true) {
      if (!announced) {
        listener.info("another process fetches " + name + " already; waiting for it");
      }
      try {
        Thread.sleep(LOCK_POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while another process fetches it", e);
      }
    }
  }

  private boolean isUndamaged(DataSetRegistry.Entry entry) throws IOException {
    Path folder = folder(entry.name());
    Path sums = folder.resolve(SUMS);
    return isHere(entry)
        && Files.isRegularFile(sums)
        && Arrays.equals(Files.readAllBytes(sums), sums(folder, entry.members()));
  }

  private static byte[] sums(Path folder, List<String> names) {
    StringBuilder sums = new StringBuilder();
    for (String name : names) {
      sums.append(Sha256.of(folder.resolve(name))).append("  ").append(name).append('\n');
    }
    return sums.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Takes out every set that the archive holds, then removes it: half a gigabyte for 100 MB. */
  private void unpack(Path archive) throws IOException {
    try (ZipFile zip = new ZipFile(archive.toFile())) {
      TreeMap<String, ZipEntry> members = new TreeMap<>();
      zip.stream()
          .forEach(
              member -> members.put(Path.of(member.getName()).getFileName().toString(), member));
      for (DataSetRegistry.Entry entry : DataSetRegistry.entries()) {
        if (entry.home().equals(archive.getParent().getFileName().toString())) {
          listener.info("unpacking " + entry.name());
          Path folder = folder(entry.name());
          for (String name : entry.members()) {
            copy(zip, members.get(name), folder.resolve(name));
          }
          PrivateCache.replace(folder.resolve(SUMS), sums(folder, entry.members()));
        }
      }
    }
    Files.delete(archive);
  }

  private static void copy(ZipFile zip, ZipEntry member, Path file) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try (InputStream stream = zip.getInputStream(member)) {
      Files.copy(stream, part, StandardCopyOption.REPLACE_EXISTING);
      FileGuarantees.replace(part, file);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private Path folder(String name) {
    Path folder = root.resolve(name);
    try {
      return PrivateCache.folder(folder);
    } catch (IOException e) {
      throw cannotWrite(folder, e);
    }
  }

  private static OutputException cannotWrite(Path path, IOException e) {
    return new OutputException(
        path, e, "make room there, or name another place with XDG_CACHE_HOME");
  }
}
