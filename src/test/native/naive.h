#pragma once

#include <math.h>

#include <vector>

#include "../../../kernels/element_math.h"
#include "../../../native/native.h"

// A net with convolutions, trained by plain loops in the order that docs/determinism.md gives to each sum: what the
// native session is compared with, bit for bit.
class NaiveNet {
 public:
  using Values = std::vector<float>;

  // shapes: WINDOW_SHAPE numbers of each layer, height, width, channels, outputs, kernel, stride, border.
  NaiveNet(const std::vector<int32_t>& shapes, int loss, int kind, float momentum, float decay)
      : loss_(loss), kind_(kind), momentum_(momentum), decay_(decay) {
    int count = (int)shapes.size() / zerofive::WINDOW_SHAPE;
    for (int l = 0; l < count; l++) {
      const int32_t* s = shapes.data() + l * zerofive::WINDOW_SHAPE;
      layers_.push_back({s[0], s[1], s[2], s[3], s[4], s[5], s[6], l + 1 == count});
    }
  }

  // Of all layers: each one's weights [outputs, inputs], then its bias.
  Values parameters, first, second;

  int64_t parameter_count() const {
    int64_t sum = 0;
    for (const Layer& layer : layers_) sum += layer.outputs * (layer.inputs() + 1);
    return sum;
  }

  // One step over a batch of images, [height, width] bytes each, moved by shifts.
  void step(
      const std::vector<const uint8_t*>& images, const std::vector<int32_t>& shifts,
      const std::vector<int32_t>& targets, const float* step_parameters) {
    int64_t rows = (int64_t)images.size();
    std::vector<std::vector<Values>> values(layers_.size() + 1, std::vector<Values>(rows));
    std::vector<std::vector<Values>> deltas = values;
    for (int64_t r = 0; r < rows; r++) forward(images[r], shifts[r], r, values);
    for (int64_t r = 0; r < rows; r++) {
      const Values& z = values[layers_.size()][r];
      Values& d = deltas[layers_.size()][r];
      if (loss_ != LOSS_CROSS_ENTROPY) {
        d = {binary_loss_grad(loss_, z[0], targets[r]) / (float)rows};
        continue;
      }
      SoftmaxRow row = softmax_row(z.data(), (int)z.size());
      for (int j = 0; j < (int)z.size(); j++) {
        d.push_back(softmax_grad(row, z.data(), targets[r], j) / (float)rows);
      }
    }
    int64_t offset = parameter_count();
    Values gradient(offset);
    for (int l = (int)layers_.size() - 1; l >= 0; l--) {
      const Layer& layer = layers_[l];
      offset -= layer.outputs * (layer.inputs() + 1);
      layer_gradient(layer, values[l], deltas[l + 1], gradient.data() + offset);
      for (int64_t r = 0; r < rows && l > 0; r++) {
        deltas[l][r] = delta(layer, parameters.data() + offset, values[l][r], deltas[l + 1][r]);
      }
    }
    for (int64_t i = 0; i < (int64_t)gradient.size(); i++) update(i, gradient[i], step_parameters);
  }

  Values logits(const uint8_t* image) const {
    std::vector<std::vector<Values>> values(layers_.size() + 1, std::vector<Values>(1));
    forward(image, 0, 0, values);
    return values.back()[0];
  }

 private:
  struct Layer {
    int64_t height, width, channels, outputs, kernel, stride, border;
    bool is_last;
    int64_t inputs() const { return kernel * kernel * channels; }
    bool is_dense() const { return height == 1 && width == 1 && kernel == 1; }
    int64_t output_height() const { return (height + 2 * border - kernel) / stride + 1; }
    int64_t output_width() const { return (width + 2 * border - kernel) / stride + 1; }
    int64_t positions() const { return output_height() * output_width(); }

    // Where the value of input i is at a position; -1 outside of the image.
    int64_t at(int64_t position, int64_t i) const {
      int64_t y = position / output_width() * stride + i / channels / kernel - border;
      int64_t x = position % output_width() * stride + i / channels % kernel - border;
      return y < 0 || y >= height || x < 0 || x >= width ? -1 : (y * width + x) * channels + i % channels;
    }
  };

