package zerofive.backend.jvm;

import static zerofive.backend.jvm.Columns.BLOCK_ROWS;

import java.util.Arrays;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingPlan;

/**
 * Training of a net, or of a linear model with several logits, in blocks of 256 rows (of fewer with
 * convolutions) with two jobs for the team each. The forward and backward pass is shared out by
 * rows of the batch; gradients and the update by the inputs of a layer. No sum is split between
 * threads.
 */
final class NetTraining {
  /** Pixels of a block of large images that are transposed at a time. */
  private static final int PIXELS_AT_ONCE = 4096;

  private final Team team;
  private final TrainingPlan plan;
  private final Model model;
  private final SparseImages images;

  /** The first pixel of each member's part, and behind the last their number. */
  private final int[] bounds;

  /** What each layer puts out, and the gradients at it: [rows of a block][layers][outputs]. */
  private final float[][][] h = new float[BLOCK_ROWS][][];

  private final float[][][] d = new float[BLOCK_ROWS][][];

  /** The same gradients by layer: [layers][rows][outputs]. */
  private final float[][][] deltas;

  /** What each layer puts out, by layer: [layers][rows][outputs]. */
  private final float[][][] outputs;

  /** Rows of a block: whole groups of every convolution. */
  private final int blockRows;

  private final float[] losses = new float[BLOCK_ROWS];
  private final SparseImages.Row[] rows = new SparseImages.Row[BLOCK_ROWS];
  private final Member[] members;

  /** The order of the last epoch without shifts; when it comes again, its columns are cached. */
  private int[] cachedOrder;

  /** The columns of each block, one entry for each member; null where they are not cached. */
  private Columns[][] cachedColumns;

  /** What one thread writes. */
  private static final class Member {
    final Chains chains;
    final Convolution[] windows;
    final SparseImages.Row row = new SparseImages.Row();
    final Columns columns = new Columns();
    final float[] factors = new float[BLOCK_ROWS];
    SparseImages.Row[] rows;

    Member(Chains chains, Convolution[] windows) {
      this.chains = chains;
      this.windows = windows;
    }
  }

  /** One block of a batch, and its place in it. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Block(
      int[] order,
      int[] shifts,
      int first,
      int count,
      int batchRows,
      boolean isFirst,
      boolean isLast,
      float[] stepParameters,
      int step,
      Columns[] cached) {
    int image(int r) {
      return order[first + r];
    }

    int shift(int r) {
      return shifts == null ? 0 : shifts[image(r)];
    }
  }

  NetTraining(Team team, TrainingPlan plan, Model model, SparseImages images) {
    this.team = team;
    this.plan = plan;
    this.model = model;
    this.images = images;
    bounds = images.bounds(team.members());
    int layers = model.layers.length;
    blockRows =
        model.convolutions() == 0
            ? BLOCK_ROWS
            : Arrays.stream(model.windows()).mapToInt(Convolution::group).reduce(64, Math::max);
    deltas = new float[layers][BLOCK_ROWS][];
    outputs = new float[layers][BLOCK_ROWS][];
    for (int r = 0; r < blockRows; r++) {
      rows[r] = new SparseImages.Row();
      h[r] = model.activations();
      d[r] = model.activations();
      for (int l = 0; l < layers; l++) {
        outputs[l][r] = h[r][l];
        deltas[l][r] = d[r][l];
      }
    }
    members = new Member[team.members()];
    for (int m = 0; m < members.length; m++) {
      members[m] = new Member(model.chains(), model.windows());
    }
  }

  /**
   * Takes every step of an epoch.
   *
   * @param order [images], every image number once
   * @param shifts [images], how far each is moved; null where they stay where they are
   * @param stepParameters a row for each step
   * @param lossSums [steps], receives the sum of each step's losses
   */
  void train(int[] order, int[] shifts, float[] stepParameters, double[] lossSums) {
    boolean isRepeated = shifts == null && Arrays.equals(order, cachedOrder);
    if (shifts == null && !isRepeated) {
      cachedOrder = order.clone();
      cachedColumns = null;
    }
    if (isRepeated && cachedColumns == null && model.convolutions() == 0 && isWorthCaching()) {
      cachedColumns = new Columns[blocks()][members.length];
    }
    int number = 0;
    for (int step = 0; step < lossSums.length; step++) {
      int start = step * plan.batchSize();
      int batchRows = plan.rows(step, order.length);
      Losses sum = new Losses();
      for (int at = 0; at < batchRows; at += blockRows) {
        int count = Math.min(blockRows, batchRows - at);
        Block block =
            new Block(
                order,
                shifts,
                start + at,
                count,
                batchRows,
                at == 0,
                at + count == batchRows,
                stepParameters,
                step,
                isRepeated && cachedColumns != null ? cachedColumns[number] : null);
        team.run(member -> forwardBackward(members[member], member, block));
        team.run(member -> updateWeights(members[member], member, block));
        sum.add(losses, count);
        number++;
      }
      lossSums[step] = sum.total();
    }
  }

