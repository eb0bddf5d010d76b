package zerofive.cli.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import zerofive.backend.Arithmetic;
import zerofive.backend.DeviceException;

/** A device that one process decided on, in another. */
class BackendsTest {
  private static final Optional<Integer> EXACT = Optional.of(Arithmetic.NUMBER);

  private static DeviceRequest request(String device, Map<String, String> settings) {
    return new DeviceRequest(device, 1, settings);
  }

  @Test
  void whatADeviceComputesIsKnownWithoutIt() {
    assertEquals(EXACT, Backends.arithmetic(request("cpu", Map.of())));
    assertEquals(Optional.empty(), Backends.arithmetic(request("reference", Map.of())));
    assertEquals(EXACT, Backends.arithmetic(request("cuda:999", Map.of("exact", "true"))));
  }

  @Test
  void aDecisionIsObeyed() {
    assertEquals("cpu", Backends.obey(request("cpu", Map.of()), EXACT).backend().name());
    assertEquals(
        "reference",
        Backends.obey(request("reference", Map.of()), Optional.empty()).backend().name());
  }

  @Test
  void aDeviceThatIsNotHereOrComputesOtherBitsIsRefused() {
    DeviceRequest gpu = request("cuda:999", Map.of("exact", "true"));
    String missing =
        assertThrows(DeviceException.class, () -> Backends.obey(gpu, EXACT)).getMessage();
    assertTrue(missing.startsWith("device cuda:999: "), missing);
    DeviceRequest cpu = request("cpu", Map.of());
    String other =
        assertThrows(DeviceException.class, () -> Backends.obey(cpu, Optional.of(-1))).getMessage();
    assertEquals(
        "device cpu computes arithmetic 1 here, but arithmetic -1 was decided on; run one version"
            + " of zerofive everywhere",
        other);
    DeviceRequest auto = request("auto", Map.of());
    assertThrows(IllegalArgumentException.class, () -> Backends.obey(auto, EXACT));
  }
}
