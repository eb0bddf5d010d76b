package zerofive.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.io.BytesWritable;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.mapred.SequenceFileOutputFormat;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.Tuple2;

/**
 * Writes the files below a folder, but for hidden ones, once more as {@code predict --format
 * parquet} and {@code sequence} read them; {@code scripts/test-spark} starts it.
 */
public final class ImageInputs {
  private ImageInputs() {}

  /** Arguments: the folder with images, the Parquet files' folder, the SequenceFiles' folder. */
  public static void main(String[] args) throws IOException {
    List<Row> rows = new ArrayList<>();
    try (Stream<Path> files = Files.walk(Path.of(args[0]))) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        if (!Files.isHidden(file)) {
          rows.add(RowFactory.create(file.toString(), Files.readAllBytes(file)));
        }
      }
    }
    StructType columns =
        new StructType().add("path", DataTypes.StringType).add("content", DataTypes.BinaryType);
    try (SparkSession session = SparkSession.builder().master("local[1]").getOrCreate()) {
      JavaRDD<Row> images =
          JavaSparkContext.fromSparkContext(session.sparkContext()).parallelize(rows, 8);
      session.createDataFrame(images, columns).write().parquet(args[1]);
      images
          .mapToPair(
              row -> new Tuple2<>(new Text(row.getString(0)), new BytesWritable(row.getAs(1))))
          .saveAsHadoopFile(
              args[2], Text.class, BytesWritable.class, SequenceFileOutputFormat.class);
    }
  }
}
