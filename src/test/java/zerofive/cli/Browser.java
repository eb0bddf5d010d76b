package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import zerofive.files.Json;

/**
 * A real Chromium without a window, driven through its DevTools protocol over two pipes
 * (--remote-debugging-pipe: JSON objects, each ended by a zero byte), which takes no library, no
 * driver and no port.
 */
final class Browser implements AutoCloseable {
  private static final List<String> NAMES =
      List.of("chromium", "chromium-browser", "google-chrome");
  private static final int LIMIT_SECONDS = 120;

  private final Process process;
  private final BlockingQueue<JsonObject> messages = new LinkedBlockingQueue<>();
  private final List<String> requests = new ArrayList<>();
  private final List<String> said = new ArrayList<>();
  private String session = "";
  private int calls;

  /** Starts one with a profile in {@code folder}; skips where there is none, and fails in CI. */
  static Browser start(Path folder) {
    List<Path> found =
        List.of(System.getenv("PATH").split(":", -1)).stream()
            .flatMap(place -> NAMES.stream().map(name -> Path.of(place, name)))
            .filter(Files::isExecutable)
            .toList();
    String sentence = "there is no Chromium; Debian's package chromium has it";
    assertFalse(found.isEmpty() && "true".equals(System.getenv("CI")), sentence);
    assumeTrue(!found.isEmpty(), "skipped: " + sentence);
    return new Browser(found.get(0), folder);
  }

  private Browser(Path program, Path folder) {
    try {
      process =
          new ProcessBuilder(
                  "sh",
                  "-c",
                  "exec \"$@\" 3<&0 4>&1 >/dev/null",
                  "sh",
                  program.toString(),
                  "--headless=new",
                  "--no-sandbox",
                  "--disable-gpu",
                  "--disable-dev-shm-usage",
                  "--no-first-run",
                  "--remote-debugging-pipe",
                  "--user-data-dir=" + folder.resolve("profile"),
                  "about:blank")
              .redirectError(folder.resolve("chromium.log").toFile())
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread reader = new Thread(this::readAll, "browser");
    reader.setDaemon(true);
    reader.start();
    JsonObject target = call("Target.createTarget", Map.of("url", "about:blank"));
    session =
        call(
                "Target.attachToTarget",
                Map.of("targetId", target.get("targetId").getAsString(), "flatten", true))
            .get("sessionId")
            .getAsString();
    call("Performance.enable", Map.of("timeDomain", "threadTicks"));
    for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
      call(domain + ".enable", Map.of());
    }
  }

  private void readAll() {
    try (InputStream stream = process.getInputStream()) {
      ByteArrayOutputStream message = new ByteArrayOutputStream();
      byte[] chunk = new byte[1 << 16];
      for (int length = stream.read(chunk); length >= 0; length = stream.read(chunk)) {
        for (int i = 0; i < length; i++) {
          if (chunk[i] == 0) {
            messages.add(Json.parse(message.toString(StandardCharsets.UTF_8)));
            message.reset();
          } else {
            message.write(chunk[i]);
          }
        }
      }
    } catch (IOException e) {
      // It was closed.
    }
  }