  private int blocks() {
    int blocks = 0;
    for (int step = 0; step < plan.stepsPerEpoch(images.count()); step++) {
      blocks += (plan.rows(step, images.count()) + BLOCK_ROWS - 1) / BLOCK_ROWS;
    }
    return blocks;
  }

  /** The columns of a large set take too much memory. */
  private boolean isWorthCaching() {
    long values = images.isStored() ? images.entries() + (long) blocks() * images.inputs() : 0;
    return images.isStored() && values * Integer.BYTES < Runtime.getRuntime().maxMemory() / 8;
  }

  /** One member's rows of the block, forward and backward. */
  private void forwardBackward(Member own, int member, Block block) {
    int last = model.layers.length - 1;
    int end = team.start(block.count(), member + 1);
    for (int r = team.start(block.count(), member); r < end; r++) {
      SparseImages.Row row = images.isStored() ? rows[r] : own.row;
      images.row(block.image(r), block.shift(r), row);
      model.forward(row, own.chains, own.windows, h[r]);
      losses[r] =
          Losses.lossAndGradient(
              plan.loss(),
              h[r][last],
              images.target(block.image(r)),
              block.batchRows(),
              d[r][last]);
      model.backward(own.windows, h[r], d[r]);
    }
  }

  /** One member's part of the gradients and of the update: some inputs of each layer. */
  private void updateWeights(Member own, int member, Block block) {
    for (int l = model.layers.length - 1; l >= Math.max(1, model.convolutions()); l--) {
      Layer layer = model.layers[l];
      int start = team.start(layer.weights.length, member);
      int end = team.start(layer.weights.length, member + 1);
      updateRows(own, l, start, end, block);
      if (block.isLast() && layer.isByInput) {
        layer.transpose(start, end);
      }
    }
    if (model.convolutions() > 0) {
      updateWindows(own, member, block);
    } else {
      updateFirstLayer(own, member, block);
    }
    if (member == 0) {
      updateBiases(block);
    }
  }

  /** One member's part of the gradients and of the update of each convolution: some inputs. */
  private void updateWindows(Member own, int member, Block block) {
    for (int l = 0; l < own.windows.length; l++) {
      Layer layer = model.layers[l];
      int start = team.start(layer.inputs, member);
      int end = team.start(layer.inputs, member + 1);
      int group = own.windows[l].group();
      for (int r = 0; r < block.count() && start < end; r += group) {
        int to = Math.min(r + group, block.count());
        own.windows[l].gradient(
            l == 0 ? groupImages(own, block, r, to) : Arrays.copyOfRange(outputs[l - 1], r, to),
            Arrays.copyOfRange(deltas[l], r, to),
            layer,
            start,
            end,
            block.isFirst() && r == 0);
      }
      for (int i = start; i < end && block.isLast(); i++) {
        layer.updateRow(plan.optimizer(), i, block.stepParameters(), block.step());
      }
      if (block.isLast() && start == 0 && end > 0) {
        layer.updateBias(plan.optimizer(), block.stepParameters(), block.step());
      }
      if (block.isLast()) {
        layer.transpose(start, end);
      }
    }
  }

