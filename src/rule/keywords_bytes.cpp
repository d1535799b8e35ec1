#include "keywords_bytes.h"

#include <algorithm>

#include "values.h"

/// The byte operations: byte_test, byte_jump, byte_extract, byte_math. All are comma-separated
/// words; some words take a number behind a blank.
namespace shrike::rule {

namespace {

constexpr int64_t offset_max = INT32_MAX;
constexpr int64_t bytes_max = 23;
constexpr int64_t short_offset_max = 65535;

/// "multiplier 4" to name and number.
struct Entry {
  Word name;
  Word value;
};

Entry split_entry(const Word& word) {
  const size_t blank = word.text.find_first_of(" \t");
  if (blank == std::string_view::npos) return {word, word.from(word.text.size())};
  return {word.part(0, blank), word.from(blank).trimmed()};
}

/// What byte_test, byte_jump and byte_extract share.
struct CommonFlags {
  bool is_relative = false;
  bool is_string = false;
  Endian endian = Endian::big;
  bool has_endian = false;
  NumberBase base = NumberBase::binary;
  uint32_t bitmask = 0;
};

std::optional<NumberBase> find_base(std::string_view name) {
  if (name == "hex") return NumberBase::hexadecimal;
  if (name == "dec") return NumberBase::decimal;
  if (name == "oct") return NumberBase::octal;
  return std::nullopt;
}

std::optional<Endian> find_endian(std::string_view name) {
  if (name == "big") return Endian::big;
  if (name == "little") return Endian::little;
  if (name == "dce") return Endian::dce;
  return std::nullopt;
}

bool set_endian(Endian endian, const Word& at, CommonFlags& flags, RuleReport& report) {
  if (flags.has_endian) {
    report.error(at, "repeated", "a second byte order; keep one of big, little and dce");
    return false;
  }
  flags.has_endian = true;
  flags.endian = endian;
  return true;
}

enum class Taken : uint8_t { yes, no, fault };

/// Reads a word that all byte operations know.
Taken take_common(const Entry& entry, CommonFlags& flags, RuleReport& report) {
  const std::string_view name = entry.name.text;
  if (name == "relative") {
    flags.is_relative = true;
  } else if (name == "string") {
    flags.is_string = true;
  } else if (const auto base = find_base(name)) {
    if (!flags.is_string) {
      report.error(entry.name, "byte-base", "'{}' is for numbers in text; write 'string,{}'", name,
                   name);
      return Taken::fault;
    }
    flags.base = *base;
  } else if (const auto endian = find_endian(name)) {
    return set_endian(*endian, entry.name, flags, report) ? Taken::yes : Taken::fault;
  } else if (name == "bitmask") {
    const auto mask = to_number<uint32_t>(entry.value.text);
    if (!mask || *mask == 0) {
      report.error(entry.value, "number", "'{}' is no bit mask; write bitmask 0xff00",
                   entry.value.text);
      return Taken::fault;
    }
    flags.bitmask = *mask;
  } else {
    return Taken::no;
  }
  return Taken::yes;
}

/// Text without a base is decimal in Suricata's byte_test and byte_jump.
NumberBase settled_base(const CommonFlags& flags) {
  return flags.is_string && flags.base == NumberBase::binary ? NumberBase::decimal : flags.base;
}

/// Binary numbers have 1 to 8 bytes, text up to 23 digits, 0 for as many as there are.
bool check_size(const Word& word, int64_t bytes, const CommonFlags& flags, RuleReport& report) {
  const int64_t max = flags.is_string ? 23 : 8;
  const int64_t min = flags.is_string ? 0 : 1;
  if (bytes >= min && bytes <= max) return true;
  report.error(word, "byte-count", "{} bytes cannot be read; write {} to {}", bytes, min, max);
  return false;
}

template <typename Check>
void add_byte_check(Builder& builder, const Check& check, const Argument& argument) {
  if (check.is_relative) {
    builder.add_relative_check(check, argument.name);
  } else {
    builder.add_check(check, argument.name);
  }
}

struct TestOperator {
  std::string_view text;
  ByteTest::Operator op;
};
constexpr TestOperator test_operators[] = {
    {"<=", ByteTest::Operator::less_or_equal}, {">=", ByteTest::Operator::greater_or_equal},
    {"<", ByteTest::Operator::less},           {">", ByteTest::Operator::greater},
    {"=", ByteTest::Operator::equal},          {"&", ByteTest::Operator::bit_and},
    {"^", ByteTest::Operator::bit_or}};

bool read_test_operator(const Word& word, ByteTest& check) {
  std::string_view text = word.text;
  check.is_negated = text.starts_with('!');
  if (check.is_negated) text = trim_left(text.substr(1));
  check.op = ByteTest::Operator::equal;
  if (text.empty()) return check.is_negated;  // "!" alone is "not equal"
  for (const TestOperator& entry : test_operators) {
    if (entry.text != text) continue;
    check.op = entry.op;
    return true;
  }
  return false;
}

}  // namespace

void parse_byte_test(Builder& builder, const Keyword& keyword, const Argument& argument) {
  RuleReport& report = builder.report();
  Word rest = argument.value;
  const Word bytes = rest.take_until(',');
  const Word op = rest.take_until(',');
  const Word value = rest.take_until(',');
  const Word offset = rest.take_until(',');
  ByteTest check{};
  CommonFlags flags;
  while (!rest.empty()) {
    const Word word = rest.take_until(',');
    const Taken taken = take_common(split_entry(word), flags, report);
    if (taken == Taken::no) report_value(keyword, word, report);
    if (taken != Taken::yes) return;
  }
  if (!read_test_operator(op, check) || offset.empty()) {
    report_value(keyword, argument.value, report);
    return;
  }
  const auto size = parse_operand(bytes, 0, bytes_max, builder);
  const auto compared = parse_operand(value, 0, INT64_MAX, builder);
  const auto place = parse_operand(offset, -offset_max, offset_max, builder);
  if (!size || !compared || !place) return;
  if (size->variable < 0 && !check_size(bytes, size->literal, flags, report)) return;
  check.bytes = static_cast<uint8_t>(size->literal);
  check.bytes_variable = size->variable;
  check.value = *compared;
  check.offset = *place;
  check.is_relative = flags.is_relative;
  check.endian = flags.endian;
  check.base = settled_base(flags);
  check.bitmask = flags.bitmask;
  add_byte_check(builder, check, argument);
}

namespace {

/// Reads a word that only byte_jump knows. @return false where a fault was reported.
bool read_jump_word(const Entry& entry, const Keyword& keyword, ByteJump& check,
                    RuleReport& report) {
  const std::string_view name = entry.name.text;
  if (name == "align") {
    check.align = true;
  } else if (name == "from_beginning") {
    check.from_beginning = true;
  } else if (name == "from_end") {
    check.from_end = true;
  } else if (name == "multiplier") {
    const auto number = parse_number(entry.value, 1, 65535, report);
    check.multiplier = static_cast<uint32_t>(number.value_or(1));
    return number.has_value();
  } else if (name == "post_offset") {
    const auto number = parse_number(entry.value, -short_offset_max, short_offset_max, report);
    check.post_offset = static_cast<int32_t>(number.value_or(0));
    return number.has_value();
  } else {
    report_value(keyword, entry.name, report);
    return false;
  }
  return true;
}

}  // namespace

void parse_byte_jump(Builder& builder, const Keyword& keyword, const Argument& argument) {
  RuleReport& report = builder.report();
  Word rest = argument.value;
  const Word bytes = rest.take_until(',');
  const Word offset = rest.take_until(',');
  ByteJump check;
  CommonFlags flags;
  while (!rest.empty()) {
    const Entry entry = split_entry(rest.take_until(','));
    const Taken taken = take_common(entry, flags, report);
    if (taken == Taken::fault) return;
    if (taken == Taken::no && !read_jump_word(entry, keyword, check, report)) return;
  }
  if (check.from_beginning && check.from_end) {
    report.error(argument.value, "modifier-conflict",
                 "'from_beginning' cannot stand beside 'from_end'; keep one of them");
    return;
  }
  const auto size = parse_operand(bytes, 0, bytes_max, builder);
  const auto place = parse_operand(offset, -offset_max, offset_max, builder);
  if (!size || !place) return;
  // Zero bytes read nothing: from_end and post_offset then move the cursor alone.
  const bool is_move = size->variable < 0 && size->literal == 0;
  if (size->variable < 0 && !is_move && !check_size(bytes, size->literal, flags, report)) return;
  check.bytes = *size;
  check.offset = *place;
  check.is_relative = flags.is_relative;
  check.endian = flags.endian;
  check.base = settled_base(flags);
  check.bitmask = flags.bitmask;
  add_byte_check(builder, check, argument);
}

void parse_byte_extract(Builder& builder, const Keyword& keyword, const Argument& argument) {
  RuleReport& report = builder.report();
  Word rest = argument.value;
  const Word bytes = rest.take_until(',');
  const Word offset = rest.take_until(',');
  const Word name = rest.take_until(',');
  ByteExtract check;
  CommonFlags flags;
  while (!rest.empty()) {
    const Entry entry = split_entry(rest.take_until(','));
    const Taken taken = take_common(entry, flags, report);
    if (taken == Taken::fault) return;
    if (taken == Taken::yes) continue;
    const bool is_align = entry.name.text == "align";
    if (!is_align && entry.name.text != "multiplier") {
      report_value(keyword, entry.name, report);
      return;
    }
    const auto number = parse_number(entry.value, 1, 65535, report);
    if (!number) return;
    if (is_align && *number != 2 && *number != 4) {
      report.error(entry.value, "number", "'{}' is no alignment; write align 2 or align 4",
                   entry.value.text);
      return;
    }
    if (is_align) check.align = static_cast<uint8_t>(*number);
    if (!is_align) check.multiplier = static_cast<uint32_t>(*number);
  }
  if (flags.bitmask != 0) {
    report.error(argument.value, "value", "byte_extract has no bitmask; use byte_math for it");
    return;
  }
  const auto size = parse_number(bytes, 1, 23, report);
  const auto place = parse_number(offset, -offset_max, offset_max, report);
  if (!size || !place || !check_size(bytes, *size, flags, report)) return;
  const auto variable = builder.declare_variable(name);
  if (!variable) return;
  check.bytes = static_cast<uint8_t>(*size);
  check.offset = static_cast<int32_t>(*place);
  check.variable = *variable;
  check.is_relative = flags.is_relative;
  check.endian = flags.endian;
  check.base = settled_base(flags);
  add_byte_check(builder, check, argument);
}

namespace {

std::optional<ByteMath::Operator> find_math_operator(std::string_view text) {
  if (text == "+") return ByteMath::Operator::add;
  if (text == "-") return ByteMath::Operator::subtract;
  if (text == "*") return ByteMath::Operator::multiply;
  if (text == "/") return ByteMath::Operator::divide;
  if (text == "<<") return ByteMath::Operator::shift_left;
  if (text == ">>") return ByteMath::Operator::shift_right;
  return std::nullopt;
}

/// The named words of byte_math; each once.
struct MathWords {
  Word bytes, offset, oper, rvalue, result, endian, string, bitmask;
  bool is_relative = false;
  bool is_dce = false;
};

Word* find_math_word(MathWords& words, std::string_view name) {
  if (name == "bytes") return &words.bytes;
  if (name == "offset") return &words.offset;
  if (name == "oper") return &words.oper;
  if (name == "rvalue") return &words.rvalue;
  if (name == "result") return &words.result;
  if (name == "endian") return &words.endian;
  if (name == "string") return &words.string;
  if (name == "bitmask") return &words.bitmask;
  return nullptr;
}

std::optional<MathWords> read_math_words(Word rest, const Keyword& keyword, RuleReport& report) {
  MathWords words;
  while (!rest.empty()) {
    const Entry entry = split_entry(rest.take_until(','));
    if (entry.name.text == "relative") {
      words.is_relative = true;
    } else if (entry.name.text == "dce") {
      words.is_dce = true;
    } else if (Word* const word = find_math_word(words, entry.name.text);
               word != nullptr && word->empty() && !entry.value.empty()) {
      *word = entry.value;
    } else {
      report_value(keyword, entry.name, report);
      return std::nullopt;
    }
  }
  return words;
}

bool read_math_flags(const MathWords& words, ByteMath& check, const Keyword& keyword,
                     RuleReport& report) {
  CommonFlags flags;
  flags.is_string = !words.string.empty();
  const auto endian = find_endian(words.endian.text);
  const auto base = find_base(words.string.text);
  if ((!words.endian.empty() && !endian) || (flags.is_string && !base)) {
    report_value(keyword, words.endian.empty() ? words.string : words.endian, report);
    return false;
  }
  const bool is_masked = !words.bitmask.empty();
  if (is_masked && take_common({{"bitmask", words.bitmask.position}, words.bitmask}, flags,
                               report) != Taken::yes) {
    return false;
  }
  check.endian = words.is_dce ? Endian::dce : endian.value_or(Endian::big);
  check.base = base.value_or(NumberBase::binary);
  check.bitmask = flags.bitmask;
  check.is_relative = words.is_relative;
  return true;
}

}  // namespace

void parse_byte_math(Builder& builder, const Keyword& keyword, const Argument& argument) {
  RuleReport& report = builder.report();
  const auto words = read_math_words(argument.value, keyword, report);
  if (!words) return;
  ByteMath check{};
  const auto op = find_math_operator(words->oper.text);
  const bool is_complete = !words->bytes.empty() && !words->offset.empty() &&
                           !words->rvalue.empty() && !words->result.empty();
  if (!op || !is_complete) {
    report_value(keyword, argument.value, report);
    return;
  }
  if (!read_math_flags(*words, check, keyword, report)) return;
  const auto size = parse_operand(words->bytes, 1, 10, builder);
  const auto place = parse_operand(words->offset, -short_offset_max, short_offset_max, builder);
  const auto right = parse_operand(words->rvalue, 0, UINT32_MAX, builder);
  if (!size || !place || !right) return;
  const bool is_shift =
      *op == ByteMath::Operator::shift_left || *op == ByteMath::Operator::shift_right;
  if (is_shift && size->literal > 4) {
    report.error(words->bytes, "byte-count", "a shift takes at most 4 bytes; write bytes 4");
    return;
  }
  const auto result = builder.declare_variable(words->result);
  if (!result) return;
  check.bytes = *size;
  check.offset = *place;
  check.op = *op;
  check.right = *right;
  check.result = *result;
  add_byte_check(builder, check, argument);
}

}  // namespace shrike::rule
