package zerofive.spark;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.SEED;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import zerofive.cli.option.UsageException;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.train.Recipe;

/**
 * The trainings of a grid: each row with every pair of classes and every seed.
 *
 * @param columns of the grid, then {@code classes} and {@code seed} where it has none of them
 * @param trainings in the order of the rows, then pairs, then seeds
 */
record Sweep(List<String> columns, List<Training> trainings) {
  private static final long MAX_TRAININGS = 400_000;

  /**
   * One training.
   *
   * @param recipe its settings
   * @param cells one for each column
   */
  record Training(Recipe recipe, List<String> cells) {}

  /**
   * Crosses a grid with classes and seeds.
   *
   * @param base settings that the grid does not set
   * @param data with all classes that may occur
   * @param seeds of each, counted on from its seed
   * @throws UsageException where a row asks for what cannot be
   */
  static Sweep of(Grid grid, Recipe base, DataSet data, int seeds) {
    List<String> columns = new ArrayList<>(grid.columns());
    for (String crossed : List.of(CLASSES.name(), SEED.name())) {
      if (!columns.contains(crossed)) {
        columns.add(crossed);
      }
    }
    for (String name : results().fieldNames()) {
      if (columns.contains(name)) {
        throw new UsageException(
            "the grid has a column " + name + ", as the results have; call it otherwise");
      }
    }
    long[] images = images(data);
    List<Training> trainings = new ArrayList<>();
    for (int row = 0; row < grid.rows().size(); row++) {
      Recipe recipe = grid.recipe(base, row);
      for (List<String> classes : classes(grid.columns().contains(CLASSES.name()), recipe, data)) {
        for (int seed = 0; seed < seeds; seed++) {
          Map<String, String> cells = new LinkedHashMap<>();
          for (String column : columns) {
            cells.put(column, grid.cell(row, column));
          }
          Recipe own =
              recipe.with(CLASSES, new ClassFilter(classes)).with(SEED, recipe.get(SEED) + seed);
          cells.put(CLASSES.name(), String.join(",", classes));
          cells.put(SEED.name(), String.valueOf(own.get(SEED)));
          trainings.add(new Training(checked(own, row, data, images), List.copyOf(cells.values())));
          if (trainings.size() > MAX_TRAININGS) {
            throw new UsageException(
                "the grid, classes and seeds make more than " + MAX_TRAININGS + " trainings");
          }
        }
      }
    }
    return new Sweep(List.copyOf(columns), trainings);
  }

  private static long[] images(DataSet data) {
    long[] images = new long[data.classes().size()];
    for (int target : data.train().targets()) {
      images[target]++;
    }
    return images;
  }

  /** The classes of a row's trainings: those of its column, else every pair of the data's. */
  private static List<List<String>> classes(boolean areNamed, Recipe recipe, DataSet data) {
    List<String> all = data.classes();
    if (areNamed) {
      List<String> named = recipe.get(CLASSES).names();
      for (String name : named) {
        if (!all.contains(name)) {
          throw new UsageException(
              "the grid asks for class " + name + ", and " + data.name() + " has " + all);
        }
      }
      return List.of(named.isEmpty() ? all : named);
    }
    List<List<String>> pairs = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      for (int j = i + 1; j < all.size(); j++) {
        pairs.add(List.of(all.get(i), all.get(j)));
      }
    }
    return pairs;
  }

  private static Recipe checked(Recipe recipe, int row, DataSet data, long[] images) {
    long count = 0;
    for (String name : recipe.get(CLASSES).names()) {
      count += images[data.classes().indexOf(name)];
    }
    try {
      return recipe.checked().forImages((int) count, data.train().shape());
    } catch (IllegalArgumentException e) {
      throw new UsageException("row " + (row + 1) + " of the grid: " + e.getMessage(), e);
    }
  }

  /** The trainings for executors. */
  List<TrainingJob.Task> tasks() {
    List<TrainingJob.Task> tasks = new ArrayList<>();
    for (int i = 0; i < trainings.size(); i++) {
      tasks.add(new TrainingJob.Task(i, trainings.get(i).recipe().toJson()));
    }
    return tasks;
  }

  /** The columns that every result has. */
  static StructType results() {
    return new StructType()
        .add("errors", DataTypes.IntegerType)
        .add("images", DataTypes.IntegerType)
        .add("accuracy", DataTypes.DoubleType)
        .add("train_loss", DataTypes.DoubleType)
        .add("valid_loss", DataTypes.DoubleType)
        .add("seconds", DataTypes.DoubleType)
        .add("model_sha256", DataTypes.StringType)
        .add("device", DataTypes.StringType)
        .add("executor", DataTypes.StringType)
        .add("error", DataTypes.StringType);
  }

  /** The columns of the sweep, as text, and those of results. */
  StructType schema() {
    StructType schema = new StructType();
    for (String column : columns) {
      schema = schema.add(column, DataTypes.StringType);
    }
    for (StructField field : results().fields()) {
      schema = schema.add(field);
    }
    return schema;
  }

  /** A row of {@link #schema}; what there is no result of is null. */
  static Row row(List<String> cells, TrainingRow result) {
    List<Object> values = new ArrayList<>(cells);
    boolean has = result.hasResult();
    values.add(has ? result.errors() : null);
    values.add(has ? result.images() : null);
    values.add(has ? result.accuracy() : null);
    values.add(has ? result.trainLoss() : null);
    values.add(has ? result.validLoss() : null);
    values.add(has ? result.seconds() : null);
    values.add(result.modelSha256());
    values.add(result.device() == null ? null : result.device().device());
    values.add(result.device() == null ? null : result.device().executor());
    values.add(result.error());
    return RowFactory.create(values.toArray());
  }
}