  /** The rows [start, end) of a block as the first convolution reads them. */
  private float[][] groupImages(Member own, Block block, int start, int end) {
    float[][] group = new float[end - start][];
    for (int r = start; r < end; r++) {
      images.row(block.image(r), block.shift(r), own.row);
      group[r - start] = own.windows[0].image(own.row);
    }
    return group;
  }

  /** One member's part of the gradients and of the update of the first layer: some pixels. */
  private void updateFirstLayer(Member own, int member, Block block) {
    int p0 = bounds[member];
    int p1 = bounds[member + 1];
    if (images.isStored()) {
      updatePixels(own, columns(own, member, block, p0, p1), p0, p1, block);
    } else {
      for (int first = p0; first < p1; first += PIXELS_AT_ONCE) {
        int end = Math.min(p1, first + PIXELS_AT_ONCE);
        scan(own, block, first, end);
        own.columns.fill(own.rows, block.count(), first, end);
        updatePixels(own, own.columns, first, end, block);
      }
    }
  }

  private void scan(Member own, Block block, int p0, int p1) {
    if (own.rows == null) {
      own.rows = new SparseImages.Row[BLOCK_ROWS];
      Arrays.setAll(own.rows, r -> new SparseImages.Row());
    }
    for (int r = 0; r < block.count(); r++) {
      images.scan(block.image(r), block.shift(r), p0, p1, own.rows[r]);
    }
  }

  private Columns columns(Member own, int member, Block block, int p0, int p1) {
    if (block.cached() != null && block.cached()[member] != null) {
      return block.cached()[member];
    }
    own.columns.fill(rows, block.count(), p0, p1);
    if (block.cached() != null) {
      block.cached()[member] = own.columns.copy(p1 - p0);
    }
    return own.columns;
  }

  /** The rows [start, end) of the weights of a layer that has another below it. */
  private void updateRows(Member own, int l, int start, int end, Block block) {
    Layer layer = model.layers[l];
    float[][][] factors = layer.isByInput ? outputs : deltas;
    float[][] factorRows = factors[layer.isByInput ? l - 1 : l];
    float[][] summed = layer.isByInput ? deltas[l] : outputs[l - 1];
    for (int i = start; i < end; i++) {
      for (int r = 0; r < block.count(); r++) {
        own.factors[r] = factorRows[r][i];
      }
      if (block.isFirst()) {
        Arrays.fill(layer.gradient[i], 0);
      }
      Chains.addProducts(own.factors, summed, block.count(), layer.gradient[i]);
      if (block.isLast()) {
        layer.updateRow(plan.optimizer(), i, block.stepParameters(), block.step());
      }
    }
  }

  /** The weights of the pixels [p0, p1) of the first layer. */
  private void updatePixels(Member own, Columns columns, int p0, int p1, Block block) {
    Layer layer = model.layers[0];
    boolean isWhole = block.isFirst() && block.isLast();
    boolean isPlain = plan.optimizer().equals(Optimizer.sgd());
    for (int p = p0; p < p1; p++) {
      int start = columns.start(p - p0);
      int end = columns.start(p - p0 + 1);
      // Plain gradient descent changes nothing where the gradient is zero.
      if (start == end && isPlain && isWhole) {
        continue;
      }
      own.chains.columnGradient(
          columns.entries(), start, end, deltas[0], layer.gradient[p], block.isFirst());
      if (block.isLast()) {
        layer.updateRow(plan.optimizer(), p, block.stepParameters(), block.step());
      }
    }
  }

  /** Sums the rows of the gradient of every fully connected layer and updates the biases. */
  private void updateBiases(Block block) {
    for (int l = model.convolutions(); l < model.layers.length; l++) {
      Layer layer = model.layers[l];
      if (block.isFirst()) {
        Arrays.fill(layer.biasGradient, 0);
      }
      for (int r = 0; r < block.count(); r++) {
        Chains.add(layer.biasGradient, deltas[l][r]);
      }
      if (block.isLast()) {
        layer.updateBias(plan.optimizer(), block.stepParameters(), block.step());
      }
    }
  }
}
