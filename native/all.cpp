// The ops of one instruction set: compiled once for each, with -DINSTRUCTION_SET=name and the compiler's flags for it.
// Uses nothing of the C++ library that would leave a copy of itself, compiled for one CPU, to be linked into the code
// for the others.
#include "native.h"

// clang-format off
#include "gather.cpp"
#include "gemm.cpp"
#include "bias_activation.cpp"
#include "loss.cpp"
#include "evaluate.cpp"
#include "activation_gradient.cpp"
#include "bias_gradient.cpp"
#include "unfold.cpp"
#include "update.cpp"
#include "images.cpp"
#include "shifts.cpp"
#include "sparse.cpp"
#include "window.cpp"
#include "net.cpp"
#include "linear.cpp"
#include "session.cpp"
#include "peak.cpp"
// clang-format on

#define TEXT(name) TEXT_OF(name)
#define TEXT_OF(name) #name
#define JOINED(a, b) JOINED_OF(a, b)
#define JOINED_OF(a, b) a##b

namespace zerofive {

extern const Kernels JOINED(kernels_, INSTRUCTION_SET) = {
    TEXT(INSTRUCTION_SET),
    INSTRUCTION_SET::gather,
    INSTRUCTION_SET::gather_shifted,
    INSTRUCTION_SET::gemm,
    INSTRUCTION_SET::bias_activation,
    INSTRUCTION_SET::loss,
    INSTRUCTION_SET::evaluate,
    INSTRUCTION_SET::activation_gradient,
    INSTRUCTION_SET::bias_gradient,
    INSTRUCTION_SET::unfold,
    INSTRUCTION_SET::fold,
    INSTRUCTION_SET::update,
    INSTRUCTION_SET::create_session,
    INSTRUCTION_SET::set_train,
    INSTRUCTION_SET::set_valid,
    INSTRUCTION_SET::set_session_values,
    INSTRUCTION_SET::get_session_values,
    INSTRUCTION_SET::set_shifts,
    INSTRUCTION_SET::train_epoch,
    INSTRUCTION_SET::evaluate_valid,
    INSTRUCTION_SET::get_logits,
    INSTRUCTION_SET::destroy_session,
    INSTRUCTION_SET::multiply_adds,
    INSTRUCTION_SET::copy_memory,
};

}  // namespace zerofive