  /** One command of the protocol; events that come first are noted. */
  private JsonObject call(String method, Map<String, ?> parameters) {
    JsonObject command = new JsonObject();
    command.addProperty("id", ++calls);
    command.addProperty("method", method);
    command.add("params", Json.of(parameters));
    if (!session.isEmpty()) {
      command.addProperty("sessionId", session);
    }
    try {
      process.getOutputStream().write((Json.line(command) + "\0").getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().flush();
      while (true) {
        JsonObject message = messages.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
        assertTrue(message != null, method + " has no answer");
        if (!message.has("id")) {
          note(message);
        } else if (message.get("id").getAsInt() == calls) {
          assertFalse(message.has("error"), method + ": " + message);
          return message.getAsJsonObject("result");
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void note(JsonObject event) {
    JsonObject parameters = event.getAsJsonObject("params");
    switch (event.get("method").getAsString()) {
      case "Network.requestWillBeSent" ->
          requests.add(parameters.getAsJsonObject("request").get("url").getAsString());
      case "Network.webSocketCreated" -> requests.add(parameters.get("url").getAsString());
      case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded" ->
          said.add(parameters.toString());
      default -> {}
    }
  }

  /** All addresses that were asked for since the start. */
  List<String> requests() {
    return requests;
  }

  /** Everything on the console since the start: messages, errors, what the policy refused. */
  List<String> console() {
    return said;
  }

  /** A screen of so many CSS pixels. */
  void screen(int width, int height, boolean phone, boolean dark) {
    call(
        "Emulation.setDeviceMetricsOverride",
        Map.of(
            "width", width, "height", height, "deviceScaleFactor", phone ? 2 : 1, "mobile", phone));
    call("Emulation.setTouchEmulationEnabled", Map.of("enabled", phone));
    call(
        "Emulation.setEmulatedMedia",
        Map.of(
            "features",
            List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    frame();
  }

  /** Opens a file and waits until all of it has run. */
  void open(Path page) {
    String address = page.toUri().toString();
    call("Page.navigate", Map.of("url", address));
    for (int i = 0; i < LIMIT_SECONDS * 10; i++) {
      if (evaluate("document.readyState + location.href")
          .getAsString()
          .equals("complete" + address)) {
        frame();
        return;
      }
      pause();
    }
    throw new AssertionError(page + " does not load");
  }

  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Waits until what was changed is on the screen. */
  void frame() {
    evaluate(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))");
  }

  /** The value of an expression or of the promise that it is. */
  JsonElement evaluate(String expression) {
    JsonObject result =
        call(
            "Runtime.evaluate",
            Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
    assertFalse(result.has("exceptionDetails"), result.toString());
    JsonElement value = result.getAsJsonObject("result").get("value");
    assertTrue(value != null, expression + " has no value");
    return value;
  }

  /** Text of an element. */
  String text(String selector) {
    return evaluate("document.querySelector('" + selector + "').textContent").getAsString();
  }

  /** A click in the middle of an element, which is scrolled into view. */
  void click(String selector) {
    evaluate("document.querySelector('" + selector + "').scrollIntoView({block: 'center'}) || 0");
    double[] box = box(selector);
    mouse("mousePressed", box[0] + box[2] / 2, box[1] + box[3] / 2, 1);
    mouse("mouseReleased", box[0] + box[2] / 2, box[1] + box[3] / 2, 0);
    frame();
  }

  /** Left, top, width and height in the window. */
  private double[] box(String selector) {
    JsonArray box =
        evaluate(
                "(b => [b.left, b.top, b.width, b.height])(document.querySelector('"
                    + selector
                    + "').getBoundingClientRect())")
            .getAsJsonArray();
    return new double[] {
      box.get(0).getAsDouble(),
      box.get(1).getAsDouble(),
      box.get(2).getAsDouble(),
      box.get(3).getAsDouble()
    };
  }

  /**
   * Draws a line with the pressed mouse or a finger.
   *
   * @param points [points][x, y], each from 0 to 1 of the element's width and height
   */
  void draw(String selector, double[][] points, boolean touch) {
    evaluate("document.querySelector('" + selector + "').scrollIntoView({block: 'center'}) || 0");
    double[] box = box(selector);
    for (int i = 0; i < points.length; i++) {
      double x = box[0] + points[i][0] * box[2];
      double y = box[1] + points[i][1] * box[3];
      if (touch) {
        touch(i == 0 ? "touchStart" : "touchMove", List.of(Map.of("x", x, "y", y)));
      } else {
        mouse(i == 0 ? "mousePressed" : "mouseMoved", x, y, 1);
      }
    }
    if (touch) {
      touch("touchEnd", List.of());
    } else {
      double[] last = points[points.length - 1];
      mouse("mouseReleased", box[0] + last[0] * box[2], box[1] + last[1] * box[3], 0);
    }
    frame();
  }

  private void touch(String type, List<?> points) {
    call("Input.dispatchTouchEvent", Map.of("type", type, "touchPoints", points));
  }

  private void mouse(String type, double x, double y, int buttons) {
    call(
        "Input.dispatchMouseEvent",
        Map.of(
            "type", type, "x", x, "y", y, "button", "left", "buttons", buttons, "clickCount", 1));
  }

  /** Presses and releases a key, with the control key where {@code modifiers} is 2. */
  void key(String key, int modifiers) {
    for (String type : List.of("rawKeyDown", "keyUp")) {
      call("Input.dispatchKeyEvent", Map.of("type", type, "key", key, "modifiers", modifiers));
    }
    frame();
  }

  /** The role and name of every element that a screen reader knows, as {@code role: name}. */
  List<String> accessible() {
    List<String> all = new ArrayList<>();
    JsonArray nodes = call("Accessibility.getFullAXTree", Map.of()).getAsJsonArray("nodes");
    for (JsonElement node : nodes) {
      all.add(value(node, "role") + ": " + value(node, "name"));
    }
    return all;
  }

  private static String value(JsonElement node, String name) {
    JsonElement property = node.getAsJsonObject().get(name);
    return property == null ? "" : property.getAsJsonObject().get("value").getAsString();
  }

  /** Processor time of the page's main thread so far, in milliseconds, by kind of work. */
  Map<String, Double> times() {
    Map<String, Double> times = new HashMap<>();
    for (JsonElement metric : call("Performance.getMetrics", Map.of()).getAsJsonArray("metrics")) {
      JsonObject one = metric.getAsJsonObject();
      times.put(one.get("name").getAsString(), 1000 * one.get("value").getAsDouble());
    }
    return times;
  }

  /** What the window shows, as PNG. */
  byte[] screenshot() {
    String png = call("Page.captureScreenshot", Map.of("format", "png")).get("data").getAsString();
    return Base64.getDecoder().decode(png);
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
