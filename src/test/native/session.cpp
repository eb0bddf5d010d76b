// The native session as a program of its own, which another compiler may build for another machine: it does what
// NativeProgram.java asks for on standard input and answers on standard output, in numbers of this machine.
//
//   session SET THREADS      (SET: 0 portable, 1 AVX2, 2 AVX-512)
#include <stdio.h>
#include <stdlib.h>

#include <vector>

#include "../../../native/native.h"
#include "crew.h"

using namespace zerofive;

namespace {

void require(bool right, const char* what) {
  if (right) return;
  fprintf(stderr, "session: %s\n", what);
  exit(1);
}

template <typename T>
std::vector<T> read(int64_t count) {
  std::vector<T> values(count);
  require(fread(values.data(), sizeof(T), count, stdin) == (size_t)count, "the input ends too early");
  return values;
}

template <typename T>
T read() {
  return read<T>(1)[0];
}

template <typename T>
void write(const std::vector<T>& values) {
  require(
      fwrite(values.data(), sizeof(T), values.size(), stdout) == values.size() && fflush(stdout) == 0,
      "the output cannot be written");
}

struct Images {
  int64_t count;
  std::vector<uint8_t> pixels;
  std::vector<int32_t> targets;
};

Images read_images(int64_t inputs) {
  int64_t count = read<int32_t>();
  std::vector<uint8_t> pixels = read<uint8_t>(count * inputs);
  return {count, pixels, read<int32_t>(count)};
}

}  // namespace

int main(int, char** arguments) {
  int set = atoi(arguments[1]);
  require(choose_kernels(set) == set, "this machine has not got the instruction set");
  const Kernels& k = *kernels;
  Crew crew(atoi(arguments[2]));

  int32_t layers = read<int32_t>();
  std::vector<int32_t> windows = read<int32_t>(layers * WINDOW_SHAPE);
  int32_t loss = read<int32_t>();
  int32_t optimizer = read<int32_t>();
  float momentum = read<float>();
  float decay = read<float>();
  int64_t batch = read<int32_t>();
  int32_t height = read<int32_t>();
  int64_t inputs = (int64_t)windows[0] * windows[1] * windows[2];
  int32_t outputs = windows[(layers - 1) * WINDOW_SHAPE + 3];
  Images train = read_images(inputs);
  Images valid = read_images(inputs);
  int64_t steps = (train.count + batch - 1) / batch;
  int64_t parameters = 0;
  for (const int32_t* w = windows.data(); w < windows.data() + windows.size(); w += WINDOW_SHAPE) {
    parameters += ((int64_t)w[4] * w[4] * w[2] + 1) * w[3];
  }

  Session* session = k.create_session(crew.team, windows.data(), layers, loss, optimizer, momentum, decay, batch);
  require(
      session != nullptr && k.set_train(session, train.pixels.data(), train.targets.data(), train.count, 0) &&
          k.set_valid(session, valid.pixels.data(), valid.targets.data(), 0, valid.count),
      "the memory is too small");
  // One character for each request, then what it needs.
  for (int request; (request = getchar()) != EOF;) {
    if (request == 'p') {
      int32_t value_kind = read<int32_t>();
      k.set_values(session, value_kind, read<float>(parameters).data(), 0);
    } else if (request == 'g') {
      std::vector<float> values(parameters);
      k.get_values(session, read<int32_t>(), values.data(), 0);
      write(values);
    } else if (request == 't') {
      std::vector<int32_t> order = read<int32_t>(train.count);
      std::vector<float> step_parameters = read<float>(steps * STEP_PARAMETERS);
      std::vector<int32_t> shifts = read<int32_t>(read<int32_t>());
      std::vector<double> loss_sums(steps);
      require(
          k.set_shifts(session, shifts.empty() ? nullptr : shifts.data(), height, (int)(inputs / height)),
          "the memory is too small");
      k.train_epoch(session, order.data(), step_parameters.data(), loss_sums.data());
      write(loss_sums);
    } else {
      require(request == 'e', "an unknown request");
      std::vector<double> metrics(2);
      std::vector<float> logits(valid.count * outputs);
      k.evaluate_valid(session, metrics.data());
      k.get_logits(session, logits.data(), 0);
      write(metrics);
      write(logits);
    }
  }
  k.destroy_session(session);
}