  void forward(const uint8_t* image, int32_t shift, int64_t r, std::vector<std::vector<Values>>& values) const {
    const Layer& first_layer = layers_[0];
    for (int64_t y = 0; y < first_layer.height; y++) {
      for (int64_t x = 0; x < first_layer.width; x++) {
        int64_t v = y - shift_y(shift), u = x - shift_x(shift);
        bool exists = v >= 0 && v < first_layer.height && u >= 0 && u < first_layer.width;
        values[0][r].push_back(exists ? normalized(image[v * first_layer.width + u]) : 0.0f);
      }
    }
    const float* weights = parameters.data();
    for (size_t l = 0; l < layers_.size(); l++) {
      const Layer& layer = layers_[l];
      const Values& x = values[l][r];
      for (int64_t p = 0; p < layer.positions(); p++) {
        for (int64_t o = 0; o < layer.outputs; o++) {
          int64_t chain_count = layer.is_last ? 16 : 1;
          float chains[16] = {};
          for (int64_t i = 0; i < layer.inputs(); i++) {
            int64_t at = layer.at(p, i);
            float& chain = chains[i % chain_count];
            chain = fmaf(at < 0 ? 0.0f : x[at], weights[o * layer.inputs() + i], chain);
          }
          for (int64_t stride = chain_count / 2; stride > 0; stride /= 2) {
            for (int64_t c = 0; c < stride; c++) chains[c] += chains[c + stride];
          }
          float z = chains[0] + weights[layer.outputs * layer.inputs() + o];
          values[l + 1][r].push_back(layer.is_last ? z : activated(ACTIVATION_RELU, z));
        }
      }
      weights += layer.outputs * (layer.inputs() + 1);
    }
  }

  static Values delta(const Layer& layer, const float* weights, const Values& x, const Values& output_delta) {
    Values result(x.size(), 0.0f);
    for (int64_t tap = 0; tap < layer.kernel * layer.kernel; tap++) {
      for (int64_t p = 0; p < layer.positions(); p++) {
        for (int64_t i = tap * layer.channels; i < (tap + 1) * layer.channels; i++) {
          if (layer.at(p, i) < 0) continue;
          float chain = 0.0f;
          for (int64_t o = 0; o < layer.outputs; o++) {
            chain = fmaf(output_delta[p * layer.outputs + o], weights[o * layer.inputs() + i], chain);
          }
          result[layer.at(p, i)] += chain;
        }
      }
    }
    for (size_t v = 0; v < x.size(); v++) result[v] = activation_backward(ACTIVATION_RELU, x[v], result[v]);
    return result;
  }

  static void layer_gradient(
      const Layer& layer, const std::vector<Values>& values, const std::vector<Values>& deltas, float* gradient) {
    int64_t rows = (int64_t)values.size();
    int64_t group = layer.is_dense() ? rows : 1;
    while (!layer.is_dense() && group * layer.positions() < 128) group *= 2;
    for (int64_t o = 0; o < layer.outputs; o++) {
      // Input number inputs() stands for the bias.
      for (int64_t i = 0; i <= layer.inputs(); i++) {
        bool is_bias = i == layer.inputs();
        float& sum = gradient[is_bias ? layer.outputs * layer.inputs() + o : o * layer.inputs() + i];
        for (int64_t first_row = 0; first_row < rows; first_row += group) {
          float chain = 0.0f;
          for (int64_t r = first_row; r < rows && r < first_row + group; r++) {
            for (int64_t p = 0; p < layer.positions(); p++) {
              float d = deltas[r][p * layer.outputs + o];
              int64_t at = is_bias ? 0 : layer.at(p, i);
              chain = is_bias ? chain + d : fmaf(at < 0 ? 0.0f : values[r][at], d, chain);
            }
          }
          sum = first_row == 0 ? chain : sum + chain;
        }
      }
    }
  }

  void update(int64_t i, float g, const float* step_parameters) {
    float& w = parameters[i];
    if (kind_ == zerofive::OPTIMIZER_SGD) {
      g = add_weight_decay(g, w, decay_);
      if (momentum_ != 0.0f) g = first[i] = momentum_update(first[i], g, momentum_);
      w = sgd_step(w, g, step_parameters[0]);
      return;
    }
    bool decoupled = kind_ == zerofive::OPTIMIZER_ADAMW;
    float weight = decoupled ? step_parameters[3] * w : w;
    if (!decoupled) g = add_weight_decay(g, weight, decay_);
    first[i] = adam_first_moment(first[i], g);
    second[i] = adam_second_moment(second[i], g);
    w = adam_step(weight, first[i], second[i], step_parameters[1], step_parameters[2]);
  }

  std::vector<Layer> layers_;
  const int loss_, kind_;
  const float momentum_, decay_;
};
