package zerofive.data.remote;

/** Who looks on while files are fetched. */
public interface DownloadListener {
  /** Nobody. */
  DownloadListener NONE =
      new DownloadListener() {
        @Override
        public void begins(String file, String host, long from, long bytes) {}

        @Override
        public void reached(long bytes) {}

        @Override
        public void info(String what) {}
      };

  /** A transfer of {@code file}, {@code bytes} long, begins or goes on after {@code from} bytes. */
  void begins(String file, String host, long from, long bytes);

  /** So many bytes of it are here, those of an earlier attempt included. */
  void reached(long bytes);

  /** Something to be told meanwhile: another process that is waited for. */
  void info(String what);
}
