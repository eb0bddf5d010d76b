package zerofive.files;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;

/**
 * JSON as every part of the program reads and writes it. Records are written under the names of
 * their components, {@code validLoss} as {@code valid_loss}; a component that is null is left out.
 */
public final class Json {
  /** Made at first use: it costs milliseconds, and a training writes no record. */
  private static final class Records {
    static final Gson GSON =
        new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .registerTypeAdapter(double.class, new FiniteOrNull())
            .registerTypeAdapter(Double.class, new FiniteOrNull())
            .create();
  }

  /** Made once: predict writes a line for each image. */
  private static final class Lines {
    static final Gson GSON = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
  }

  /** JSON knows no NaN and no infinity. */
  private static final class FiniteOrNull extends TypeAdapter<Double> {
    @Override
    public void write(JsonWriter out, Double value) throws IOException {
      if (value == null) {
        out.nullValue();
      } else if (Double.isFinite(value)) {
        out.value(value);
      } else {
        boolean before = out.getSerializeNulls();
        out.setSerializeNulls(true);
        out.nullValue();
        out.setSerializeNulls(before);
      }
    }

    @Override
    public Double read(JsonReader in) throws IOException {
      return in.nextDouble();
    }
  }

  private Json() {}

  /**
   * Parses an object. Gson's reader refuses what is nested deeper than 255 levels, so that a file
   * cannot exhaust the stack.
   *
   * @throws IllegalArgumentException where the text is anything else
   */
  public static JsonObject parse(String text) {
    try {
      if (JsonParser.parseString(text) instanceof JsonObject object) {
        return object;
      }
    } catch (JsonParseException e) {
      throw new IllegalArgumentException("it is not a JSON object", e);
    }
    throw new IllegalArgumentException("it is not a JSON object");
  }

  /** A record, or a list or map of them, as an element; a double that is not finite is null. */
  public static JsonElement of(Object value) {
    return Records.GSON.toJsonTree(value);
  }

  /** On a line of its own, with null where a value is null. */
  public static String line(JsonElement json) {
    return Lines.GSON.toJson(json);
  }

  /** As a file that people read, with a line break at its end. */
  public static String file(JsonElement json) {
    return new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(json) + "\n";
  }
}
