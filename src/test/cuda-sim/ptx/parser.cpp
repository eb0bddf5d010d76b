// From the text of a module to its kernels. What nvcc writes is read; the rest is refused by a sentence with its line.
#include <ctype.h>
#include <string.h>

#include <algorithm>
#include <set>

#include "ptx.h"

namespace ptx {

namespace {

bool is_name(char c) { return isalnum((unsigned char)c) || c == '_' || c == '$' || c == '%'; }

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t at = 0;
  while (at <= text.size()) {
    size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string trimmed(const std::string& text) {
  size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

struct Symbol {
  Space space;
  size_t offset;
  size_t bytes;
};

// The statements of a text, without comments.
class Scanner {
 public:
  explicit Scanner(const std::string& text) : text(text) {}
  int line() const { return now; }

  [[noreturn]] void fail(const std::string& sentence) const { throw Error{now, sentence}; }

  // Skips blanks and comments; whether something follows.
  bool more() {
    while (at < text.size()) {
      if (text.compare(at, 2, "//") == 0) {
        while (at < text.size() && text[at] != '\n') at++;
      } else if (text.compare(at, 2, "/*") == 0) {
        size_t end = text.find("*/", at);
        if (end == std::string::npos) fail("a comment without an end");
        while (at < end + 2) step();
      } else if (isspace((unsigned char)text[at])) {
        step();
      } else {
        return true;
      }
    }
    return false;
  }

  char next() { return more() ? text[at] : '\0'; }

  bool take(char c) {
    if (next() != c) return false;
    step();
    return true;
  }

  void expect(char c) {
    if (!take(c)) fail(std::string("expected ") + c);
  }

  // Letters, digits, dots and what else may stand in a directive's or an instruction's name.
  std::string word() {
    std::string found;
    more();
    while (at < text.size() && (is_name(text[at]) || text[at] == '.' || text[at] == ':')) {
      if (text[at] == ':' && (found.empty() || found[0] == '$' || text.compare(at, 2, "::") != 0)) break;
      if (text[at] == ':') found += text[at++];
      found += text[at++];
    }
    return found;
  }

  // Up to one of the characters, which is left.
  std::string until(const char* ends) {
    std::string found;
    while (more() && !is_one_of(ends, text[at])) {
      size_t begin = at;
      while (at < text.size() && !isspace((unsigned char)text[at]) && !is_one_of(ends, text[at])) at++;
      found += text.substr(begin, at - begin);
      if (at < text.size() && isspace((unsigned char)text[at])) found += ' ';
    }
    if (at >= text.size()) fail("the text ends within a statement");
    return trimmed(found);
  }

  void skip_line() {
    while (at < text.size() && text[at] != '\n') at++;
  }

 private:
  const std::string& text;
  size_t at = 0;
  int now = 1;

  static bool is_one_of(const char* ends, char c) {
    for (; *ends != '\0'; ends++) {
      if (*ends == c) return true;
    }
    return false;
  }

  void step() {
    if (text[at] == '\n') now++;
    at++;
  }
};

uint64_t rounded_up(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

class Parser {
 public:
  explicit Parser(const std::string& text)
      : scan(text), most_instructions((size_t)std::count(text.begin(), text.end(), ';')) {}

  std::shared_ptr<Module> module() {
    auto made = std::make_shared<Module>();
    while (scan.more()) {
      int line = scan.line();
      std::string word = scan.word();
      if (word == ".version" || word == ".target" || word == ".address_size" || word == ".file" || word == ".loc") {
        scan.skip_line();
      } else if (word == ".visible" || word == ".weak" || word == ".extern") {
        external = word == ".extern";
      } else if (word == ".shared" || word == ".const") {
        declare(word == ".shared" ? Space::SHARED : Space::CONSTANT);
      } else if (word == ".entry") {
        auto kernel = entry();
        made->kernels[kernel->name] = kernel;
      } else {
        throw Error{line, "unknown directive " + (word.empty() ? std::string(1, scan.next()) : word)};
      }
    }
    return made;
  }

 private:
  Scanner scan;
  size_t most_instructions;
  bool external = false;
  // Shared variables of the module stand first in every kernel's shared memory.
  std::map<std::string, Symbol> module_variables;
  size_t module_shared = 0, module_declared = 0;
  std::vector<Variable> module_shared_ranges;
  std::vector<char> constant_memory;

  // Of the kernel under way:
  Kernel* kernel = nullptr;
  std::map<std::string, Symbol> variables;
  std::vector<std::map<std::string, int32_t>> scopes;  // of virtual registers; predicates count down from -1
  std::vector<VirtualRegister> registers;
  std::vector<Use> uses;
  std::vector<char> predicate_written;
  std::map<std::pair<uint64_t, char>, int32_t> constants;
  std::map<std::string, uint32_t> labels;
  std::vector<std::pair<uint32_t, std::string>> jumps;

  // ---- declarations

  // [.align N] .type name[count] [= {values}];
  void declare(Space space) {
    size_t align = 0, element = 0;
    char kind = 'b';
    std::string word = scan.word();
    while (!word.empty() && word[0] == '.') {
      if (word == ".align") {
        align = std::stoul(scan.word());
      } else {
        if (word.size() < 3 || !are_digits(word.substr(2))) scan.fail("unknown type " + word);
        kind = word[1];
        element = std::stoul(word.substr(2)) / 8;
      }
      word = scan.word();
    }
    if (element == 0 || word.empty()) scan.fail("a variable without type or name");
    size_t count = 1;
    bool open = false;
    while (scan.take('[')) {
      std::string length = scan.until("]");
      scan.expect(']');
      open = length.empty();
      count *= open ? 0 : std::stoul(length);
    }
    align = std::max(align, element);
    auto& known = kernel == nullptr ? module_variables : variables;
    if (space == Space::CONSTANT) {
      constant_memory.resize(rounded_up(constant_memory.size(), align));
      size_t begin = constant_memory.size();
      known[word] = {space, begin, element * count};
      constant_memory.resize(begin + element * count);
      if (scan.take('=')) initial_values(begin, element, count, kind);
    } else {
      if (open && !external) scan.fail("shared variable " + word + " has no size");
      auto& ranges = kernel == nullptr ? module_shared_ranges : kernel->variables;
      size_t& end = kernel == nullptr ? module_shared : kernel->shared_bytes;
      size_t& declared = kernel == nullptr ? module_declared : kernel->declared_shared_bytes;
      // Gaps of 128 bytes around each variable belong to none. One whose size the launch tells is the last.
      size_t begin = open ? OPEN : rounded_up(end, 128) + 128;
      known[word] = {space, begin, element * count};
      if (!open) {
        ranges.push_back({word, begin, begin + element * count});
        end = begin + element * count;
        declared = rounded_up(declared, align) + element * count;
      }
    }
    scan.expect(';');
    external = false;
  }

  static constexpr size_t OPEN = (size_t)1 << 40;

  static bool are_digits(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  }

  void initial_values(size_t begin, size_t element, size_t count, char kind) {
    bool many = scan.take('{');
    std::vector<std::string> values = split(scan.until("};"), ',');
    if (many) scan.expect('}');
    if (values.size() > count) scan.fail("more values than elements");
    for (size_t n = 0; n < values.size(); n++) {
      uint64_t bits;
      if (!immediate(trimmed(values[n]), kind == 'f' ? 'f' : 'b', (unsigned)element, &bits)) {
        scan.fail("no value: " + values[n]);
      }
      for (size_t byte = 0; byte < element; byte++)
        constant_memory[begin + n * element + byte] = (char)(bits >> 8 * byte);
    }
  }

  std::shared_ptr<Kernel> entry() {
    auto made = std::make_shared<Kernel>();
    kernel = made.get();
    kernel->name = scan.word();
    kernel->code.reserve(most_instructions);  // uses point into it
    kernel->shared_bytes = module_shared;
    kernel->declared_shared_bytes = module_declared;
    kernel->variables = module_shared_ranges;
    variables = module_variables;
    scopes = {{}};
    registers.clear();
    uses.clear();
    predicate_written.clear();
    constants.clear();
    labels.clear();
    jumps.clear();
    if (scan.take('(')) {
      while (!scan.take(')')) {
        parameter();
        scan.take(',');
      }
    }
    while (!scan.take('{')) {
      std::string word = scan.word();
      if (word.empty()) scan.fail("an entry without a body");
      if (word != ".maxntid" && word != ".reqntid" && word != ".minnctapersm" && word != ".maxnreg") {
        scan.fail("unknown directive " + word);
      }
      unsigned product = 1;
      do {
        product *= (unsigned)std::stoul(scan.word());
      } while (scan.take(','));
      if (word == ".maxntid" || word == ".reqntid") kernel->most_threads = product;
    }
    body();
    for (auto& [instruction, label] : jumps) {
      auto found = labels.find(label);
      if (found == labels.end()) throw Error{kernel->code[instruction].line, "no label " + label};
      kernel->code[instruction].target = found->second;
    }
    if (kernel->code.empty() || (kernel->code.back().kind != Kind::EXIT && kernel->code.back().kind != Kind::BRANCH)) {
      scan.fail("entry " + kernel->name + " ends without ret");
    }
    for (const Instruction& instruction : kernel->code) check_predicates(instruction);
    kernel->predicates = (unsigned)predicate_written.size();
    kernel->constant_memory = constant_memory;
    place_registers(*kernel, uses, registers);
    kernel->code.shrink_to_fit();
    kernel = nullptr;
    return made;
  }

  void parameter() {
    if (scan.word() != ".param") scan.fail("expected .param");
    size_t bytes = 0, align = 1;
    std::string word = scan.word();
    while (!word.empty() && word[0] == '.') {
      if (word == ".align") {
        align = std::stoul(scan.word());
      } else if (word != ".ptr" && word != ".global" && word != ".const" && word != ".shared") {
        if (!are_digits(word.substr(2))) scan.fail("unknown type " + word);
        bytes = std::stoul(word.substr(2)) / 8;
      }
      word = scan.word();
    }
    align = std::max(align, bytes);
    if (scan.take('[')) {
      bytes *= std::stoul(scan.until("]"));
      scan.expect(']');
    }
    size_t offset = rounded_up(kernel->parameter_bytes, align);
    kernel->parameters.push_back({offset, bytes});
    kernel->parameter_bytes = offset + bytes;
    variables[word] = {Space::PARAMETER, offset, bytes};
  }

  void declare_registers() {
    std::string type = scan.word();
    char shape = type == ".pred"                                                        ? 'p'
                 : type == ".b16" || type == ".s16" || type == ".u16"                   ? 'h'
                 : type == ".b32" || type == ".s32" || type == ".u32" || type == ".f32" ? 'w'
                 : type == ".b64" || type == ".s64" || type == ".u64" || type == ".f64" ? 'l'
                                                                                        : '?';
    if (shape == '?') scan.fail("registers of type " + type + " are not known here");
    do {
      std::string name = scan.word();
      unsigned count = 0;
      if (scan.take('<')) {
        count = (unsigned)std::stoul(scan.word());
        scan.expect('>');
      }
      for (unsigned n = 0; n < std::max(1u, count); n++) {
        std::string full = count == 0 ? name : name + std::to_string(n);
        if (shape == 'p') {
          predicate_written.push_back(0);
          scopes.back()[full] = -(int32_t)predicate_written.size();
        } else {
          scopes.back()[full] = (int32_t)registers.size();
          registers.push_back({full, shape});
        }
      }
    } while (scan.take(','));
    scan.expect(';');
  }

  // ---- the body of an entry

  void body() {
    while (!scopes.empty()) {
      char next = scan.next();
      if (next == '\0') scan.fail("the text ends within an entry: its braces do not match");
      if (scan.take('{')) {
        scopes.push_back({});
        continue;
      }
      if (scan.take('}')) {
        scopes.pop_back();
        continue;
      }
      statement_line = scan.line();
      statement();
    }
  }

  int statement_line = 0;

  void statement() {
    std::string guard;
    if (scan.take('@')) {
      if (scan.take('!')) guard = "!";
      guard += scan.word();
    }
    std::string name = scan.word();
    if (name.empty()) scan.fail(std::string("unexpected ") + scan.next());
    if (guard.empty() && scan.take(':')) {
      labels[name] = (uint32_t)kernel->code.size();
      return;
    }
    if (name[0] == '.') {
      if (name == ".reg") {
        declare_registers();
      } else if (name == ".shared") {
        declare(Space::SHARED);
      } else if (name == ".pragma") {
        scan.until(";");
        scan.expect(';');
      } else if (name == ".loc") {
        scan.skip_line();
      } else {
        scan.fail("unknown directive " + name);
      }
      return;
    }
    std::string rest = scan.until(";");
    scan.expect(';');
    kernel->code.emplace_back();
    kernel->texts.push_back(name + (rest.empty() ? "" : " " + rest));
    Instruction& made = kernel->code.back();
    made.line = statement_line;
    if (!guard.empty()) {
      made.guard_negated = guard[0] == '!';
      made.guard = predicate(guard.substr(made.guard_negated ? 1 : 0), false);
    }
    instruction(made, name, operands_of(rest));
  }

  [[noreturn]] void fail(const std::string& sentence) const {
    throw Error{statement_line, sentence + ": " + kernel->texts.back()};
  }
  [[noreturn]] void unknown() const { fail("an instruction that the simulated device does not know"); }

  // At commas outside braces and brackets.
  static std::vector<std::string> operands_of(const std::string& text) {
    std::vector<std::string> operands;
    std::string now;
    int depth = 0;
    for (char c : text) {
      depth += c == '{' || c == '[' || c == '(' ? 1 : c == '}' || c == ']' || c == ')' ? -1 : 0;
      if (c == ',' && depth == 0) {
        operands.push_back(trimmed(now));
        now.clear();
      } else {
        now += c;
      }
    }
    if (!trimmed(now).empty()) operands.push_back(trimmed(now));
    return operands;
  }

  const int32_t* found(const std::string& name) const {
    for (size_t n = scopes.size(); n-- > 0;) {
      auto at = scopes[n].find(name);
      if (at != scopes[n].end()) return &at->second;
    }
    return nullptr;
  }

  int32_t predicate(const std::string& name, bool written) {
    const int32_t* at = found(name);
    if (at == nullptr || *at >= 0) {
      if (!written && (name == "1" || name == "-1" || name == "0" || name == "true" || name == "false")) {
        return constant_predicate(name != "0" && name != "false");
      }
      fail("no predicate " + name);
    }
    if (written) predicate_written[-*at - 1] = 1;
    return -*at - 1;
  }

  // A predicate that keeps the value it has when a warp begins.
  int32_t constant_predicate(bool value) {
    std::string name = value ? "%true" : "%false";
    if (found(name) == nullptr) {
      predicate_written.push_back(1);
      scopes.front()[name] = -(int32_t)predicate_written.size();
      if (value) kernel->true_predicates.push_back((int32_t)predicate_written.size() - 1);
    }
    return -*found(name) - 1;
  }

  void check_predicates(const Instruction& instruction) const {
    if (instruction.guard >= 0 && !predicate_written[instruction.guard]) {
      throw Error{instruction.line, "a guard that nothing has written"};
    }
  }

  char shape_of(const std::string& name) const {
    const int32_t* at = found(name);
    return at == nullptr ? '?' : *at < 0 ? 'p' : registers[*at].shape;
  }

  void use(const std::string& name, int32_t* place, bool written) {
    const int32_t* at = found(name);
    if (at == nullptr || *at < 0) fail("no register " + name);
    uses.push_back({(uint32_t)kernel->code.size() - 1, place, *at, written});
  }

  // 0fXXXXXXXX, 0dXXXXXXXXXXXXXXXX, integers of C, and the warp's size.
  static bool immediate(const std::string& text, char kind, unsigned bytes, uint64_t* bits) {
    if (text.empty()) return false;
    if (text == "WARP_SZ") {
      *bits = LANES;
      return true;
    }
    try {
      size_t used = 0;
      if (text.size() > 2 && text[0] == '0' && strchr("fFdD", text[1]) != nullptr) {
        *bits = std::stoull(text.substr(2), &used, 16);
        used += 2;
        bool is_double = text[1] == 'd' || text[1] == 'D';
        if (is_double != (bytes == 8)) return false;
      } else if (kind == 'f') {
        return false;
      } else {
        bool negative = text[0] == '-';
        uint64_t value = std::stoull(text.substr(negative ? 1 : 0), &used, 0);
        used += negative ? 1 : 0;
        if (used < text.size() && text[used] == 'U') used++;
        *bits = negative ? 0 - value : value;
      }
      return used == text.size();
    } catch (const std::exception&) {
      return false;
    }
  }

  int32_t constant(uint64_t bits, char shape) {
    unsigned bytes = bytes_of(shape);
    if (bytes < 8) bits &= ((uint64_t)1 << 8 * bytes) - 1;
    auto known = constants.find({bits, shape});
    if (known != constants.end()) return known->second;
    size_t at = rounded_up(kernel->constants.size(), 64);
    kernel->constants.resize(at + bytes * LANES);
    for (unsigned l = 0; l < LANES; l++) memcpy(kernel->constants.data() + at + l * bytes, &bits, bytes);
    return constants[{bits, shape}] = (int32_t)at | 1;
  }

  // A register, an immediate or the address of a variable.
  void source(const std::string& text, char shape, int32_t* place) {
    if (shape == 'p') {
      *place = predicate(text, false);
      return;
    }
    uint64_t bits;
    char its = shape_of(text);
    if (its != '?') {
      if (its != shape) fail("register " + text + " has another width");
      use(text, place, false);
    } else if (immediate(text, 'b', bytes_of(shape), &bits)) {
      *place = constant(bits, shape);
    } else {
      auto variable = variables.find(text);
      if (variable == variables.end() || variable->second.space == Space::PARAMETER)
        fail("no register or value " + text);
      if (variable->second.offset == OPEN) {
        *place = constant(open_offset(), shape);
      } else {
        *place = constant(variable->second.offset, shape);
      }
    }
  }

  // Behind all the others, which nvcc declares before the first instruction.
  size_t open_offset() {
    kernel->open_shared = rounded_up(kernel->shared_bytes, 128) + 128;
    return kernel->open_shared;
  }

  void destination(const std::string& text, char shape, Instruction& made) {
    std::string name = text;
    size_t bar = text.find('|');
    if (bar != std::string::npos) {
      name = trimmed(text.substr(0, bar));
      std::string other = trimmed(text.substr(bar + 1));
      if (other != "_") made.second = predicate(other, true);
    }
    if (shape == 'p') {
      made.destination = predicate(name, true);
      return;
    }
    if (shape_of(name) != shape) fail("register " + name + " has another width");
    use(name, &made.destination, true);
  }

  // ---- instructions

  void instruction(Instruction& made, const std::string& name, const std::vector<std::string>& operands) {
    std::vector<std::string> parts = split(name, '.');
    const std::string& verb = parts[0];
    auto expect = [&](size_t count) {
      if (operands.size() != count) fail("another number of operands than expected");
    };
    if (verb == "bra") {
      expect(1);
      made.kind = Kind::BRANCH;
      jumps.push_back({(uint32_t)kernel->code.size() - 1, operands[0]});
    } else if (verb == "ret" || verb == "exit") {
      expect(0);
      made.kind = Kind::EXIT;
    } else if (
        name == "bar.sync" || name == "barrier.sync" || name == "barrier.sync.aligned" || name == "bar.cta.sync" ||
        name == "barrier.cta.sync.aligned" || name == "barrier.cta.sync") {
      made.kind = Kind::BARRIER;
      if (operands.empty() || operands.size() > 2) expect(1);
      source(operands[0], 'w', &made.source[0]);
      if (operands.size() == 2) source(operands[1], 'w', &made.source[1]);
    } else if (verb == "membar" || verb == "fence") {
      expect(0);
      fence_of(made, name);
    } else if (verb == "ld" || verb == "st" || verb == "ldu") {
      expect(2);
      access(made, parts, operands);
    } else if (verb == "atom" || verb == "red") {
      atomic(made, parts, operands);
    } else if (verb == "cvt") {
      expect(2);
      convert(made, name, operands);
    } else if (verb == "mov" && special_move(made, parts, operands)) {
      return;
    } else {
      plain(made, name, operands);
    }
  }

  void plain(Instruction& made, const std::string& name, const std::vector<std::string>& operands) {
    const Operation* operation = operation_named(name);
    if (operation == nullptr) unknown();
    bool together = name.find(".sync") != std::string::npos;
    bool has_destination = operation->shape[0] != '-';
    if (operands.size() != operation->shape.size() - (has_destination ? 0 : 1)) {
      fail("another number of operands than expected");
    }
    made.run = operation->run;
    made.extra = operation->extra;
    for (size_t n = 1; n < operation->shape.size(); n++) {
      source(operands[n - (has_destination ? 0 : 1)], operation->shape[n], &made.source[n - 1]);
    }
    if (has_destination) destination(operands[0], operation->shape[0], made);
    if (together) {
      made.kind = Kind::TOGETHER;
      made.target = (uint32_t)operation->shape.size() - 2;  // which source has the lanes
    }
  }

  void fence_of(Instruction& made, const std::string& name) {
    static const std::set<std::string> within = {"membar.cta", "fence.acq_rel.cta", "fence.sc.cta"};
    static const std::set<std::string> beyond = {"membar.gl",    "membar.sys",        "fence.acq_rel.gpu",
                                                 "fence.sc.gpu", "fence.acq_rel.sys", "fence.sc.sys"};
    if (within.count(name) == 0 && beyond.count(name) == 0) unknown();
    made.run = fence;
    made.extra = beyond.count(name);
  }

  // mov of a vector or of a special register; whether it is one.
  bool special_move(
      Instruction& made, const std::vector<std::string>& parts, const std::vector<std::string>& operands) {
    if (operands.size() != 2 || parts.size() != 2) return false;
    if (operands[0][0] == '{' || operands[1][0] == '{') {
      bool packs = operands[1][0] == '{';
      std::string whole = operands[packs ? 0 : 1];
      std::vector<std::string> elements = elements_of(operands[packs ? 1 : 0]);
      char shape = shape_of(whole);
      if (shape == '?' || shape == 'p') fail("no register " + whole);
      unsigned part = bytes_of(shape) / (unsigned)elements.size();
      char part_shape = part == 2 ? 'h' : part == 4 ? 'w' : '?';
      if (part_shape == '?' || part * elements.size() != bytes_of(shape)) unknown();
      made.extra = part | bytes_of(shape) << 4;
      made.run = packs ? pack : unpack;
      if (packs) {
        use(whole, &made.destination, true);
        for (size_t n = 0; n < elements.size(); n++) source(elements[n], part_shape, &made.source[n]);
      } else {
        use(whole, &made.source[0], false);
        int32_t* places[] = {&made.destination, &made.second, &made.source[1], &made.source[2]};
        for (size_t n = 0; n < elements.size(); n++) {
          if (elements[n] != "_") use(elements[n], places[n], true);
        }
      }
      return true;
    }
    if (operands[1][0] != '%' || shape_of(operands[1]) != '?') return false;
    made.run = special_register(operands[1], &made.extra);
    if (made.run == nullptr) fail("a special register that the simulated device does not know");
    destination(operands[0], 'w', made);
    return true;
  }

  static std::vector<std::string> elements_of(const std::string& vector) {
    std::vector<std::string> elements = split(vector.substr(1, vector.size() - 2), ',');
    for (std::string& element : elements) element = trimmed(element);
    return elements;
  }

  void convert(Instruction& made, const std::string& name, const std::vector<std::string>& operands) {
    char to = shape_of(operands[0]), from = shape_of(operands[1]);
    if (to == '?' || from == '?' || to == 'p' || from == 'p') fail("cvt of what is no register");
    Operation operation = conversion(name, bytes_of(to), bytes_of(from));
    if (operation.run == nullptr) unknown();
    made.run = operation.run;
    made.extra = operation.extra;
    use(operands[1], &made.source[0], false);
    use(operands[0], &made.destination, true);
  }

  // [register], [register+4], [variable], [variable+4]
  void address(Access& access, const std::string& text) {
    if (text.size() < 3 || text[0] != '[' || text.back() != ']') fail("no address: " + text);
    std::string inside = trimmed(text.substr(1, text.size() - 2));
    size_t plus = inside.find('+');
    std::string base = trimmed(inside.substr(0, plus));
    uint64_t offset = 0;
    if (plus != std::string::npos && !immediate(trimmed(inside.substr(plus + 1)), 'b', 4, &offset)) {
      fail("no address: " + text);
    }
    access.offset = (int64_t)offset;
    char shape = shape_of(base);
    if (shape == 'w' || shape == 'l') {
      access.wide_address = shape == 'l';
      use(base, &access.address, false);
      return;
    }
    auto variable = variables.find(base);
    if (variable == variables.end()) fail("no address: " + text);
    if (access.space != variable->second.space) fail("another space than that of " + base);
    if (access.space == Space::PARAMETER && offset + access.bytes() > variable->second.bytes) {
      fail("parameter " + base + " has " + std::to_string(variable->second.bytes) + " bytes");
    }
    size_t at = variable->second.offset == OPEN ? open_offset() : variable->second.offset;
    access.offset += (int64_t)at;
  }

  // type .f32, .u8, .b64 ...; whether it is one
  static bool element_type(const std::string& part, Access& access) {
    if (part.size() < 2 || strchr("busf", part[0]) == nullptr || !are_digits(part.substr(1))) return false;
    unsigned bits = (unsigned)std::stoul(part.substr(1));
    if (bits != 8 && bits != 16 && bits != 32 && bits != 64) return false;
    access.type = part[0];
    access.width = bits / 8;
    return true;
  }

  // A modifier that ld, st and atom have in common; whether it is one.
  static bool modifier(const std::string& part, Access& access) {
    static const std::map<std::string, Space> spaces = {
        {"global", Space::GLOBAL}, {"shared", Space::SHARED}, {"param", Space::PARAMETER}, {"const", Space::CONSTANT}};
    static const std::set<std::string> silent = {"ca", "cg", "cs", "lu", "cv", "wb", "wt", "weak", "gpu", "sys", "cta"};
    auto space = spaces.find(part);
    if (space != spaces.end()) {
      access.space = space->second;
    } else if (part == "volatile" || part == "relaxed") {
      access.ordered = true;
    } else if (part == "acquire" || part == "release" || part == "acq_rel") {
      access.ordered = true;
      access.acquire = part != "release";
      access.release = part != "acquire";
    } else if (part == "shared::cta") {
      access.space = Space::SHARED;
    } else {
      return silent.count(part) > 0 || part.rfind("L1::", 0) == 0 || part.rfind("L2::", 0) == 0;
    }
    return true;
  }

  void access(Instruction& made, const std::vector<std::string>& parts, const std::vector<std::string>& operands) {
    made.access = std::make_shared<Access>();
    Access& access = *made.access;
    access.store = parts[0] == "st";
    bool typed = false;
    for (size_t n = 1; n < parts.size(); n++) {
      if (parts[n] == "nc" && !access.store) {
        access.read_only = true;
      } else if (parts[n] == "v2" || parts[n] == "v4") {
        access.count = parts[n] == "v2" ? 2 : 4;
      } else if (n == parts.size() - 1 ? !(typed = element_type(parts[n], access)) : !modifier(parts[n], access)) {
        unknown();
      }
    }
    if (!typed || parts[0] == "ldu" || access.bytes() > 16) unknown();
    bool readable = access.space == Space::PARAMETER || access.space == Space::CONSTANT;
    if (access.store && readable) unknown();
    address(access, operands[access.store ? 0 : 1]);
    const std::string& value = operands[access.store ? 1 : 0];
    std::vector<std::string> values = value[0] == '{' ? elements_of(value) : std::vector<std::string>{value};
    if (values.size() != access.count) fail("another number of registers than elements");
    char shape = '?';
    for (size_t n = 0; n < values.size(); n++) {
      char its = shape_of(values[n]);
      uint64_t bits;
      if (access.store && its == '?' && immediate(values[n], 'b', access.width, &bits)) {
        its = access.width == 8 ? 'l' : access.width == 4 ? 'w' : 'h';
        access.registers[n] = constant(bits, its);
      } else if (its == '?' || its == 'p') {
        fail("no register " + values[n]);
      } else {
        use(values[n], &access.registers[n], !access.store);
      }
      if (shape != '?' && shape != its) fail("registers of several widths");
      shape = its;
    }
    if (!complete(access, bytes_of(shape))) unknown();
    made.run = access.store ? store : load;
  }

  void atomic(Instruction& made, const std::vector<std::string>& parts, const std::vector<std::string>& operands) {
    static const std::map<std::string, Atomic> all = {
        {"add", Atomic::ADD},       {"exch", Atomic::EXCHANGE}, {"cas", Atomic::COMPARE}, {"inc", Atomic::INCREMENT},
        {"dec", Atomic::DECREMENT}, {"min", Atomic::MINIMUM},   {"max", Atomic::MAXIMUM}, {"and", Atomic::AND},
        {"or", Atomic::OR},         {"xor", Atomic::XOR}};
    made.access = std::make_shared<Access>();
    Access& access = *made.access;
    access.store = access.is_atomic = true;
    bool typed = false, named = false;
    for (size_t n = 1; n < parts.size(); n++) {
      auto operation = all.find(parts[n]);
      if (operation != all.end()) {
        access.atomic = operation->second;
        named = true;
      } else if (n == parts.size() - 1 ? !(typed = element_type(parts[n], access)) : !modifier(parts[n], access)) {
        unknown();
      }
    }
    bool returns = parts[0] == "atom", compares = access.atomic == Atomic::COMPARE;
    bool floating = access.type == 'f';
    if (!typed || !named || access.width < 4 || (floating && access.atomic != Atomic::ADD)) unknown();
    if (operands.size() != (returns ? 3u : 2u) + (compares ? 1 : 0)) fail("another number of operands than expected");
    char shape = access.width == 8 ? 'l' : 'w';
    size_t next = returns ? 1 : 0;
    address(access, operands[next++]);
    source(operands[next++], shape, &access.operands[0]);
    if (compares) source(operands[next], shape, &access.operands[1]);
    if (returns && operands[0] != "_") destination(operands[0], shape, made);
    made.run = change_atomically;
  }
};

}  // namespace

std::shared_ptr<Module> parse(const std::string& text) { return Parser(text).module(); }

}  // namespace ptx
