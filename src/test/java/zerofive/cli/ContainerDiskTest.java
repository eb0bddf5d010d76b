package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Mounts as Docker, Podman and a virtual machine have them. */
class ContainerDiskTest {
  private static final String OVERLAY =
      """
      513 478 0:61 / / rw,relatime master:211 - overlay overlay rw,lowerdir=/l1:/l2,upperdir=/u
      514 513 0:64 / /proc rw,nosuid shared:3 master:9 - proc proc rw
      """;

  private static Optional<String> notice(String mountinfo, String run) {
    return ContainerDisk.notice(mountinfo, Path.of(run));
  }

  @Test
  void withoutAVolumeTheRunGoesWithTheContainer() {
    assertEquals(
        Optional.of(
            "/runs/a is deleted with this container; to keep runs, mount a folder of the host, as by"
                + " -v FOLDER:/runs"),
        notice(OVERLAY, "/runs/a"));
    String vfs = "600 1 8:1 /var/lib/docker/vfs/dir/3f / rw,relatime - ext4 /dev/sda1 rw\n";
    assertEquals(
        Optional.of(
            "/a is deleted with this container; to keep runs, mount a folder of the host, as by -v"
                + " FOLDER:/a"),
        notice(vfs, "/a"));
  }

  @Test
  void aVolumeWithoutANameGoesWithItToo() {
    String nameless =
        "520 513 8:1 /var/lib/docker/volumes/"
            + "0a".repeat(32)
            + "/_data /runs rw - ext4 /dev/sda1";
    assertEquals(true, notice(OVERLAY + nameless, "/runs/a").isPresent());
  }

  @Test
  void whatIsMountedStays() {
    String folder = "520 513 8:1 /home/me/runs /runs rw,relatime - ext4 /dev/sda1 rw\n";
    assertEquals(Optional.empty(), notice(OVERLAY + folder, "/runs/a"));
    assertEquals(true, notice(OVERLAY + folder, "/runs2/a").isPresent());
    String named = "520 513 8:1 /var/lib/docker/volumes/mine/_data /runs rw - ext4 /dev/sda1 rw\n";
    assertEquals(Optional.empty(), notice(OVERLAY + named, "/runs/a"));
    String spaced = "520 513 8:1 /home/me /my\\040runs rw - ext4 /dev/sda1 rw\n";
    assertEquals(Optional.empty(), notice(OVERLAY + spaced, "/my runs/a"));
    assertEquals(Optional.empty(), notice(folder + OVERLAY, "/runs/a"), "in any order");
  }

  @Test
  void aMachineThatLooksLikeAContainerHasADiskOfItsOwn() {
    assertEquals(Optional.empty(), notice("26 1 254:0 / / rw - ext4 /dev/vda rw\n", "/runs/a"));
    assertEquals(Optional.empty(), notice("what no system writes\n\n - \n", "/runs/a"));
  }
}
